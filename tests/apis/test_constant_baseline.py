"""The mean mesh and its score against sums over people posed one by one."""

import numpy as np
import pytest
import torch
from helpers_runs import BODY_CONFIG, make_project, tiny_config

from i2l_plugin.apis.constant_baseline import evaluate_constant, mean_mesh_mm
from i2l_plugin.body_models import build_body_model
from i2l_plugin.datasets import AnnotationRecord, MeshDataset


def relative_meshes(record, body):
    """(N, V, 3) mm relative to the root joint, one person at a time."""
    meshes = []
    for i in range(len(record)):
        out = body(
            torch.from_numpy(np.array(record['pose'][i : i + 1])),
            torch.from_numpy(np.array(record['betas'][i : i + 1])),
        )
        root = out.joints_m[0, body.joint_set.root]
        meshes.append((out.vertices_m[0] - root).numpy() * 1000)
    return np.stack(meshes)


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp('constant'))


def test_the_mean_mesh_is_the_mean_of_the_valid_fits(project):
    body = build_body_model('body', project / 'model.npz')
    path = project / 'data/train/record.npz'
    record = AnnotationRecord.load(path)
    expected = relative_meshes(record, body).mean(0)
    np.testing.assert_allclose(mean_mesh_mm(MeshDataset(str(path)), body), expected, atol=0.01)


def test_its_vertex_error_is_the_mean_distance_to_the_mean_mesh(project):
    config = tiny_config(BODY_CONFIG, project)
    body = build_body_model('body', project / 'model.npz')
    train, test = (
        relative_meshes(AnnotationRecord.load(project / f'data/{split}/record.npz'), body)
        for split in ('train', 'test')
    )
    metrics = evaluate_constant(config)
    expected = np.linalg.norm(test - train.mean(0), axis=-1).mean()
    assert metrics['vertex/MPVPE'] == pytest.approx(expected, rel=1e-5)
    assert metrics['vertex/N'] == len(test)
    assert metrics['posenet/MPJPE'] == pytest.approx(metrics['joint/MPJPE'], rel=1e-5)


def test_without_a_valid_fit_there_is_no_mean(project, tmp_path):
    columns = AnnotationRecord.load(project / 'data/train/record.npz')
    names = [name for name in columns.columns if name not in ('joint_names', 'fit_valid')]
    record = AnnotationRecord.create(
        'body',
        columns.joint_names,
        fit_valid=np.zeros(len(columns), bool),
        **{name: np.array(columns[name]) for name in names},
    )
    record.save(tmp_path / 'none.npz')
    body = build_body_model('body', project / 'model.npz')
    with pytest.raises(ValueError, match=r'none\.npz'):
        mean_mesh_mm(MeshDataset(str(tmp_path / 'none.npz')), body)
