"""Metrics against plain sums over samples and joints, and against closed forms."""

import numpy as np
import pytest
import torch
from helpers_alignment import freihand_scorer, mean_distance, naive_f_score, umeyama
from helpers_samples import noisy_meshes, posed, predict, toy_body, toy_samples
from helpers_toy_body import toy_body_data
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from scipy.spatial.transform import Rotation

import i2l_plugin.evaluation  # noqa: F401  (registers the metrics)
from i2l_plugin.body_models import H36M_17, SMPL_24

BODY, HAND = toy_body('body'), toy_body('hand')


def evaluate(samples, *metrics, batch_size=2):
    """Results of metric configs, in batches, by the host's evaluator."""
    evaluator = Evaluator([METRICS.build(metric) for metric in metrics])
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples))


def joint_metric(body=BODY, joint_set='body_29', **options):
    return dict(type='MeshJointError', body_model=body, joint_set=joint_set, **options)


def vertex_metric(body=BODY, **options):
    return dict(type='MeshVertexError', body_model=body, **options)


def f_metric(body=HAND, **options):
    return dict(type='FScore', body_model=body, **options)


def naive_joint_errors(predicted, target, joint_set):
    """(MPJPE, PA-MPJPE) of joints (B, J, 3): one sample, one joint at a time."""
    evaluated = list(joint_set.evaluation_joints or range(len(joint_set)))
    plain, similar = [], []
    for prediction, truth in zip(predicted, target, strict=True):
        prediction = (prediction - prediction[joint_set.root])[evaluated]
        truth = (truth - truth[joint_set.root])[evaluated]
        plain.append(mean_distance(prediction, truth))
        similar.append(mean_distance(umeyama(prediction, truth), truth))
    return np.mean(plain), np.mean(similar)


@pytest.mark.parametrize('truth', ['fitted', 'annotated'])
@pytest.mark.parametrize(
    ('body', 'joint_set'), [(BODY, BODY.joint_set), (BODY, H36M_17), (HAND, HAND.joint_set)]
)
def test_joint_errors_equal_the_naive_sums(body, joint_set, truth):
    samples = toy_samples(body, joint_set=joint_set)
    rows = body.regressor(joint_set.name).numpy()
    target = rows @ posed(body, samples)
    if truth == 'annotated':  # the data set's own joints are not exactly the fitted ones
        target = target + np.random.default_rng(3).normal(0, 10, target.shape)
        for sample, joints in zip(samples, target, strict=True):
            sample.gt_instances.annotated_joints_cam_mm = joints[None]
    vertices = noisy_meshes(body, samples)
    expected = naive_joint_errors(rows @ vertices, target, joint_set)
    results = evaluate(predict(samples, vertices), joint_metric(body, joint_set.name, truth=truth))
    assert results['joint/N'] == 5
    found = results['joint/MPJPE'], results['joint/PA-MPJPE']
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_vertex_errors_equal_the_naive_sums():
    samples = toy_samples(BODY)
    target, vertices = posed(BODY, samples), noisy_meshes(BODY, samples)
    pelvis = BODY.joint_regressor[0].numpy()
    plain = [
        mean_distance(p - pelvis @ p, t - pelvis @ t) for p, t in zip(vertices, target, strict=True)
    ]
    similar = [mean_distance(umeyama(p, t), t) for p, t in zip(vertices, target, strict=True)]
    results = evaluate(predict(samples, vertices), vertex_metric())
    assert results['vertex/MPVPE'] == pytest.approx(np.mean(plain), abs=1e-6)
    assert results['vertex/PA-MPVPE'] == pytest.approx(np.mean(similar), abs=1e-6)
    assert results['vertex/N'] == 5


@pytest.mark.parametrize(
    ('alignment', 'reference'),
    [('freihand', freihand_scorer), ('similarity', umeyama), ('none', lambda p, _: p)],
)
def test_f_score_equals_the_double_loop_after_its_alignment(alignment, reference):
    samples = toy_samples(HAND, n=3)
    target, vertices = posed(HAND, samples), noisy_meshes(HAND, samples, noise_mm=5)
    vertices[1] *= [-1, 1, 1]  # a left hand: only FreiHAND's alignment forgives it
    expected = {5: [], 15: []}
    for p, t in zip(vertices, target, strict=True):
        aligned = reference(p, t).tolist()
        for threshold, scores in expected.items():
            scores.append(naive_f_score(aligned, t.tolist(), threshold))
    results = evaluate(predict(samples, vertices), f_metric(alignment=alignment))
    assert results['f_score/F@5mm'] == pytest.approx(np.mean(expected[5]), abs=1e-12)
    assert results['f_score/F@15mm'] == pytest.approx(np.mean(expected[15]), abs=1e-12)
    assert results['f_score/N'] == 3


def test_shifted_prediction_has_no_error_after_root_alignment():
    samples = toy_samples(BODY)
    vertices = posed(BODY, samples) + np.array([30, -40, 500])
    results = evaluate(
        predict(samples, vertices),
        joint_metric(),
        joint_metric(joint_set='h36m_17', prefix='h36m'),
        vertex_metric(),
    )
    errors = [value for name, value in results.items() if not name.endswith('/N')]
    np.testing.assert_allclose(
        errors, 0, atol=1e-3
    )  # the float32 regressor's rows sum to 1 +- 1e-7


def test_similar_prediction_has_no_error_after_similarity_alignment():
    samples = toy_samples(BODY)
    turn = Rotation.random(random_state=0).as_matrix()
    vertices = 0.7 * posed(BODY, samples) @ turn.T + [30, -40, 500]
    results = evaluate(predict(samples, vertices), joint_metric(), vertex_metric())
    assert results['joint/PA-MPJPE'] == pytest.approx(0, abs=1e-3)
    assert results['vertex/PA-MPVPE'] == pytest.approx(0, abs=1e-3)
    assert results['joint/MPJPE'] > 100


def test_one_wrong_joint_of_posenet_counts_one_part_of_the_mean():
    samples = toy_samples(HAND)
    joints = HAND.joint_regressor.numpy() @ posed(HAND, samples)
    joints[:, HAND.joint_set.index('Index4')] += [0, 0, 21]
    predict(samples, posed(HAND, samples), joints)
    results = evaluate(
        samples,
        joint_metric(HAND, 'hand_21'),
        joint_metric(HAND, 'hand_21', prediction='posenet'),
        joint_metric(HAND, 'hand_21', prediction='posenet', root='Index4', prefix='tip'),
    )
    assert results['joint/MPJPE'] == pytest.approx(0, abs=1e-9)
    assert results['posenet/MPJPE'] == pytest.approx(21 / 21, abs=1e-6)
    assert results['tip/MPJPE'] == pytest.approx(21 * 20 / 21, abs=1e-6)  # the root is off instead


def test_joints_that_are_not_evaluated_do_not_count():
    samples = toy_samples(BODY, joint_set=H36M_17)
    for sample in samples:
        wrong = sample.gt_instances.annotated_joints_cam_mm.copy()
        wrong[0, H36M_17.index('Nose')] += 1000
        wrong[0, H36M_17.index('L_Knee')] += [14, 0, 0]
        sample.gt_instances.annotated_joints_cam_mm = wrong
    predict(samples, posed(BODY, samples))
    metric = joint_metric(joint_set='h36m_17', truth='annotated')
    subset = {**metric, 'evaluation_joints': ['L_Knee', 'R_Knee'], 'prefix': 'knees'}
    results = evaluate(samples, metric, subset)
    assert results['joint/MPJPE'] == pytest.approx(1, abs=1e-6)  # 14 mm over 14 joints
    assert results['knees/MPJPE'] == pytest.approx(7, abs=1e-6)


def test_annotated_joints_are_found_by_name():
    samples = toy_samples(BODY, joint_set=H36M_17)
    predict(samples, noisy_meshes(BODY, samples))
    metric = joint_metric(joint_set='h36m_17', truth='annotated')
    expected = evaluate(samples, metric)
    order = np.random.default_rng(0).permutation(18)
    for sample in samples[::2]:  # a batch may mix data sets
        truth = sample.gt_instances
        joints = np.append(truth.annotated_joints_cam_mm[0], [[1e6, 1e6, 1e6]], axis=0)
        sample.gt_instances = InstanceData(
            annotated_joints_cam_mm=joints[None, order],
            annotated_joints_valid=(order != 17)[None],
        )
        names = [*H36M_17.joint_names, 'Tail']
        sample.set_metainfo({'annotated_joint_names': tuple(names[i] for i in order)})
    assert evaluate(samples, metric) == expected


def test_samples_without_a_valid_fit_are_left_out_and_counted():
    fit_valid = [True, False, True, False, False]
    samples = toy_samples(BODY, fit_valid=fit_valid)
    predict(samples, noisy_meshes(BODY, samples))
    metrics = joint_metric(), vertex_metric(), f_metric(BODY)
    results = evaluate(samples, *metrics, batch_size=2)
    assert results == pytest.approx(evaluate([samples[0], samples[2]], *metrics), rel=1e-12)
    assert [results[f'{prefix}/N'] for prefix in ('joint', 'vertex', 'f_score')] == [2, 2, 2]


def test_samples_with_an_invalid_evaluated_joint_are_left_out():
    samples = toy_samples(BODY, joint_set=H36M_17, fit_valid=[False] * 5)
    predict(samples, noisy_meshes(BODY, samples))
    for sample, name in zip(samples, ('L_Knee', 'Nose', 'Pelvis'), strict=False):
        sample.gt_instances.annotated_joints_valid[0, H36M_17.index(name)] = False
    metric = joint_metric(joint_set='h36m_17', truth='annotated')
    results = evaluate(samples, metric)
    # the nose is not evaluated, the root is needed
    assert results == pytest.approx(evaluate([samples[1], *samples[3:]], metric), rel=1e-12)
    assert results['joint/N'] == 3


def test_a_mirrored_sample_is_compared_with_the_mirrored_mesh():
    samples = toy_samples(BODY, n=1)
    mirrored = posed(BODY, samples)[:, toy_body_data('body').vertex_mirror] * [-1, 1, 1]
    labels = samples[0].gt_instance_labels
    labels.pose = labels.pose[:, list(SMPL_24.mirror_order)] * torch.tensor([1.0, -1, -1])
    labels.mirrored = torch.ones(1)
    results = evaluate(
        predict(samples, mirrored), f_metric(BODY, alignment='none'), vertex_metric()
    )
    assert results['f_score/F@5mm'] == 1
    assert results['vertex/MPVPE'] == pytest.approx(0, abs=2e-3)


def test_numpy_float32_tensor_and_float64_predictions_agree():
    samples = toy_samples(BODY)
    vertices = noisy_meshes(BODY, samples).astype(np.float32)
    metrics = joint_metric(), vertex_metric(), f_metric(BODY)
    expected = evaluate(predict(samples, vertices), *metrics)
    for convert in (torch.from_numpy, lambda array: array.astype(np.float64)):
        assert evaluate(predict(samples, convert(vertices)), *metrics) == expected


def test_the_order_and_size_of_batches_do_not_matter():
    samples = toy_samples(BODY, n=6)
    predict(samples, noisy_meshes(BODY, samples))
    metrics = joint_metric(), vertex_metric(), f_metric(BODY)
    expected = evaluate(samples, *metrics, batch_size=1)
    for batch_size in (4, 6):
        found = evaluate(samples[::-1], *metrics, batch_size=batch_size)
        assert found == pytest.approx(expected, rel=1e-12)
