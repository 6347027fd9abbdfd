"""Scenes over their pictures: who hides whom, by closed forms and by a naive z-buffer."""

import numpy as np
import pytest
import trimesh
from helpers_people import (
    FACES,
    FOCAL,
    HEIGHT,
    PRINCPT,
    WIDTH,
    naive_nearest,
    nobody,
    people_sample,
    project,
    seen_person,
)
from mmpose.structures import PoseDataSample

from i2l_plugin.visualization import scene_overlay
from i2l_plugin.visualization.colors import person_colors
from i2l_plugin.visualization.scene_overlay import SceneView, draw_overlay
from i2l_plugin.visualization.scene_people import ScenePeople

BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
PLACES = [(0, 0, 3600), (250, 60, 2600), (-150, -40, 4600), (420, 0, 3100)]


def random_picture():
    return np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize('order', [[0, 1, 2, 3], [2, 3, 1, 0]])
def test_every_pixel_shows_the_nearest_person_of_a_naive_z_buffer(order):
    sample = people_sample([PLACES[i] for i in order])
    vertices = sample.pred_instances.vertices_cam
    nearest = naive_nearest(vertices, FACES)
    picture = draw_overlay(BLACK, sample, FACES, opacity=1.0, supersample=1)
    drawn = picture.any(axis=-1)
    # the faces' borders fall to one side or the other
    assert (drawn == (nearest >= 0)).mean() > 0.999
    both = drawn & (nearest >= 0)
    seen = seen_person(picture, person_colors(4))
    assert (seen[both] == nearest[both]).mean() > 0.998
    # people do hide each other here, and not in the order of their numbers
    alone = [naive_nearest(vertices[[i]], FACES) >= 0 for i in range(4)]
    hidden = [(a & (nearest >= 0) & (nearest != i)).sum() for i, a in enumerate(alone)]
    assert sorted(hidden)[1] > 30


def test_crossing_spheres_change_owner_where_their_depths_do():
    """Ray and sphere: t = (d.c - sqrt((d.c)^2 - d.d (c.c - r^2))) / d.d, the smaller t is seen."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=300.0)
    centers = np.array([[-60, 0, 3000.0], [150, 30, 3080.0], [20, -120, 3400.0]])
    sample = people_sample([(0, 0, 3000)] * 3)
    sample.pred_instances = type(sample.pred_instances)(
        vertices_cam=np.asarray(ball.vertices) + centers[:, None]
    )
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.concatenate([(np.stack([x, y], -1) - PRINCPT) / FOCAL, np.ones((*x.shape, 1))], -1)
    a, b = (rays**2).sum(-1)[..., None], rays @ centers.T
    root = b**2 - a * ((centers**2).sum(-1) - 300.0**2)
    depth = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
    ordered = np.sort(depth, axis=-1)
    # away from silhouettes and from where two surfaces meet
    sure = (np.abs(root) > 0.03 * a * 300.0**2).all(-1) & (ordered[..., 0] < np.inf)
    sure &= ordered[..., 1] > ordered[..., 0] + 4
    picture = draw_overlay(BLACK, sample, np.asarray(ball.faces), opacity=1.0)
    owner = depth.argmin(-1)
    assert np.bincount(owner[sure], minlength=3).min() > 60
    np.testing.assert_array_equal(seen_person(picture, person_colors(3))[sure], owner[sure])


def test_size_and_the_rest_of_the_picture_stay():
    image = random_picture()
    sample = people_sample(PLACES[:2])
    picture = draw_overlay(image, sample, FACES)
    outside = np.ones((HEIGHT, WIDTH), bool)
    for box in sample.pred_instances.bboxes:
        x0, y0, x1, y1 = np.clip(np.rint(np.add(box, (-1, -1, 2, 2))), 0, 999).astype(int)
        outside[y0:y1, x0:x1] = False
    np.testing.assert_array_equal(picture[outside], image[outside])
    assert (picture[~outside] != image[~outside]).any(-1).mean() > 0.1


def test_nobody_leaves_the_picture_as_it_is():
    image = random_picture()
    for arguments in ({}, {'uncertainty': True}, {'draw_bbox': True}):
        np.testing.assert_array_equal(draw_overlay(image, nobody(), FACES, **arguments), image)
        empty = people_sample([])
        np.testing.assert_array_equal(draw_overlay(image, empty, FACES, **arguments), image)


def test_people_behind_the_camera_are_not_seen_and_half_behind_do_no_harm():
    image = random_picture()
    hidden = people_sample([(0, 0, -3000), (9e5, 0, 3000)])
    np.testing.assert_array_equal(draw_overlay(image, hidden, FACES), image)
    both = draw_overlay(BLACK, people_sample([(0, 0, 2000), (0, 0, -3000)]), FACES)
    one = draw_overlay(BLACK, people_sample([(0, 0, 2000)]), FACES)
    np.testing.assert_array_equal(both, one)
    sample = people_sample([(0, 0, 20), (100, 0, 2500)])
    assert (sample.pred_instances.vertices_cam[0, :, 2] < 0).any()
    picture = draw_overlay(BLACK, sample, FACES, opacity=1.0, draw_bbox=True, uncertainty=True)
    assert picture.any(-1).mean() > 0.2


def test_boxes_and_tags_are_in_the_colours_of_the_track_ids():
    sample = people_sample([(-350, 0, 4500), (350, 0, 4500)], track_ids=np.array([9, 4]))
    del sample.pred_instances.root_depth_mm
    picture = draw_overlay(BLACK, sample, FACES, draw_bbox=True)
    plain = draw_overlay(BLACK, sample, FACES)
    left, right = sample.pred_instances.bboxes
    borders = (left[0], (left[1] + left[3]) / 2), (right[2], (right[1] + right[3]) / 2)
    for border, color in zip(borders, person_colors([9, 4]), strict=True):
        x, y = np.rint(border).astype(int)
        around = picture[y, x - 1 : x + 2].max(axis=0)  # a smooth line, between two pixels maybe
        np.testing.assert_allclose(around / around.max(), color / color.max(), atol=0.05)
        assert not plain[y, x].any()
    sample.pred_instances.track_ids = np.array([4, 9])
    exchanged = draw_overlay(BLACK, sample, FACES, draw_bbox=True)
    assert (exchanged != picture).any(-1).mean() > 0.02


def test_the_nearer_person_has_its_box_on_top_and_the_first_tag(monkeypatch):
    sample = people_sample([(0, 0, 5000), (0, 0, 3000)], track_ids=np.array([9, 4]))
    sample.pred_instances.bboxes = np.array([[20.0, 30, 80, 70], [20, 10, 110, 60]])
    asked = []
    monkeypatch.setattr(
        scene_overlay,
        'draw_tags',
        lambda picture, *rest: asked.append(rest) or picture,
    )
    for uncertainty in (False, True):
        picture = draw_overlay(BLACK, sample, FACES, draw_bbox=True, uncertainty=uncertainty)
        near = person_colors([4])[0]
        assert np.abs(picture[45, 20] / picture[45, 20].max() - near / near.max()).max() < 0.05
    anchors, texts, colors = asked[0]
    assert texts == ['4: 3.0 m', '9: 5.0 m']
    np.testing.assert_array_equal(anchors, [[20, 10], [20, 30]])
    np.testing.assert_array_equal(colors, person_colors([4, 9]))


def test_a_scaled_picture_keeps_its_camera_in_step():
    """Where OpenCV moves a spot, and where it leaves the picture's borders."""
    sample = people_sample(PLACES)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    spot = 250 * np.exp(-((x - 40.25) ** 2 + (y - 50.5) ** 2) / 50)
    image = np.rint(spot).astype(np.uint8)[..., None].repeat(3, -1)
    view = SceneView.of(image, sample, 3 * HEIGHT)
    weight = view.image[..., 0] / view.image[..., 0].sum(dtype=float)
    y, x = np.mgrid[: 3 * HEIGHT, : 3 * WIDTH]
    found = (weight * x).sum(), (weight * y).sum()
    np.testing.assert_allclose(view.to_view([40.25, 50.5]), found, atol=0.05)
    borders = np.array([[-0.5, -0.5], [WIDTH - 0.5, HEIGHT - 0.5]])
    expected = [[-0.5, -0.5], [3 * WIDTH - 0.5, 3 * HEIGHT - 0.5]]
    np.testing.assert_allclose(view.to_view(borders), expected)
    vertices = sample.pred_instances.vertices_cam.astype(float)
    np.testing.assert_allclose(view.camera.project(vertices), view.to_view(project(vertices)))


def test_half_opacity_is_half_way_to_the_mesh():
    image, sample = random_picture(), people_sample(PLACES[:2])
    half, full = (draw_overlay(image, sample, FACES, opacity=o).astype(float) for o in (0.5, 1.0))
    np.testing.assert_allclose(half, (image + full) / 2, atol=1.01)
    assert (full != image).any(-1).mean() > 0.05


def test_outliers_do_not_take_the_colours_of_the_others():
    sample = people_sample([(0, 0, 3000)])
    spread = sample.pred_instances.vertex_spread
    spread[:] = 0
    spread[0, :, 2] = np.random.default_rng(0).permutation(np.linspace(0, 100, spread.shape[1]))
    np.testing.assert_allclose(ScenePeople.of(sample).spread_range_mm(), (2, 98))


def test_uncertainty_has_one_scale_for_all_people_or_the_one_that_is_given():
    sample = people_sample([(-500, 0, 3000), (500, 0, 3000)])
    depth_mm = np.array([[20.0], [60.0]])  # certain and uncertain, in depth alone
    sample.pred_instances.vertex_spread[:] = 0
    sample.pred_instances.vertex_spread[..., 2] = depth_mm
    middles = np.rint(project(sample.pred_instances.vertices_cam.mean(1))).astype(int)

    def tints(**arguments):
        picture = draw_overlay(
            BLACK, sample, FACES, opacity=1.0, uncertainty=True, **arguments
        ).astype(float)
        return [picture[y, x] / picture[y, x].max() for x, y in middles]

    dark_blue, yellow, green = np.array([[68, 1, 84], [253, 231, 37], [33, 145, 140]]) / 255
    first, second = tints()
    np.testing.assert_allclose(first, dark_blue / dark_blue.max(), atol=0.05)
    np.testing.assert_allclose(second, yellow / yellow.max(), atol=0.05)
    first, second = tints(spread_range_mm=(20.0, 100.0))
    np.testing.assert_allclose(second, green / green.max(), atol=0.06)


def test_what_is_missing_is_named():
    sample = people_sample(PLACES[:1])
    bare = PoseDataSample(pred_instances=sample.pred_instances)
    with pytest.raises(ValueError, match="no 'focal_px' in its metainfo"):
        draw_overlay(BLACK, bare, FACES)
    with pytest.raises(ValueError, match='no pred_instances'):
        draw_overlay(BLACK, PoseDataSample(), FACES)
    del sample.pred_instances.vertex_spread
    with pytest.raises(ValueError, match="no 'vertex_spread'"):
        draw_overlay(BLACK, sample, FACES, uncertainty=True)
    del sample.pred_instances.vertices_cam
    with pytest.raises(ValueError, match="no 'vertices_cam'"):
        draw_overlay(BLACK, sample, FACES)
