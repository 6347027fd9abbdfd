import cv2
import numpy as np
import pytest
import torch

from i2l_plugin.geometry.camera import (
    back_project,
    box_depth_k,
    default_intrinsics,
    mirror_points_img,
    mirror_princpt,
    project,
)


@pytest.fixture
def scene():
    """Two cameras with ten points each in front of them, float64."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 500, (2, 10, 2)), rng.uniform(1e3, 6e3, (2, 10, 1))], 2)
    focal = np.array([[1145.0, 1143.8], [1500.0, 900.0]])
    princpt = np.array([[512.5, 515.4], [320.0, 10.0]])
    return tuple(torch.from_numpy(array) for array in (points, focal, princpt))


def test_project_is_opencvs_projection_and_keeps_the_depth(scene):
    points, focal, princpt = scene
    projected = project(points, focal, princpt)
    for b in range(2):
        fx, fy, cx, cy = *focal[b], *princpt[b]
        intrinsics = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        truth, _ = cv2.projectPoints(points[b].numpy(), np.zeros(3), np.zeros(3), intrinsics, None)
        np.testing.assert_allclose(projected[b, :, :2], truth[:, 0], atol=1e-9)
    torch.testing.assert_close(projected[..., 2], points[..., 2])


def test_back_project_inverts_project(scene):
    points, focal, princpt = scene
    again = back_project(project(points, focal, princpt), focal, princpt)
    torch.testing.assert_close(again, points, atol=1e-9, rtol=0)


def test_back_project_agrees_with_the_inverse_intrinsics_matrix(scene):
    points_img, focal, princpt = (tensor[0] for tensor in scene)
    intrinsics = torch.eye(3, dtype=torch.float64)
    intrinsics[0, 0], intrinsics[1, 1], intrinsics[:2, 2] = focal[0], focal[1], princpt
    rays = torch.cat([points_img[:, :2], torch.ones(10, 1)], dim=1) @ intrinsics.inverse().T
    torch.testing.assert_close(
        back_project(points_img, focal, princpt), rays * points_img[:, 2:], atol=1e-9, rtol=0
    )


def test_mirrored_points_through_the_mirrored_camera_land_on_mirrored_pixels(scene):
    points, focal, princpt = scene
    widths = torch.tensor([1000.0, 641.0], dtype=torch.float64)
    mirrored_points = points * torch.tensor([-1.0, 1.0, 1.0])
    landed = project(mirrored_points, focal, mirror_princpt(princpt, widths))
    torch.testing.assert_close(landed, mirror_points_img(project(points, focal, princpt), widths))


def test_mirroring_follows_the_pixels_of_a_flipped_image():
    image = np.arange(7)
    for x in range(7):
        point = mirror_points_img(torch.tensor([[float(x), 3.0]]), 7)
        assert image[::-1][int(point[0, 0])] == image[x]
        assert point[0, 1] == 3


def test_default_intrinsics_are_moon_et_als():
    focal, princpt = default_intrinsics(640, 427)
    assert focal.tolist() == [1500, 1500]
    assert princpt.tolist() == [320, 213.5]


def test_a_square_of_the_real_size_at_depth_k_fills_the_box():
    focal, box = torch.tensor([[1100.0, 1100.0]]), torch.tensor([[275.0, 275.0]])
    depth = box_depth_k(focal, box, (2000, 2000))
    assert depth.tolist() == [8000.0]
    corners = torch.tensor([[[-1000.0, -1000.0, 8000.0], [1000.0, 1000.0, 8000.0]]])
    span = project(corners, focal, torch.zeros(1, 2)).diff(dim=1)[0, 0, :2]
    torch.testing.assert_close(span, box[0])


def test_box_depth_k_of_unequal_sides_and_focals():
    depth = box_depth_k(torch.tensor([400.0, 900.0]), torch.tensor([50.0, 200.0]), (300, 300))
    assert depth.item() == pytest.approx((400 * 900 * 300 * 300 / (50 * 200)) ** 0.5)
