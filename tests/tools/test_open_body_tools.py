"""Parts of the open-body builder that need no Anny: decimation and the joint regressor fit."""

import numpy as np
import pytest
import trimesh

from i2l_plugin.body_models import SMPL_24
from tools.open_body.decimate import Decimator
from tools.open_body.joints import BODY_PARENTS, fit_joint_regressor, h36m_regressor, merge_weights


def bumpy_sheet(size=14):
    """A height field over a square grid: (size^2, 3) vertices, triangles."""
    x, y = np.meshgrid(np.arange(size), np.arange(size), indexing='ij')
    z = 0.6 * np.sin(x / 3) * np.cos(y / 4)
    vertices = np.stack([x, y, z], -1).reshape(-1, 3) * 0.01
    corner = (size * x[:-1, :-1] + y[:-1, :-1]).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + size, corner + size + 1], 1),
         np.stack([corner, corner + size + 1, corner + 1], 1)]
    )  # fmt: skip
    return vertices, faces


def test_decimation_keeps_a_subset_the_border_and_the_shape():
    vertices, faces = bumpy_sheet()
    sheet = Decimator(vertices, faces, np.ones(len(vertices)))
    sheet.collapse_to(30, border=True)
    sheet.collapse_to(60, border=False)
    kept, triangles = sheet.result()
    mesh = trimesh.Trimesh(vertices[kept], triangles, process=False)
    assert len(kept) == 90
    assert mesh.euler_number == 1  # still a disc
    assert mesh.is_winding_consistent
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    known = set(map(tuple, edges.tolist()))
    assert sum((b, a) not in known for a, b in known) == 30
    # The border is still that of the square and the surface has hardly moved.
    np.testing.assert_array_equal(mesh.bounds[:, :2], [[0, 0], [0.13, 0.13]])
    assert mesh.face_normals[:, 2].min() > 0.5
    inner = vertices[(vertices[:, :2] > 0).all(1) & (vertices[:, :2] < 0.13).all(1)]
    hits, rays, _ = mesh.ray.intersects_location(
        inner + np.array([0, 0, 1]), np.tile([0.0, 0, -1], (len(inner), 1)), multiple_hits=False
    )
    assert len(set(rays)) == len(inner)
    np.testing.assert_allclose(hits[:, 2], inner[rays, 2], atol=0.001)


def test_decimation_keeps_important_vertices_and_stops_with_an_error():
    vertices, faces = bumpy_sheet(8)
    importance = np.ones(len(vertices))
    importance[[27, 36]] = 1e6
    sheet = Decimator(vertices, faces, importance)
    sheet.collapse_to(4, border=False)
    assert {27, 36} <= set(sheet.result()[0].tolist())
    with pytest.raises(ValueError, match='decimation stopped at'):
        sheet.collapse_to(0, border=True)


def test_joint_regressor_finds_joints_that_are_averages_of_rings():
    # Limbs along the bones of a made-up skeleton, rings of vertices around each joint.
    rng = np.random.default_rng(0)
    joints = np.zeros((24, 3))
    for j, parent in enumerate(BODY_PARENTS[1:], 1):
        joints[j] = joints[parent] + rng.normal(0, 0.2, 3)
    ring = rng.normal(0, 0.05, (24, 80, 3))
    template = (joints[:, None] + ring - ring.mean(1, keepdims=True)).reshape(-1, 3)
    true_rows = np.kron(np.eye(24), np.full((1, 80), 1 / 80))
    shapedirs = rng.normal(0, 0.01, (24, 1, 3, 10)).repeat(80, 1).reshape(-1, 3, 10)
    joint_shapedirs = np.einsum('pv,vck->pck', true_rows, shapedirs)
    weights = np.kron(np.eye(24), np.ones((80, 1)))
    rows = fit_joint_regressor(
        template, shapedirs, weights, joints, joint_shapedirs, BODY_PARENTS, None, tuple(range(24))
    )
    assert rows.min() >= 0
    np.testing.assert_allclose(rows.sum(1), 1)
    np.testing.assert_allclose(rows @ template, joints, atol=2e-3)
    beta = rng.normal(size=10)
    np.testing.assert_allclose(
        rows @ (template + shapedirs @ beta), joints + joint_shapedirs @ beta, atol=5e-3
    )
    h36m = h36m_regressor(rows, 7, np.array([1, 2]), len(template))
    np.testing.assert_allclose(h36m.sum(1), 1)
    np.testing.assert_allclose(h36m[9] @ template, template[7])


def test_merged_weights_add_up_by_joint():
    bones = ['upperarm01.L', 'upperarm02.L', 'lowerarm01.L', 'spine05', 'eye.R']
    weights = np.array([[0.5, 0.25, 0.25, 0, 0], [0.0, 0, 0, 0.6, 0.4], [0.495, 0, 0.495, 0.01, 0]])
    merged = merge_weights('body', weights, bones)
    index = SMPL_24.index
    np.testing.assert_array_equal(merged[0, [index('L_Shoulder'), index('L_Elbow')]], [0.75, 0.25])
    np.testing.assert_allclose(merged[1, [index('Pelvis'), index('Head')]], [0.6, 0.4], atol=1e-3)
    np.testing.assert_array_equal(merged[2, [index('L_Shoulder'), index('L_Elbow')]], [0.5, 0.5])
    np.testing.assert_array_equal(merged.sum(1), 1)
