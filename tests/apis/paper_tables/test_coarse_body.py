"""The coarse body: where it lies, how it moves, and in which configs it takes the other's place."""

import numpy as np
import pytest
import torch
import trimesh
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data

from i2l_plugin.apis.paper_tables.coarse_body import (
    COARSE_VERTICES,
    coarsen_bodies,
    coarsened,
    edge_graph,
    spread_vertices,
    write_coarse,
)
from i2l_plugin.body_models import build_body_model, load_body_model


@pytest.fixture(scope='module')
def open_body():
    return load_body_model('body', 'open')


@pytest.fixture(scope='module')
def coarse(open_body):
    return coarsened(open_body)


def test_it_has_an_eighth_of_the_vertices_where_they_were(open_body, coarse):
    assert coarse.num_vertices == COARSE_VERTICES == round(open_body.num_vertices / 8)
    distance = np.linalg.norm(open_body.v_template[None] - coarse.v_template[:, None], axis=-1)
    assert distance.min(1).max() == 0
    assert distance.min(0).max() < 0.08  # m: no part of the body is left out


def test_its_surface_is_the_bodys(open_body, coarse):
    mine = trimesh.Trimesh(coarse.v_template, coarse.faces, process=False)
    true = trimesh.Trimesh(open_body.v_template, open_body.faces, process=False)
    assert mine.is_winding_consistent
    assert mine.volume == pytest.approx(true.volume, rel=0.12)  # positive: it faces outwards
    assert mine.area == pytest.approx(true.area, rel=0.05)
    assert len(np.unique(coarse.faces)) == coarse.num_vertices


def test_joints_move_by_some_mm_only(open_body, coarse):
    rest, moved = (b.j_regressor @ b.v_template for b in (open_body, coarse))
    assert np.linalg.norm(rest - moved, axis=1).max() < 0.01
    np.testing.assert_allclose(coarse.j_regressor.sum(1), open_body.j_regressor.sum(1), atol=1e-5)
    for name, vertex in open_body.vertex_ids.items():
        kept = coarse.v_template[coarse.vertex_ids[name]]
        np.testing.assert_array_equal(kept, open_body.v_template[vertex])


def test_it_poses_like_the_body(tmp_path):
    options = write_coarse({'kind': 'body', 'path': 'open'}, tmp_path)
    fine, coarse = build_body_model(), build_body_model(**options)
    pose = 0.3 * torch.randn(2, 24, 3, generator=torch.Generator().manual_seed(0))
    truth, posed = fine(pose), coarse(pose)
    distance = torch.cdist(posed.vertices_m, truth.vertices_m).amin(-1)
    assert distance.max() < 0.02  # the joints, a cm apart, add up along limbs
    assert (truth.joints_m - posed.joints_m).norm(dim=-1).max() < 0.03


def test_genders_of_one_topology_keep_the_same_vertices():
    grid = trimesh.creation.icosphere(subdivisions=3)
    graph = edge_graph(grid.faces, len(grid.vertices))
    np.testing.assert_array_equal(spread_vertices(graph, 60, [5]), spread_vertices(graph, 60, [5]))
    kept = spread_vertices(graph, 60, [5])
    assert 5 in kept
    assert len(set(kept.tolist())) == 60
    gaps = np.linalg.norm(grid.vertices[:, None] - grid.vertices[kept], axis=-1)
    np.fill_diagonal(gaps[kept], np.inf)
    assert gaps.min(1).max() < 0.45  # evenly: 60 caps of the unit sphere are 0.26 in radius


def test_edges_of_a_graph_are_those_of_the_faces():
    graph = edge_graph(np.array([[0, 1, 2], [2, 1, 3]]), 5).toarray()
    expected = np.zeros((5, 5))
    for a, b in ((0, 1), (1, 2), (0, 2), (1, 3), (2, 3)):
        expected[a, b] = expected[b, a] = 1
    np.testing.assert_array_equal(graph, expected)


def test_a_small_model_stays_as_it_is(tmp_path):
    data = toy_body_data()
    assert coarsened(data) is data
    path = str(save_toy_model(tmp_path / 'toy.npz'))
    options = {'kind': 'body', 'path': path}
    assert write_coarse(options, tmp_path / 'bodies') == options
    assert not (tmp_path / 'bodies').exists()


def test_every_body_model_of_a_config_is_replaced(tmp_path):
    body = dict(kind='body', path='open')
    config = {
        'model': {'type': 'X', 'body_model': body, 'truth_body_models': {'m': {'path': 'open'}}},
        'test_evaluator': [{'type': 'Y', 'body_model': dict(body, joint_set='body_29')}],
        'other': 3,
    }
    coarsen_bodies(config, tmp_path)
    (file,) = tmp_path.glob('body_*.npz')
    coarse = {'kind': 'body', 'path': str(file)}
    assert config['model']['body_model'] == coarse
    assert config['model']['truth_body_models'] == {'m': coarse}
    assert config['test_evaluator'][0]['body_model'] == {**coarse, 'joint_set': 'body_29'}
