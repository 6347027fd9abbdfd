"""Truth by gender: which model poses it, by which regressor, and what is missing."""

import numpy as np
import pytest
from helpers_alignment import mean_distance, naive_f_score
from helpers_genders import (
    FEMALE,
    GENDERED,
    MALE,
    NEUTRAL,
    evaluate,
    gender_body,
    samples_of,
    true_meshes,
)
from helpers_samples import predict, toy_body
from helpers_toy_body import toy_body_data
from mmpose.registry import METRICS

from i2l_plugin.body_models import SMPL_24, BodyModel, gendered
from i2l_plugin.evaluation import FScore, MeshJointError, MeshVertexError


def naive_joint_error(samples, truth, predicted_rows, true_rows_of, joints, root):
    """MPJPE of one sample and one joint at a time."""
    errors = []
    for sample, mesh in zip(samples, truth, strict=True):
        prediction = predicted_rows @ sample.pred_instances.vertices_cam[0]
        target = true_rows_of(sample) @ mesh
        errors.append(
            mean_distance(prediction[joints] - prediction[root], target[joints] - target[root])
        )
    return np.mean(errors)


def test_3dpw_compares_with_the_mesh_of_the_gender_by_the_human36m_regressor():
    samples = samples_of('3dpw/paper')
    rows = NEUTRAL.regressor('h36m_17').numpy()
    joints = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]
    expected = naive_joint_error(samples, true_meshes(samples), rows, lambda _: rows, joints, 0)
    options = dict(protocol='3dpw/paper', truth_body_models=GENDERED)
    metrics = MeshJointError(NEUTRAL, **options), MeshVertexError(NEUTRAL, **options)
    results = evaluate(samples, *metrics)
    assert results['joint/MPJPE'] == pytest.approx(expected, abs=1e-6)
    assert results['joint/N'] == 5
    neutral = evaluate(samples, MeshJointError(NEUTRAL, 'h36m_17'))
    assert abs(results['joint/MPJPE'] - neutral['joint/MPJPE']) > 1  # so it matters

    vertex_errors = []
    for sample, mesh in zip(samples, true_meshes(samples), strict=True):
        prediction = sample.pred_instances.vertices_cam[0]
        vertex_errors.append(
            mean_distance(prediction - rows[0] @ prediction, mesh - rows[0] @ mesh)
        )
    assert results['vertex/MPVPE'] == pytest.approx(np.mean(vertex_errors), abs=1e-6)


def test_smpl_joints_are_regressed_by_the_file_of_each_gender():
    regressor = NEUTRAL.j_regressor.numpy().copy()
    regressor[SMPL_24.index('L_Knee')] = regressor[SMPL_24.index('L_Ankle')]
    models = dict(GENDERED, f=gender_body(2, j_regressor=regressor))
    samples = samples_of('3dpw/paper')  # selects what '3dpw/smpl-joints' does
    expected = naive_joint_error(
        samples,
        true_meshes(samples, models),
        NEUTRAL.joint_regressor.numpy(),
        lambda sample: models[sample.gender].joint_regressor.numpy(),
        range(24),
        0,
    )
    metric = MeshJointError(NEUTRAL, protocol='3dpw/smpl-joints', truth_body_models=models)
    assert evaluate(samples, metric)['joint/MPJPE'] == pytest.approx(expected, abs=1e-6)


def test_f_score_takes_the_mesh_of_the_gender():
    samples = samples_of('surreal/493')
    metric = FScore(
        NEUTRAL,
        alignment='none',
        thresholds_mm=[60],
        protocol='surreal/493',
        truth_body_models=GENDERED,
    )
    expected = [
        naive_f_score(sample.pred_instances.vertices_cam[0].tolist(), mesh.tolist(), 60)
        for sample, mesh in zip(samples, true_meshes(samples), strict=True)
    ]
    assert evaluate(samples, metric)['f_score/F@60mm'] == pytest.approx(np.mean(expected))


def test_posenet_of_a_protocol_is_compared_with_the_body_models_joints():
    samples = samples_of('3dpw/paper')
    joints = np.stack([sample.pred_instances.vertices_cam[0] for sample in samples])
    joints = NEUTRAL.joint_regressor.numpy() @ joints
    predict(samples, np.zeros((5, 192, 3)), joints)
    targets = [
        GENDERED[sample.gender].joint_regressor.numpy() @ mesh
        for sample, mesh in zip(samples, true_meshes(samples), strict=True)
    ]
    expected = [mean_distance(p - p[0], t - t[0]) for p, t in zip(joints, targets, strict=True)]
    options = dict(prediction='posenet', protocol='3dpw/paper', truth_body_models=GENDERED)
    results = evaluate(samples, MeshJointError(NEUTRAL, **options))
    assert results['posenet/MPJPE'] == pytest.approx(np.mean(expected), abs=1e-6)
    with pytest.raises(ValueError, match=r"3dpw/paper of PoseNet' has truth='fitted'.*'annotated'"):
        MeshJointError(NEUTRAL, truth='annotated', **options)


@pytest.mark.parametrize(
    ('truth_body_models', 'genders', 'message'),
    [
        (GENDERED, 'mn', r"101 has gender 'n', .* of \('m', 'f'\), has no model: add n=dict"),
        (GENDERED, ['m', None], r'101 has no gender, .* convert the data set again'),
        ({}, 'mf', 'truth_body_models: got no models'),
        (dict(x=MALE), 'm', r"got gender 'x', expected some of \('n', 'm', 'f'\)"),
        (dict(m=toy_body('hand')), 'm', r"\['m'\] is a hand of 192 vertices, expected .*: a body"),
        (dict(m=gender_body(1, regressors={})), 'm', r"\['m'\]: .* no joint regressor 'h36m_17'"),
        (
            dict(m=gender_body(1, regressors={'h36m_17': np.ones((17, 192))})),
            'm',
            r"\['m'\] has another regressor 'h36m_17' than body_model",
        ),
        (
            dict(m=BodyModel(toy_body_data(), SMPL_24)),
            'm',
            r"\['m'\] has joint_set 'smpl_24', expected 'body_29'",
        ),
    ],
)
def test_a_gender_without_its_model_is_named(truth_body_models, genders, message):
    with pytest.raises(ValueError, match=message):
        evaluate(
            samples_of('3dpw/paper', genders),
            MeshJointError(NEUTRAL, protocol='3dpw/paper', truth_body_models=truth_body_models),
        )


def test_genders_that_are_posed_by_one_model_are_warned_of_once(warnings):
    samples = samples_of(None)
    evaluate(samples, MeshVertexError(NEUTRAL), batch_size=2)
    assert len(warnings) == 1
    assert "gender ['f', 'm'], but one body_model poses" in warnings[0]
    evaluate(samples_of(None, genders='nn'), MeshVertexError(NEUTRAL))
    assert len(warnings) == 1


def test_models_by_gender_are_built_once_from_what_differs(monkeypatch):
    built = []

    def build(path, **options):
        built.append({'path': path, **options})
        return {'N': NEUTRAL, 'M': MALE, 'F': FEMALE}[path]

    monkeypatch.setattr(gendered, 'build_body_model', build)
    config = dict(
        body_model=dict(kind='body', path='N', regressor_files={'h36m_17': 'J.npy'}),
        truth_body_models=dict(m=dict(path='M'), f=dict(path='F', kind='body')),
        protocol='surreal/507',
    )
    metrics = [
        METRICS.build({'type': name, **config})
        for name in ('MeshJointError', 'MeshVertexError', 'FScore')
    ]
    files = {'h36m_17': 'J.npy'}
    assert sorted(options.pop('path') for options in built) == ['F', 'M', 'N']
    assert built == [dict(kind='body', regressor_files=files)] * 3
    samples = samples_of('surreal/507')
    posed = []
    pose_cam_mm = BodyModel.pose_cam_mm
    monkeypatch.setattr(
        BodyModel, 'pose_cam_mm', lambda *args: posed.append(len(args[1])) or pose_cam_mm(*args)
    )
    results = evaluate(samples, *metrics)
    assert sorted(posed) == [1, 1, 1, 2]  # two batches, two genders, once for all metrics
    alone = MeshVertexError(NEUTRAL, protocol='surreal/507', truth_body_models=GENDERED)
    assert evaluate(samples, alone)['vertex/MPVPE'] == results['vertex/MPVPE']
