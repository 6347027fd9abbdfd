"""Sharing of posed meshes, errors, the file of per-sample scores, samples of the data set."""

import gc
import json

import numpy as np
import pytest
import torch
from helpers_records import save_toy_record
from helpers_samples import noisy_meshes, posed, predict, toy_body, toy_samples
from helpers_toy_body import toy_body_data
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, METRICS

import i2l_plugin.datasets  # noqa: F401  (registers the data sets)
from i2l_plugin.body_models import H36M_17, BodyModel, gendered
from i2l_plugin.evaluation import FScore, MeshJointError, MeshVertexError
from i2l_plugin.evaluation.sample_scores import write_metrics

BODY = toy_body()


@pytest.fixture
def samples():
    samples = toy_samples(BODY, n=3, joint_set=H36M_17)
    return predict(samples, noisy_meshes(BODY, samples))


@pytest.fixture
def toy_file(monkeypatch):
    """A body-model config whose file is the toy body; lists the options of each model built."""
    built = []

    def build(**options):
        built.append(options)
        return toy_body()

    monkeypatch.setattr(gendered, 'build_body_model', build)
    return built


def process(metric, samples):
    metric.process(None, [sample.to_dict() for sample in samples])
    return metric.evaluate(len(samples))


def test_metrics_of_one_config_share_one_model_and_pose_each_batch_once(
    samples, toy_file, monkeypatch
):
    posed_batches = []
    pose_cam_mm = BodyModel.pose_cam_mm

    def counting(self, pose, *rest):
        posed_batches.append(len(pose))
        return pose_cam_mm(self, pose, *rest)

    monkeypatch.setattr(BodyModel, 'pose_cam_mm', counting)
    configs = [
        dict(type='MeshJointError', joint_set='body_29'),
        dict(type='MeshVertexError'),
        dict(type='FScore'),
    ]
    body_model = dict(kind='body', path='toy')
    metrics = [METRICS.build({**config, 'body_model': dict(body_model)}) for config in configs]
    assert toy_file == [body_model]
    evaluator = Evaluator(metrics)
    evaluator.process(samples[:2])
    evaluator.process(samples[2:])
    assert posed_batches == [2, 1]
    alone = FScore(BODY)
    results = evaluator.evaluate(3)
    assert process(alone, samples)['f_score/F@15mm'] == results['f_score/F@15mm']


def test_other_configs_do_not_share_and_nothing_outlives_its_metrics(toy_file):
    metrics = [MeshVertexError(dict(kind=kind)) for kind in ('body', 'hand', 'body')]
    assert [options['kind'] for options in toy_file] == ['body', 'hand']
    del metrics
    gc.collect()
    MeshVertexError(dict(kind='body'))
    assert len(toy_file) == 3


def test_the_model_that_is_given_stays_as_it_is():
    model = BodyModel(toy_body_data())
    MeshVertexError(model)
    assert model.v_template.dtype == torch.float32


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(joint_set='coco'), 'coco'),
        (dict(joint_set='smpl_24'), "no joint regressor 'smpl_24'"),
        (dict(joint_set='body_29', regressor='h36m_17'), 'gives 17 joints.*has 29'),
        (dict(joint_set='body_29', truth='fit'), "truth must be one of .*'fit'"),
        (dict(joint_set='body_29', prediction='pose'), "prediction must be one of .*'pose'"),
        (dict(joint_set='h36m_17', prediction='posenet'), "'body_29'; got joint_set 'h36m_17'"),
        (dict(joint_set='body_29', root='Wrist'), "no joint 'Wrist'"),
        (dict(joint_set='body_29', evaluation_joints=['Tail']), "no joint 'Tail'"),
    ],
)
def test_joint_metric_names_a_wrong_option(options, message):
    with pytest.raises(ValueError, match=message):
        MeshJointError(BODY, **options)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(alignment='procrustes'), "alignment must be one of .*'procrustes'"),
        (dict(thresholds_mm=()), r'thresholds_mm must be positive distances, got \(\)'),
        (dict(thresholds_mm=(5, 0)), r'got \(5, 0\)'),
    ],
)
def test_f_score_names_a_wrong_option(options, message):
    with pytest.raises(ValueError, match=message):
        FScore(BODY, **options)


def drop_predictions(sample):
    del sample.pred_instances


def drop_vertices(sample):
    sample.pred_instances = InstanceData(keypoints=np.zeros((1, 29, 2)))


def drop_fit(sample):
    del sample.gt_instance_labels.fit_valid


def predict_two_persons(sample):
    sample.pred_instances = InstanceData(vertices_cam=np.zeros((2, 192, 3)))


def predict_another_topology(sample):
    sample.pred_instances = InstanceData(vertices_cam=np.zeros((1, 778, 3)))


@pytest.mark.parametrize(
    ('break_sample', 'message'),
    [
        (drop_predictions, 'sample 101 has no pred_instances.vertices_cam.*gt_instance_labels'),
        (drop_vertices, r"no pred_instances.vertices_cam.*found \['keypoints'\]"),
        (drop_fit, 'sample 101 has no gt_instance_labels.fit_valid'),
        (predict_two_persons, r'must hold one person, \(1, ...\); got \(2, 192, 3\)'),
        (predict_another_topology, r'vertices_cam.*\(1, 192, 3\).*\(1, 778, 3\)'),
    ],
)
def test_a_sample_without_its_fields_is_named(samples, break_sample, message):
    break_sample(samples[1])
    with pytest.raises(ValueError, match=message):
        process(MeshVertexError(BODY), samples[1:2])


def test_posenet_joints_that_are_missing_are_named(samples):
    metric = MeshJointError(BODY, 'body_29', prediction='posenet')
    with pytest.raises(ValueError, match=r'no pred_instances\.posenet_joints_cam'):
        process(metric, samples)


def test_joints_that_the_data_set_does_not_annotate_are_named(samples):
    metric = MeshJointError(BODY, 'body_29', truth='annotated', evaluation_joints=['L_Toe', 'Neck'])
    with pytest.raises(ValueError, match=r"no annotated joints \['L_Toe'\].*truth='fitted'"):
        process(metric, samples)


@pytest.mark.parametrize(
    ('metric', 'message'),
    [
        (MeshJointError(BODY, 'body_29'), 'none of 3 .* a valid fit.* no MPJPE or PA-MPJPE'),
        (MeshJointError(BODY, 'h36m_17', truth='annotated'), "none of 3 .*'Pelvis'.* annotated"),
        (MeshVertexError(BODY), 'none of 3 .* a valid fit.* no MPVPE or PA-MPVPE'),
        (FScore(BODY), 'none of 3 .* a valid fit.* no F@5mm or F@15mm'),
    ],
)
def test_an_evaluation_without_valid_samples_is_an_error(samples, metric, message):
    for sample in samples:
        sample.gt_instance_labels.fit_valid = torch.zeros(1)
        sample.gt_instances.annotated_joints_valid = np.zeros((1, 17), bool)
    with pytest.raises(ValueError, match=message):
        process(metric, samples)


def test_scores_of_each_sample_are_written(samples, tmp_path):
    samples[1].gt_instance_labels.fit_valid = torch.zeros(1)
    out = str(tmp_path / 'made' / 'val')
    metrics = [
        MeshJointError(BODY, 'body_29', outfile_prefix=out),
        MeshVertexError(BODY, outfile_prefix=out, prefix='mesh'),
        FScore(BODY, thresholds_mm=[7.5], outfile_prefix=out),
    ]
    means = [process(metric, samples) for metric in metrics]
    singles = [[process(metric, [sample]) for metric in metrics] for sample in samples[::2]]
    names = ['joint/PA-MPJPE', 'mesh/MPVPE', 'f_score/F@7.5mm']
    for metric, mean, name in zip(metrics, means, names, strict=True):
        process(metric, samples)
        prefix, score = name.split('/')
        written = json.loads((tmp_path / 'made' / f'val.{prefix}.json').read_text())
        assert (written[score], written['N']) == (pytest.approx(mean[name]), 2)
        assert written['protocol'] == metric.evaluated.describe()
        records = written['samples']
        assert [record['sample_id'] for record in records] == [100, 101, 102]
        assert list(records[1]) == ['sample_id']  # left out
        found = [records[0][score], records[2][score]]
        expected = [single[metrics.index(metric)][name] for single in singles]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert np.mean(found) == pytest.approx(mean[name])


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(samples, tmp_path):
    metric = MeshVertexError(BODY, outfile_prefix=str(tmp_path / 'val'))
    process(metric, samples)
    before = (tmp_path / 'val.vertex.json').read_text()
    samples[2].set_metainfo({'sample_id': {1, 2}})  # JSON knows no sets
    with pytest.raises(TypeError):
        process(metric, samples)
    assert [path.name for path in tmp_path.iterdir()] == ['val.vertex.json']
    assert (tmp_path / 'val.vertex.json').read_text() == before


def test_samples_of_the_data_set_are_evaluated_as_packed(tmp_path):
    """A perfect prediction, through record, pipeline and evaluator, has no error."""
    columns = save_toy_record(tmp_path)
    pipeline = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=(64, 64)),
        dict(type='PackMeshInputs'),
    ]
    config = dict(type='MeshDataset', ann_file='record.npz', data_root=str(tmp_path))
    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = DATASETS.build({**config, 'pipeline': pipeline, 'test_mode': True})
    samples = [packed['data_samples'] for packed in dataset]
    evaluator = Evaluator(
        [
            MeshJointError(BODY, 'h36m_17', truth='annotated', prefix='annotated'),
            MeshJointError(BODY, 'body_29'),
            MeshVertexError(BODY),
            FScore(BODY),
        ]
    )
    evaluator.process(predict(samples, posed(BODY, samples)))
    results = evaluator.evaluate(len(samples))
    assert len(columns['pose']) == results['annotated/N'] == results['vertex/N'] == 3
    for name, value in results.items():
        if not name.endswith('/N'):
            assert value == pytest.approx(1 if '@' in name else 0, abs=2e-3)


def strict_json(path):
    """JSON as other languages read it: NaN and Infinity are no numbers."""

    def refuse(name):
        raise ValueError(f'{path} is no JSON: {name}')

    return json.loads(path.read_text(), parse_constant=refuse)


def test_errors_that_are_no_numbers_are_written_as_null(samples, tmp_path):
    samples[1].pred_instances.vertices_cam = samples[1].pred_instances.vertices_cam * np.inf
    metric = MeshVertexError(BODY, outfile_prefix=str(tmp_path / 'val'))
    metrics = process(metric, samples)
    assert np.isnan(metrics['vertex/MPVPE'])
    records = strict_json(tmp_path / 'val.vertex.json')['samples']
    scores = [record['MPVPE'] for record in records]
    assert scores[1] is None
    assert scores[0] > 0
    write_metrics(metrics, tmp_path / 'all.json')
    written = strict_json(tmp_path / 'all.json')
    assert (written['vertex/MPVPE'], written['vertex/N']) == (None, 3)
