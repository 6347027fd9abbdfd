"""The mesh of body-model parameters is measured as the network's mesh, beside it."""

import numpy as np
import pytest
from helpers_samples import noisy_meshes, posed, predict, toy_body, toy_samples
from mmengine.evaluator import Evaluator
from mmpose.registry import METRICS

import i2l_plugin.evaluation  # noqa: F401  (registers the metrics)
from i2l_plugin.body_models import H36M_17
from i2l_plugin.evaluation import FreiHANDScore, MeshJointError, MeshVertexError, freihand_files

BODY, HAND = toy_body(), toy_body('hand')
JOINTS = dict(type='MeshJointError', body_model=BODY, joint_set='h36m_17')
VERTICES = dict(type='MeshVertexError', body_model=BODY)


def evaluate(samples, *metrics):
    evaluator = Evaluator([METRICS.build(metric) for metric in metrics])
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def with_parameters(samples, mesh, parameters):
    predict(samples, mesh)
    for sample, vertices in zip(samples, parameters, strict=True):
        sample.pred_instances.param_vertices_cam = vertices[None]
    return samples


@pytest.mark.parametrize('truth', ['fitted', 'annotated'])
def test_both_meshes_of_one_run_have_their_own_errors(truth):
    samples = toy_samples(BODY, joint_set=H36M_17)
    one, other = noisy_meshes(BODY, samples, seed=1), noisy_meshes(BODY, samples, seed=2)
    joints = dict(JOINTS, truth=truth)
    both = evaluate(
        with_parameters(samples, one, other),
        *(joints, dict(joints, prediction='parameters')),
        *(VERTICES, dict(VERTICES, prediction='parameters')),
    )
    swapped = evaluate(with_parameters(samples, other, one), joints, VERTICES)
    assert len(both) == 12
    for name, value in swapped.items():  # numbers of the mesh are tested elsewhere
        assert both[f'param_{name}'] == value
        assert name.endswith('/N') or both[name] != value


def test_hands_are_scored_as_freihand_does(monkeypatch):
    monkeypatch.setitem(freihand_files.NUM_POINTS, 'verts', HAND.num_vertices)
    samples = toy_samples(HAND)
    score = dict(type='FreiHANDScore', body_model=HAND, protocol=None)
    meshes = [noisy_meshes(HAND, samples, seed=seed, noise_mm=4) for seed in (1, 2)]
    both = evaluate(with_parameters(samples, *meshes), score, dict(score, prediction='parameters'))
    alone = evaluate(predict(samples, meshes[1]), score)
    for name, value in alone.items():
        assert both[f'param_{name}'] == value
    assert both['freihand/mesh_al_mean3d'] != both['param_freihand/mesh_al_mean3d']


def test_the_log_line_and_the_prefix_tell_which_mesh_it_is():
    metrics = [
        MeshJointError(BODY, 'h36m_17', prediction='parameters'),
        MeshVertexError(BODY, prediction='parameters'),
        FreiHANDScore(HAND, prediction='parameters', prefix='mano'),
    ]
    assert [metric.prefix for metric in metrics] == ['param_joint', 'param_vertex', 'mano']
    assert all('regressed parameters' in metric.evaluated.describe() for metric in metrics)


@pytest.mark.parametrize('metric', [MeshVertexError, FreiHANDScore])
def test_another_prediction_is_refused(metric):
    with pytest.raises(ValueError, match=r"prediction must be one of \('mesh', 'parameters'\)"):
        metric(HAND, prediction='posenet')


def test_a_network_without_parameters_is_told():
    samples = toy_samples(BODY)
    predict(samples, posed(BODY, samples))
    with pytest.raises(ValueError, match=r'no pred_instances\.param_vertices_cam'):
        evaluate(samples, dict(VERTICES, prediction='parameters'))
    with_parameters(samples, posed(BODY, samples), np.zeros((5, 3, 3)))
    with pytest.raises(ValueError, match=r'param_vertices_cam must be \(1, 192, 3\)'):
        evaluate(samples, dict(VERTICES, prediction='parameters'))
