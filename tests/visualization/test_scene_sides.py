"""Side and top views against plain arithmetic on the camera-frame coordinates."""

import cv2
import numpy as np
import pytest
import trimesh

from i2l_plugin.visualization.flat_view import MARGIN, FlatView
from i2l_plugin.visualization.ray_scene import Camera
from i2l_plugin.visualization.renderer import Mesh
from i2l_plugin.visualization.scene_sides import draw_side

SIZE = (300, 200)
RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def ball(center, radius=200.0, color=RED):
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return Mesh(np.asarray(mesh.vertices) + center, np.asarray(mesh.faces), color)


def tinted(picture, channel):
    """Where a picture is clearly of one channel's colour. -> rows, columns."""
    rest = [c for c in range(3) if c != channel]
    return np.nonzero(picture[..., channel] > picture[..., rest].max(-1) + 60.0)


@pytest.mark.parametrize(('view', 'u', 'v'), [('side', (2, -1), (1, 1)), ('top', (0, 1), (2, -1))])
def test_projection_is_a_scaled_copy_of_two_axes(view, u, v):
    """Side: depth to the left, y down. Top: x to the right, depth up. (axis, sign) each."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-800, -900, 7000), (900, 700, 9500), (50, 3))
    flat = FlatView.around(points, SIZE, view, camera=False)
    pixels = flat.project(points)
    expected = np.stack([sign * points[:, axis] for axis, sign in (u, v)], -1) * flat.px_per_mm
    np.testing.assert_allclose(pixels - pixels[0], expected - expected[0], atol=1e-9)
    # framed: the tighter axis fills the picture up to the margin, in the middle
    low, high = pixels.min(0), pixels.max(0)
    np.testing.assert_allclose((low + high) / 2, (np.array(SIZE) - 1) / 2)
    assert ((high - low) / SIZE).max() == pytest.approx(1 - 2 * MARGIN)


@pytest.mark.parametrize('view', ['side', 'top'])
def test_spheres_are_circles_of_one_size_where_they_project(view):
    meshes = [ball((-500, 0, 4000)), ball((600, 0, 5200), color=GREEN)]
    flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, view)
    picture = draw_side(meshes, SIZE, view)
    for channel, center in enumerate([(-500, 0, 4000), (600, 0, 5200)]):
        rows, columns = tinted(picture, channel)
        np.testing.assert_allclose(
            (columns.mean(), rows.mean()), flat.project(np.array(center)), atol=0.6
        )
        area = np.pi * (200 * flat.px_per_mm) ** 2
        assert len(rows) == pytest.approx(area, rel=0.12)


def test_from_above_the_higher_and_from_the_side_the_one_with_less_x_hides_the_other():
    upper, lower = ball((0, -600, 3000)), ball((0, 300, 3000), color=GREEN)
    assert len(tinted(draw_side([lower, upper], SIZE, 'top'), 0)[0]) > 500
    assert len(tinted(draw_side([lower, upper], SIZE, 'top'), 1)[0]) == 0
    left, right = ball((-600, 0, 3000)), ball((600, 0, 3000), color=GREEN)
    assert len(tinted(draw_side([right, left], SIZE, 'side'), 0)[0]) > 500
    assert len(tinted(draw_side([right, left], SIZE, 'side'), 1)[0]) == 0


@pytest.mark.parametrize(('view', 'axis'), [('side', 0), ('top', 1)])
def test_grid_lines_lie_at_whole_metres_from_the_camera(view, axis):
    meshes = [ball((-1500, -900, 2600)), ball((1400, 900, 6300), color=GREEN)]
    flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, view)
    at, depths = flat.grid(axis, 500.0)
    np.testing.assert_allclose(depths % 500, 0, atol=1e-9)
    assert {3000.0, 3500.0, 6000.0} <= {*np.round(depths, 6)}
    for position, depth in zip(at, depths, strict=True):
        x, y = flat.project(np.array([0, 0, depth]))
        assert position == pytest.approx((x, y)[axis])
    across, aside = flat.grid(1 - axis, 500.0)
    for position, value in zip(across, aside, strict=True):
        point = np.array([0, value, 0]) if view == 'side' else np.array([value, 0, 0])
        assert position == pytest.approx(flat.project(point)[1 - axis])
    picture = draw_side(meshes, SIZE, view)
    # light lines of the picture, where nothing else is drawn, are lines of that grid
    row = picture[8].min(-1) if axis == 0 else picture[:, 8].min(-1)
    lines = np.flatnonzero((row > 200) & (row < 250))
    assert len(lines) >= 3
    offset = lines[:, None] - flat.grid(axis, 1000.0)[0]
    assert np.abs(offset).min(axis=1).max() <= 0.51


@pytest.mark.parametrize(('view', 'axis'), [('side', 0), ('top', 1)])
def test_depths_are_written_in_metres_beside_their_lines(view, axis, monkeypatch):
    words, write = [], cv2.putText

    def listen(canvas, text, origin, *style):
        words.append((text, origin[axis]))
        return write(canvas, text, origin, *style)

    monkeypatch.setattr(cv2, 'putText', listen)
    meshes = [ball((-500, 0, 3600)), ball((600, 0, 7200), color=GREEN)]
    draw_side(meshes, SIZE, view)
    flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, view)
    assert len(words) >= 3
    for text, at in words:
        number, unit = text.split()
        assert unit == 'm'
        line = flat.project(np.array([0, 0, 1000 * float(number)]))[axis]
        assert abs(at - line) < 4


def test_surfaces_a_few_millimetres_apart_are_told_apart_from_afar():
    corners = np.array([[-2000.0, 0, 3000], [2000, 0, 3000], [2000, 0, 6000], [-2000, 0, 6000]])
    square = np.array([[0, 1, 2], [0, 2, 3]])
    upper = Mesh(corners - (0, 3, 0), square, RED)
    picture = draw_side([Mesh(corners, square, GREEN), upper], SIZE, 'top')
    assert len(tinted(picture, 0)[0]) > 5000
    assert len(tinted(picture, 1)[0]) < 20


def test_the_camera_is_in_the_picture_unless_people_would_become_too_small():
    near = np.array([[-500.0, -900, 1500], [500, 900, 4000]])
    far = near + np.array([0, 0, 20000.0])
    for view in ('side', 'top'):
        pixel = FlatView.around(near, SIZE, view).project(np.zeros(3))
        assert (pixel >= 0).all()
        assert (pixel < SIZE).all()
        alone = FlatView.around(near, SIZE, view, camera=False)
        assert FlatView.around(near, SIZE, view).px_per_mm >= 0.6 * alone.px_per_mm
        alone = FlatView.around(far, SIZE, view, camera=False)
        assert FlatView.around(far, SIZE, view).px_per_mm == alone.px_per_mm
        assert FlatView.around(far, SIZE, view).project(np.zeros(3)).max() > max(SIZE)


@pytest.mark.parametrize('view', ['side', 'top'])
def test_camera_mark_is_at_the_camera_or_at_the_border_towards_it(view):
    for depth, inside in ((1500.0, True), (30000.0, False)):
        meshes = [ball((0, 0, depth), 300.0), ball((0, 0, depth + 1500), 300.0)]
        picture = draw_side(meshes, SIZE, view).astype(int)
        # dark grey, unlike white, the grid, and the red of the meshes; letters are thinner
        mark = (np.abs(picture - 90).max(-1) < 8).astype(np.uint8)
        rows, columns = np.nonzero(cv2.erode(mark, np.ones((3, 3), np.uint8)))
        flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, view)
        x, y = flat.project(np.zeros(3))
        tip = (
            (columns.max(), np.median(rows)) if view == 'side' else (np.median(columns), rows.max())
        )
        expected = (x, y) if inside else np.clip((x, y), 0, np.array(SIZE) - 1)
        np.testing.assert_allclose(tip, expected, atol=6)
        assert (0 <= x < SIZE[0] and 0 <= y < SIZE[1]) == inside


def test_sight_lines_follow_the_borders_of_the_camera_picture():
    camera = Camera((500.0, 400.0), (320.0, 200.0), (600, 480))
    meshes = [ball((0, 0, 1500), 100.0), ball((0, 0, 3000), 100.0)]
    flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, 'top')
    changed = (draw_side(meshes, SIZE, 'top', camera) != draw_side(meshes, SIZE, 'top')).any(-1)
    checked = 0
    for border in (-0.5, 599.5):
        for depth in (800.0, 1200.0, 1600.0, 2000.0, 2400.0):
            point = np.array([(border - 320) / 500 * depth, 0, depth])
            x, y = np.rint(flat.project(point)).astype(int)
            if 1 <= x < SIZE[0] - 1 and 0 <= y < SIZE[1]:
                assert changed[y, x - 1 : x + 2].any()
                checked += 1
    assert checked >= 4
    assert 0 < changed.mean() < 0.05


def test_labels_are_above_their_people_and_one_person_fills_the_picture():
    meshes = [ball((-500, 0, 4000)), ball((600, 0, 5200), color=GREEN)]
    plain = draw_side(meshes, SIZE, 'side')
    rows, columns = np.nonzero(
        (draw_side(meshes, SIZE, 'side', labels=['0', '1']) != plain).any(-1)
    )
    flat = FlatView.around(np.concatenate([m.vertices_mm for m in meshes]), SIZE, 'side')
    tops = [flat.project(m.vertices_mm)[:, 1].min() for m in meshes]
    assert rows.max() <= max(tops)
    assert columns.min() > flat.project(np.array([0, 0, 5200]))[0] - 12
    single = draw_side([ball((0, 0, 600))], SIZE, 'side')
    assert np.ptp(tinted(single, 0)[0]) == pytest.approx(0.8 * 200, abs=3)


def test_nobody_gives_a_white_picture_and_another_view_an_error():
    assert (draw_side([], (30, 20), 'top') == 255).all()
    assert draw_side([], (30, 20), 'top').shape == (20, 30, 3)
    with pytest.raises(ValueError, match="side, top, got 'left'"):
        draw_side([ball((0, 0, 1000))], SIZE, 'left')


def test_people_at_one_point_behind_the_camera_or_far_apart_do_no_harm():
    for centers in ([(0, 0, -4000), (0, 0, 3000)], [(-1e6, 0, 2000), (1e6, 0, 1e6)]):
        for view in ('side', 'top'):
            assert (draw_side([ball(c) for c in centers], SIZE, view) != 255).any()
    point = Mesh(np.full((3, 3), 1000.0), np.array([[0, 1, 2]]))
    assert draw_side([point], SIZE, 'side').shape == (200, 300, 3)
