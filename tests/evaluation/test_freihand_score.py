"""The FreiHAND metric: official scores of data samples, and the submission that gives the same."""

import json

import numpy as np
import pytest
import torch
from helpers_freihand_scorer import naive_freihand_scores, write_freihand_truth
from helpers_records import save_toy_record
from helpers_samples import noisy_meshes, posed, predict, toy_body, toy_samples
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS

import i2l_plugin.datasets  # noqa: F401  (registers the data sets)
from i2l_plugin.evaluation import FreiHANDScore, freihand_files
from i2l_plugin.evaluation.freihand_scoring import score_submission

HAND = toy_body('hand')
REGRESSOR = HAND.joint_regressor.numpy()


def hand_samples(n=4, protocol='freihand/paper', **options):
    """Samples of the evaluation set, numbered from 0, with noisy predictions."""
    samples = toy_samples(HAND, n, **options)
    for i, sample in enumerate(samples):
        sample.set_metainfo({'sample_id': i, 'protocol': protocol})
    return predict(samples, noisy_meshes(HAND, samples, noise_mm=4))


def evaluate(samples, batch_size=3, **options):
    evaluator = Evaluator(FreiHANDScore(HAND, **options))
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples))


def predictions_m(samples):
    verts = np.concatenate([sample.pred_instances.vertices_cam for sample in samples]) / 1000
    return (REGRESSOR @ verts).round(7), verts.round(7)


def truth_m(samples):
    verts = posed(HAND, samples) / 1000
    return REGRESSOR @ verts, verts


def named(scores):
    return {f'freihand/{name}': value for name, value in scores.items()}


def test_scores_equal_the_slow_loops():
    samples = hand_samples()
    results = evaluate(samples)
    assert results.pop('freihand/N') == 4
    expected = naive_freihand_scores(*predictions_m(samples), *truth_m(samples))
    assert results == pytest.approx(named(expected), rel=0, abs=1e-6)
    assert 0 < results['freihand/f_score_15'] < results['freihand/f_al_score_5'] < 1


def test_the_truth_may_come_from_the_official_files(tmp_path):
    """By the number of the hand, also of samples without annotations of their own."""
    samples = hand_samples(fit_valid=[False] * 4)
    xyz, verts = (points[::-1] + 0.005 for points in truth_m(samples))
    for i, sample in enumerate(samples):
        sample.set_metainfo({'sample_id': 900 + i, 'id_hand': 3 - i})
    expected = naive_freihand_scores(*predictions_m(samples), xyz[::-1], verts[::-1])
    write_freihand_truth(tmp_path, xyz, verts)
    results = evaluate(samples, gt_dir=str(tmp_path))
    assert results.pop('freihand/N') == 4
    assert results == pytest.approx(named(expected), rel=0, abs=1e-6)


@pytest.fixture(autouse=True)
def toy_sized_files(monkeypatch):
    """Let the official files have the toy hand's number of vertices."""
    monkeypatch.setitem(freihand_files.NUM_POINTS, 'verts', HAND.num_vertices)


def test_the_submission_scores_what_the_metric_said(tmp_path):
    samples = hand_samples()
    results = evaluate(samples[::-1], submission_dir=str(tmp_path / 'made'))
    xyz, verts = json.loads((tmp_path / 'made' / 'pred.json').read_text())
    for one, other in zip((xyz, verts), predictions_m(samples), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)  # in the order of the numbers
    write_freihand_truth(tmp_path, *truth_m(samples))
    for name in ('pred.json', 'pred.zip'):
        scores = score_submission(tmp_path / 'made' / name, tmp_path, workers=1)
        assert results == pytest.approx(named(scores), rel=0, abs=1e-6)


def test_a_submission_without_any_truth_is_written_all_the_same(tmp_path):
    samples = hand_samples(fit_valid=[False] * 4)
    assert evaluate(samples, submission_dir=str(tmp_path)) == {'freihand/N': 0}
    assert len(json.loads((tmp_path / 'pred.json').read_text())[0]) == 4
    with pytest.raises(ValueError, match=r'none of 4 .* annotated joints and a valid fit'):
        evaluate(samples)


def test_samples_without_a_truth_do_not_count(tmp_path):
    samples = hand_samples(fit_valid=[True, False, True, True])
    samples[2].gt_instances.annotated_joints_valid[0, 7] = False
    out = tmp_path / 'val'
    options = dict(submission_dir=str(tmp_path), outfile_prefix=str(out))
    results = evaluate(samples, **options)
    assert results == pytest.approx(evaluate([samples[0], samples[3]]))
    written = json.loads((tmp_path / 'val.freihand.json').read_text())
    assert [sorted(record) == ['sample_id'] for record in written['samples']] == [0, 1, 1, 0]
    assert written['samples'][3].keys() == {'sample_id', *(name[9:] for name in results)} - {'N'}
    assert written['protocol'].startswith('freihand/paper (test): ')


def test_a_submission_that_is_not_whole_is_refused(tmp_path):
    samples = hand_samples()
    for part in (samples[1:], samples[:3] + samples[:1]):
        with pytest.raises(ValueError, match=r'3|4 data samples of numbers .* 0 to 3959 once'):
            evaluate(part, submission_dir=str(tmp_path / 'made'))
    assert not (tmp_path / 'made').exists()


def test_a_prediction_that_is_no_number_is_not_submitted(tmp_path):
    samples = hand_samples()
    samples[2].pred_instances.vertices_cam[0, 5] = np.nan
    with pytest.raises(ValueError, match=r'NaN or inf in 1 samples, first \[2\]'):
        evaluate(samples, submission_dir=str(tmp_path))


def test_what_cannot_be_sent_in_and_another_number_are_warned_of(tmp_path, monkeypatch):
    warnings = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', warnings.append)
    evaluate(hand_samples(), submission_dir=str(tmp_path))
    assert 'holds 4 hands of 192 vertices; FreiHAND scores 3960 of 778 alone' in warnings[0]
    assert "N is 4, but 'freihand/paper' has 3960" in warnings[1]


def test_numbers_that_the_official_files_do_not_have_are_named(tmp_path):
    samples = hand_samples()
    write_freihand_truth(tmp_path, *(points[:2] for points in truth_m(samples)))
    with pytest.raises(ValueError, match=r'holds samples 0 to 1, but got data samples \[2\]'):
        evaluate(samples, gt_dir=str(tmp_path))
    write_freihand_truth(tmp_path, truth_m(samples)[0], truth_m(samples)[1][:3])
    with pytest.raises(ValueError, match=r'4 samples in evaluation_xyz.* 3 in evaluation_verts'):
        FreiHANDScore(HAND, gt_dir=str(tmp_path))
    (tmp_path / 'evaluation_verts.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'no evaluation_verts\.json there'):
        FreiHANDScore(HAND, gt_dir=str(tmp_path))


def test_bodies_and_other_protocols_are_refused():
    with pytest.raises(ValueError, match="this body model has no joint regressor 'hand_21'"):
        FreiHANDScore(toy_body('body'))
    with pytest.raises(
        ValueError, match=r"'h36m/paper' is of the data set 'h36m'.*'freihand' alone"
    ):
        FreiHANDScore(HAND, protocol='h36m/paper')
    with pytest.raises(ValueError, match="'freihand/train' is for training alone"):
        FreiHANDScore(HAND, protocol='freihand/train')
    samples = hand_samples(protocol=None)
    with pytest.raises(ValueError, match='no protocol selected data sample 0'):
        evaluate(samples)
    assert evaluate(samples, protocol=None)['freihand/N'] == 4


def test_predictions_on_any_device_and_of_any_precision_agree():
    samples = hand_samples()
    expected = evaluate(samples)
    vertices = np.concatenate([sample.pred_instances.vertices_cam for sample in samples])
    found = evaluate(predict(samples, torch.from_numpy(vertices)), batch_size=1)
    assert found == pytest.approx(expected, rel=1e-12)


def test_samples_of_the_data_set_are_scored_as_packed(tmp_path):
    """A perfect prediction, through record, protocol and pipeline, has no error."""
    save_toy_record(tmp_path, kind='hand', changes={'id_hand': np.array([2, 0, 1])})
    config = dict(
        type='FreiHANDMeshDataset',
        ann_file='record.npz',
        data_root=str(tmp_path),
        protocol='freihand/paper',
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=(64, 64)),
            dict(type='PackMeshInputs'),
        ],
    )
    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = DATASETS.build(config)
    samples = [packed['data_samples'] for packed in dataset]
    predict(samples, posed(HAND, samples))
    results = evaluate(samples, submission_dir=str(tmp_path))
    for name, value in results.items():
        is_error = name.endswith('mean3d')
        assert value == pytest.approx(0 if is_error else 3 if name.endswith('/N') else 1, abs=0.01)
    verts = np.array(json.loads((tmp_path / 'pred.json').read_text())[1])
    np.testing.assert_allclose(1000 * verts, posed(HAND, samples)[[1, 2, 0]], atol=1e-3)
