"""Face edges and normals against hand-made triangles and numpy."""

import numpy as np
import torch

from i2l_plugin.geometry.mesh import face_edges, face_normals, safe_norm, unit

FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def test_face_edges_list_the_sides_of_each_face_in_order():
    assert face_edges(FACES).tolist() == [
        [[0, 1], [1, 2], [2, 0]],
        [[0, 2], [2, 3], [3, 0]],
    ]


def test_normals_follow_the_right_hand_rule():
    vertices = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 5]]])
    torch.testing.assert_close(
        face_normals(vertices, FACES), torch.tensor([[[0.0, 0, 1], [1, 0, 0]]])
    )


def test_normals_equal_numpys_cross_product():
    vertices = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1))
    v = vertices.numpy()
    cross = np.cross(v[:, [1, 2]] - v[:, [0, 0]], v[:, [2, 3]] - v[:, [0, 0]])
    expected = cross / np.linalg.norm(cross, axis=-1, keepdims=True)
    np.testing.assert_allclose(face_normals(vertices, FACES).numpy(), expected, atol=1e-5)


def test_zero_vectors_have_no_direction_and_finite_gradients():
    zero = torch.zeros(2, 3, requires_grad=True)
    (safe_norm(zero).sum() + unit(zero).sum()).backward()
    assert unit(zero).abs().max().item() == 0
    assert torch.isfinite(zero.grad).all()


def test_a_face_without_area_has_no_normal():
    vertices = torch.zeros(1, 4, 3)
    assert face_normals(vertices, FACES).abs().max().item() == 0
