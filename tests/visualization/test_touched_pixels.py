"""Which pixels get rays: never one too few, and few too many."""

import cv2
import numpy as np
import pytest
import trimesh

from i2l_plugin.visualization.ray_scene import Camera, RayScene
from i2l_plugin.visualization.touched_pixels import TILE_PX, touched_pixels

CAMERA = Camera((150.0, 160.0), (50.2, 30.7), (101, 67))  # no whole number of tiles


def touched(meshes, camera=CAMERA):
    width, height = camera.image_size_px
    mask = np.zeros((height, width), bool)
    y, x = touched_pixels(meshes, camera)
    mask[y, x] = True
    assert mask.sum() == len(y)
    assert (np.diff(y * width + x) > 0).all()
    return mask


def shown(meshes, fine=4):
    """Pixels in which any of fine x fine rays meets a mesh."""
    offset = (np.arange(fine) + 0.5) / fine - 0.5
    x = (np.arange(101)[:, None] + offset).ravel()
    y = (np.arange(67)[:, None] + offset).ravel()
    pixels = np.stack(np.meshgrid(x, y), -1)
    hits = RayScene(meshes).cast(CAMERA.directions(pixels.reshape(-1, 2)))
    return (hits.mesh_id >= 0).reshape(67, fine, 101, fine).any(axis=(1, 3))


@pytest.mark.parametrize('seed', range(4))
def test_every_pixel_that_shows_a_mesh_is_touched_and_few_others(seed):
    rng = np.random.default_rng(seed)
    meshes = []
    for place in rng.uniform((-900, -500, 1500), (900, 500, 3000), (4, 3)):
        ball = trimesh.creation.icosphere(subdivisions=3, radius=rng.uniform(20, 200))
        meshes.append((np.asarray(ball.vertices) + place, np.asarray(ball.faces)))
    mask, seen = touched(meshes), shown(meshes)
    assert seen.any()
    assert not (seen & ~mask).any()
    reach = np.ones((2 * TILE_PX + 1, 2 * TILE_PX + 1), np.uint8)
    assert not (mask & ~cv2.dilate(seen.astype(np.uint8), reach).astype(bool)).any()


def test_a_large_triangle_touches_all_tiles_of_its_box_and_far_corners_do_no_harm():
    corners = np.array([[-1e9, 0, 1000.0], [1e9, 0, 1000.0], [0, 1e9, 1000.0]])
    mask = touched([(corners, np.array([[0, 1, 2]]))])
    assert mask[32:].all()
    assert not mask[:24].any()


def test_what_is_behind_the_camera_touches_nothing_and_what_reaches_there_all():
    corners = np.array([[0, 0, 1000.0], [50, 0, 1000], [0, 50, 1000]])
    one = np.array([[0, 1, 2]])
    assert touched([(corners, one)]).mean() < 0.1
    assert not touched([(corners * (1, 1, -1), one)]).any()
    assert touched([(corners - (0, 0, 1000), one)]).sum() == 0  # on the camera's plane
    for depth_signs in ((-1, 1, 1), (-1, -1, 1)):
        turned = corners * np.stack([np.ones(3), np.ones(3), depth_signs], axis=1)
        assert touched([(turned, one)]).all()
    # a vertex behind the camera that no face uses does not matter
    loose = np.concatenate([corners, [[0, 0, -5.0]]])
    np.testing.assert_array_equal(touched([(loose, one)]), touched([(corners, one)]))


def test_nothing_touches_nothing():
    assert not touched([]).any()
    assert not touched([(np.zeros((0, 3)), np.zeros((0, 3), int))]).any()
