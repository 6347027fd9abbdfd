"""A scene's page in Chromium: what it draws, against the Embree renderer."""

import cv2
import numpy as np
import pytest
import torch
from helpers_browser import click, drag, needs_browser, put, see
from helpers_scene_html import toy_scene, toy_spread

from i2l_plugin.body_models import build_body_model
from i2l_plugin.visualization import Mesh, overlay
from i2l_plugin.visualization.colors import person_colors
from i2l_plugin.visualization.ray_scene import Camera, RayScene
from i2l_plugin.visualization.renderer import render

pytestmark = needs_browser
RAD_PER_PX = 0.008
BLACK = np.zeros((2, 3))  # people of whom the outline matters


def canvas_camera(canvas, scene):
    """The picture's camera, in pixels of a canvas that shows the whole picture in its middle."""
    size = np.array(scene['image_rgb'].shape[1::-1])
    shown = np.array(canvas.shape[1::-1])
    scale = (shown / size).min()
    corner = (shown - scale * size) / 2
    princpt = scale * (np.asarray(scene['princpt_px']) + 0.5) + corner - 0.5
    return Camera(np.asarray(scene['focal_px']) * scale, princpt, shown)


def embree_coverage(canvas, scene, vertices):
    """(H, W) share of each pixel that people cover, seen by Embree, on such a canvas."""
    ray_scene = RayScene([(person, scene['faces']) for person in vertices])
    camera = canvas_camera(canvas, scene)
    return render(ray_scene, camera, lambda hits: hits.points_mm)[1]


def drawn_coverage(canvas):
    """(H, W) share of each pixel that black people cover on the white stage."""
    return 1 - canvas.mean(-1) / 255


def overlap(a, b):
    """Intersection over union of two coverages."""
    return np.minimum(a, b).sum() / np.maximum(a, b).sum()


def open_bodies():
    """Two open bodies with bent arms before a camera whose principal point is off centre."""
    model = build_body_model(kind='body', path='open')
    pose = torch.zeros(2, 24, 3)
    pose[:, 0, 0] = np.pi
    pose[0, 16:18, 2] = torch.tensor([-0.9, 0.6])
    pose[1, 18, 1] = -1.2
    places = torch.tensor([[-0.5, 0.2, 3.2], [0.45, 0.1, 4.0]])
    vertices = model(pose, None, places).vertices_m.numpy() * 1000
    y, x = np.mgrid[:300, :400]
    picture = np.stack([x / 2 + 30, 200 - y / 2, (x + y) / 4 + 40], axis=-1).astype(np.uint8)
    return dict(
        image_rgb=picture,
        vertices_cam=vertices,
        faces=model.faces.numpy(),
        focal_px=np.array([330.0, 300.0]),
        princpt_px=np.array([230.0, 120.0]),
    )


def test_the_start_is_the_pictures_own_camera(visit):
    scene = open_bodies()
    driver = visit((1000, 700), **scene, colors=BLACK)
    click(driver, '#show-picture')
    outline = see(driver, '#canvas')
    expected = embree_coverage(outline, scene, scene['vertices_cam'])
    assert overlap(drawn_coverage(outline), expected) > 0.99

    driver = visit((1000, 700), **scene)
    both = see(driver, '#canvas')
    click(driver, '#show-picture')
    people = see(driver, '#canvas')
    shades = overlay(
        np.full_like(people, 255),
        [
            Mesh(person, scene['faces'], tuple(color))
            for person, color in zip(scene['vertices_cam'], person_colors(2), strict=True)
        ],
        canvas_camera(people, scene).focal_px,
        canvas_camera(people, scene).princpt_px,
    )
    inside = cv2.erode(expected, np.ones((3, 3))) == 1
    differences = np.abs(people.astype(int) - shades)[inside]
    assert np.median(differences) <= 1
    assert differences.mean() < 2
    # the picture fills its place, and the people are where they are in it
    height, width = scene['image_rgb'].shape[:2]
    scale = min(people.shape[0] / height, people.shape[1] / width)
    size = np.array([width, height]) * scale
    left, top = np.rint((np.array(people.shape[1::-1]) - size) / 2).astype(int)
    wide, high = np.rint(size).astype(int)
    place = np.s_[top + 2 : top + high - 2, left + 2 : left + wide - 2]
    picture = cv2.resize(scene['image_rgb'], (wide, high))[2:-2, 2:-2]
    around = cv2.dilate(expected, np.ones((5, 5)))[place] == 0
    assert np.abs(both[place].astype(int) - picture)[around].mean() < 2
    assert (both[place][~around] == people[place][~around]).mean() > 0.7


def test_dragging_turns_the_people_about_their_middle(visit):
    """A camera that turns about a point sees the same as a still one, were they turned back."""
    scene = toy_scene()
    driver = visit(**scene, colors=BLACK)
    click(driver, '#show-picture')
    vertices = scene['vertices_cam'].astype(float)
    points = vertices.reshape(-1, 3)
    middle = (points.min(0) + points.max(0)) / 2

    def turned(right_px, down_px):
        a, e = np.array([right_px, down_px]) * RAD_PER_PX
        # what is near goes right with the mouse, then down with it
        yaw = [[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]
        pitch = [[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]]
        return (vertices - middle) @ np.transpose(np.array(pitch) @ yaw) + middle

    drag(driver, '#canvas', 60, 0)
    canvas = see(driver, '#canvas')
    seen = drawn_coverage(canvas)
    assert overlap(seen, embree_coverage(canvas, scene, turned(60, 0))) > 0.97
    assert overlap(seen, embree_coverage(canvas, scene, vertices)) < 0.6  # this one could fail
    drag(driver, '#canvas', 0, 40)
    canvas = see(driver, '#canvas')
    assert overlap(drawn_coverage(canvas), embree_coverage(canvas, scene, turned(60, 40))) > 0.97


def test_from_the_side_and_from_above(visit):
    """Seen whole and in the middle; from the side near people are right, from above below."""
    driver = visit(**toy_scene(), colors=[[1, 0, 0], [0, 0, 1]])  # the blue one is nearer
    click(driver, '#show-picture')
    for button, axis in (('#side', 1), ('#top', 0)):
        click(driver, button)
        canvas = see(driver, '#canvas')
        far, near = (np.argwhere(canvas[..., channel] < 128) for channel in (2, 0))
        assert near[:, axis].mean() > far[:, axis].mean() + 50
        places = np.concatenate([far, near])
        size = np.array(canvas.shape[:2])
        free = np.stack([places.min(0), size - 1 - places.max(0)]) / size
        np.testing.assert_allclose(free[0], free[1], atol=0.03)
        assert free.min() == pytest.approx(0.08, abs=0.01)


def test_opacity_mixes_with_the_picture_behind(visit):
    driver = visit(**toy_scene())
    solid = see(driver, '#canvas').astype(int)
    click(driver, '#none')
    picture = see(driver, '#canvas').astype(int)
    click(driver, '#all')
    put(driver, '#opacity', 0.5)
    half = see(driver, '#canvas').astype(int)
    differences = np.abs(half - (solid + picture) / 2).max(-1)
    assert (differences <= 2).mean() > 0.995  # but for smoothed edges
    assert np.abs(half - picture).max() > 30


def test_wireframe_shows_only_what_is_in_front(visit):
    driver = visit((1000, 700), **open_bodies(), colors=BLACK)
    click(driver, '#show-picture')
    for _ in range(14):
        driver.find_element('id', 'canvas').send_keys('+')
    solid = drawn_coverage(see(driver, '#canvas'))
    click(driver, '#wireframe')
    lines = drawn_coverage(see(driver, '#canvas'))
    assert not lines[cv2.dilate(solid, np.ones((5, 5))) == 0].any()
    assert 0.1 < lines.sum() / solid.sum() < 0.7


def test_uncertainty_colours(visit):
    scene = toy_scene()
    spread = toy_spread(scene['vertices_cam'])
    driver = visit(**scene, vertex_spread_mm=spread)
    click(driver, '#show-picture')
    assert not driver.find_element('id', 'bar').is_displayed()
    click(driver, 'input[value=spread]')
    assert driver.find_element('id', 'bar').is_displayed()
    canvas = see(driver, '#canvas').astype(int)
    rows, columns = np.nonzero(canvas.min(-1) < 128)
    colors = canvas[rows, columns]
    head, feet = colors[rows < np.percentile(rows, 5)], colors[rows > np.percentile(rows, 95)]
    assert (head[:, 2] > head[:, 1]).mean() > 0.95  # certain: blue
    assert (feet[:, 1] > feet[:, 2]).mean() > 0.95  # uncertain: green to yellow
    click(driver, 'input[value=person]')
    assert not driver.find_element('id', 'bar').is_displayed()


def test_people_and_picture_go_and_come(visit):
    scene = toy_scene()
    driver = visit(**scene, colors=BLACK)
    boxes = driver.find_elements('css selector', '#people input')
    start = see(driver, '#canvas')
    click(driver, '#show-picture')
    boxes[0].click()
    canvas = see(driver, '#canvas')
    expected = embree_coverage(canvas, scene, scene['vertices_cam'][1:])
    assert overlap(drawn_coverage(canvas), expected) > 0.97
    assert driver.find_element('id', 'download').is_enabled()
    click(driver, '#none')
    assert (see(driver, '#canvas') == 255).all()
    assert not driver.find_element('id', 'download').is_enabled()
    click(driver, '#all')
    click(driver, '#show-picture')
    assert np.array_equal(see(driver, '#canvas'), start)
