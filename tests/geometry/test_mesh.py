"""Face edges and normals against hand-made triangles and numpy."""

import numpy as np
import torch

from i2l_plugin.geometry.mesh import face_corners, face_edges, face_normals, safe_norm

FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
TETRAHEDRON = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 5]]])


def trailing(planes):
    """(3, B, F) -> (B, F, 3)."""
    return planes.permute(1, 2, 0)


def test_edges_run_around_each_face():
    edges = [trailing(edge)[0].tolist() for edge in face_edges(TETRAHEDRON, FACES)]
    assert edges[0] == [[-2, 0, 0], [0, -3, 0]]
    assert edges[1] == [[2, -3, 0], [0, 3, -5]]
    assert edges[2] == [[0, 3, 0], [0, 0, 5]]


def test_corners_of_a_value_a_vertex():
    values = torch.tensor([[10.0, 11, 12, 13]])
    corners = [corner.tolist() for corner in face_corners(values, FACES)]
    assert corners == [[[10, 10]], [[11, 12]], [[12, 13]]]


def test_normals_follow_the_right_hand_rule():
    normals = trailing(face_normals(face_edges(TETRAHEDRON, FACES)))
    torch.testing.assert_close(normals, torch.tensor([[[0.0, 0, 1], [1, 0, 0]]]))


def test_normals_equal_numpys_cross_product():
    vertices = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1))
    v = vertices.numpy()
    cross = np.cross(v[:, [1, 2]] - v[:, [0, 0]], v[:, [2, 3]] - v[:, [0, 0]])
    expected = cross / np.linalg.norm(cross, axis=-1, keepdims=True)
    normals = trailing(face_normals(face_edges(vertices, FACES)))
    np.testing.assert_allclose(normals.numpy(), expected, atol=1e-5)


def test_the_length_of_zero_has_a_finite_gradient():
    zero = torch.zeros(3, 2, requires_grad=True)
    safe_norm(zero).sum().backward()
    assert torch.isfinite(zero.grad).all()
    assert safe_norm(torch.tensor([[3.0], [4], [12]])).item() == 13


def test_a_face_without_area_has_no_normal():
    normals = face_normals(face_edges(torch.zeros(1, 4, 3), FACES))
    assert normals.abs().max().item() == 0
