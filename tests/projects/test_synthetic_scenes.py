"""Scenes of several people: one camera, one floor, nobody in anybody, nearer ones in front."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from synthetic_humans import scene, scene_layout
from synthetic_humans.compose import Layer, compose
from synthetic_humans.footprints import footprint, gap_mm
from synthetic_humans.lighting import Surface, draw_lights
from synthetic_humans.sample import build_subject
from synthetic_humans.scene import draw_scene
from synthetic_humans.scene_layout import draw_layout
from synthetic_humans.silhouettes import silhouette, visible_shares
from synthetic_humans.surroundings import FAR_MM, Backdrop, Ground

from i2l_plugin.visualization.ray_scene import Camera

SIZE = np.array([96, 72])


@pytest.fixture(scope='module')
def subject():
    return build_subject('scenes')


@pytest.fixture(scope='module')
def scenes(subject):
    """Annotations of 16 scenes of 2 or 3 people."""
    return [
        draw_scene(subject, 1, 'train', i, tuple(SIZE), (2, 3), picture=False)[0] for i in range(16)
    ]


@pytest.fixture(scope='module')
def layouts(subject):
    return [draw_layout(np.random.default_rng(i), subject, 3, tuple(SIZE)) for i in range(8)]


@pytest.fixture(scope='module')
def crowded(subject):
    """A layout in which someone hides a good part of someone else."""
    for seed in range(100):
        layout = draw_layout(np.random.default_rng(seed), subject, 3, tuple(SIZE))
        if not layout.before and layout.visible_share.min() < 0.8:
            return layout
    raise AssertionError('nobody ever hides anybody')


def test_everyone_has_an_entry_before_the_same_camera(scenes):
    assert {len(rows) for rows in scenes} == {2, 3}
    for index, rows in enumerate(scenes):
        for name in ('image_path', 'image_id', 'image_size_px', 'focal_px', 'princpt_px'):
            for row in rows:
                np.testing.assert_array_equal(row[name], rows[0][name])
        assert rows[0]['image_id'] == index
        np.testing.assert_array_equal(rows[0]['image_size_px'], SIZE)
        np.testing.assert_allclose(rows[0]['princpt_px'], (SIZE - 1) / 2)
    ids = [row['sample_id'] for rows in scenes for row in rows]
    assert len(set(ids)) == len(ids)


def test_box_holds_the_projected_mesh_and_joints_are_the_models(subject, scenes):
    for row in (row for rows in scenes for row in rows):
        pose, betas = (torch.from_numpy(row[name])[None] for name in ('pose', 'betas'))
        with torch.no_grad():
            body = subject.model(pose, betas, torch.from_numpy(row['transl_m'])[None])
        vertices, joints = (1000 * part[0].double().numpy() for part in body[:2])
        np.testing.assert_allclose(row['joints_cam_mm'], joints, atol=0.02)
        points = vertices[:, :2] / vertices[:, 2:] * row['focal_px'] + row['princpt_px']
        low, high = points.min(0), points.max(0)
        expected = np.clip([*low, *high], 0, [*SIZE - 1, *SIZE - 1])
        np.testing.assert_allclose(row['bbox_px'], expected, atol=0.01)
        assert 0.27 < (high - low).max() / SIZE[1] < 0.98
        in_picture = (expected[2:] - expected[:2]) / (high - low)
        assert in_picture.prod() > 0.89


def test_people_differ_and_stand_at_different_distances(scenes):
    ratios = []
    for rows in scenes:
        depths = sorted(row['root_depth_mm'] for row in rows)
        ratios.append(depths[-1] / depths[0])
        assert np.abs(rows[0]['pose'] - rows[1]['pose']).max() > 0.1
    assert np.median(ratios) > 1.3
    assert max(ratios) > 2
    columns = [row['bbox_px'][[0, 2]].mean() / SIZE[0] for rows in scenes for row in rows]
    assert min(columns) < 0.25
    assert max(columns) > 0.75


def test_feet_are_on_one_floor_below_the_camera(layouts):
    for layout in layouts:
        assert layout.ground.height_mm > 250
        for person in layout.people:
            heights = person.shot.vertices_mm @ layout.ground.up + layout.ground.height_mm
            assert heights.min() == pytest.approx(0, abs=0.01)
            for seat in person.seat:
                bottom = (seat.vertices_mm @ layout.ground.up + layout.ground.height_mm).min()
                assert bottom == pytest.approx(0, abs=0.01)


def test_nobody_stands_in_anybody(layouts):
    """Seen from above, no two people with their clothes and seats come nearer than 10 cm."""
    for layout in layouts:
        axes = np.stack([layout.ground.right, layout.ground.ahead], axis=1)
        floors = [
            np.concatenate([layer.vertices_mm for layer in person.layers]) @ axes
            for person in layout.people
        ]
        for i, floor in enumerate(floors):
            for other in floors[:i]:
                assert cKDTree(floor).query(other)[0].min() >= 100


def z_buffer(people, camera):
    """Who is seen at each pixel's centre, -1 for nobody: one triangle after the other."""
    width, height = camera.image_size_px
    depth, owner = np.full((height, width), np.inf), np.full((height, width), -1)
    for i, person in enumerate(people):
        for vertices, faces in (layer[:2] for layer in person.layers):
            points = camera.project(vertices)
            for face in faces:
                corners, inverse = points[face], 1 / vertices[face, 2]
                low = np.ceil(corners.min(0)).clip(0).astype(int)
                high = np.minimum(np.floor(corners.max(0)), SIZE - 1).astype(int)
                if (low > high).any():
                    continue
                matrix = np.vstack([corners.T, np.ones(3)])
                if abs(np.linalg.det(matrix)) < 1e-12:
                    continue
                matrix = np.linalg.inv(matrix)
                for x in range(low[0], high[0] + 1):
                    for y in range(low[1], high[1] + 1):
                        weights = matrix @ (x, y, 1)
                        z = 1 / (weights @ inverse)  # 1 / z is linear in the picture
                        if weights.min() >= 0 and z < depth[y, x]:
                            depth[y, x], owner[y, x] = z, i
    return owner


def test_nearer_people_hide_farther_ones(crowded):
    """Each person wears one colour; the picture shows whom a naive z-buffer finds nearest."""
    camera = crowded.people[0].shot.camera
    owner = z_buffer(crowded.people, camera)
    layers = []
    for i, person in enumerate(crowded.people):
        color = np.eye(3)[i]
        layers += [
            layer._replace(
                paint=lambda points, color=color: Surface(
                    np.tile(color, (len(points), 1)), 0 * points[:, :3], 0 * points[:, 0]
                )
            )
            for layer in person.layers
        ]
    far = np.full((*SIZE[::-1], 3), FAR_MM, np.float32)
    lights = draw_lights(np.random.default_rng(0), crowded.ground, True)
    picture = compose(layers, Backdrop(far * 0, far, True), camera, lights)
    for i in range(3):
        assert (owner == i).sum() > 30
        assert (picture[owner == i].argmax(-1) == i).mean() > 0.95  # borders are smooth
    nobody = cv2.erode((owner < 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert picture[nobody].max() == 0


def test_visible_share_is_that_of_the_z_buffer(crowded):
    camera = crowded.people[0].shot.camera
    together = z_buffer(crowded.people, camera)
    for i, person in enumerate(crowded.people):
        if person.seat:
            continue
        whole = (z_buffer([person], camera) == 0).sum()
        points = camera.project(person.shot.vertices_mm)
        if (points < 0).any() or (points > SIZE - 1).any():
            continue
        expected = (together == i).sum() / whole
        assert crowded.visible_share[i] == pytest.approx(expected, abs=0.02)


def test_what_stands_in_front_and_seats_hide_but_are_not_counted(subject, monkeypatch):
    monkeypatch.setattr(scene_layout, 'OCCLUDER_SHARE', 1)
    hidden = seated = 0
    for seed in range(6):
        layout = draw_layout(np.random.default_rng(seed), subject, 2, tuple(SIZE))
        camera = layout.people[0].shot.camera
        others = [layer for person in layout.people for layer in person.seat] + layout.before
        parts = [SimpleNamespace(layers=person.worn) for person in layout.people]
        owner = z_buffer([*parts, SimpleNamespace(layers=others)], camera)
        for i, person in enumerate(layout.people):
            shown = person.silhouette.shown.sum()
            assert layout.visible_share[i] == pytest.approx((owner == i).sum() / shown, abs=0.02)
            if person.seat:
                seated += 1
                points = camera.project(person.shot.vertices_mm)
                if (points > 0).all() and (points < SIZE - 1).all():
                    alone = z_buffer([parts[i], SimpleNamespace(layers=person.seat)], camera)
                    assert shown == pytest.approx((alone == 0).sum(), rel=0.03)
        hidden += bool(layout.before) and layout.visible_share.min() < 0.95
    assert hidden
    assert seated


def test_each_row_says_how_much_of_its_person_is_visible(subject, crowded, monkeypatch):
    monkeypatch.setattr(scene, 'draw_layout', lambda *_: crowded)
    rows, _ = draw_scene(subject, 0, 'train', 4, tuple(SIZE), (3, 3), picture=False)
    percents = [row['id_visible_percent'] for row in rows]
    np.testing.assert_allclose(percents, 100 * crowded.visible_share, atol=1)
    for row, person in zip(rows, crowded.people, strict=True):
        np.testing.assert_array_equal(row['transl_m'], person.shot.transl_m)


def square(center_px, half_px, depth_mm):
    """A square that faces a camera of focal length 100 px."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half_px + center_px
    rays = np.concatenate([corners / 100, np.ones((4, 1))], axis=1)
    return Layer(rays * depth_mm, np.array([[0, 1, 2], [0, 2, 3]]), rays, lambda p: p)


def test_visible_shares_of_squares():
    camera = Camera((100.0, 100.0), (0.0, 0.0), (40, 30))

    def flat(center_px, half_px, depth_mm):
        middle = np.array(center_px) + 0.5  # 2 * half_px pixels, none on the border
        region = middle - half_px, middle + half_px
        return silhouette([square(middle, half_px, depth_mm)], 1, camera, *region)

    near = flat((10, 10), 5, 1000)  # pixels 6 to 15
    half_hidden = flat((15, 10), 5, 2000)  # 11 to 20, half of it behind the other
    half_outside = flat((39, 20), 4, 1500)  # 36 to 43 of 40 columns
    shares = visible_shares([near, half_hidden, half_outside], (40, 30))
    np.testing.assert_allclose(shares, [1, 0.5, 0.5])
    # something that is not counted hides the rest of the second
    before = silhouette([square((18, 10), 5, 900)], 0, camera, np.zeros(2), np.array([39, 29]))
    shares = visible_shares([near, half_hidden, before], (40, 30), 2)
    assert shares[0] == pytest.approx(0.7)  # columns 13 to 15 of 6 to 15
    assert shares[1] == 0


def test_places_that_hide_someone_are_drawn_again(subject, monkeypatch):
    monkeypatch.setattr(scene_layout, 'MIN_VISIBLE', 0.97)
    monkeypatch.setattr(scene_layout, 'OCCLUDER_SHARE', 1)  # not if it would hide too much
    for seed in range(6):
        layout = draw_layout(np.random.default_rng(seed), subject, 3, tuple(SIZE))
        assert layout.visible_share.min() >= 0.97


def test_too_many_people_are_refused_instead_of_sought_for_ever(subject, monkeypatch):
    monkeypatch.setattr(scene_layout, 'DRAWS', 2)
    message = r'9 people found no room in a picture of 32x256 px in 2 draws: ask for fewer --people'
    with pytest.raises(ValueError, match=message):
        draw_layout(np.random.default_rng(0), subject, 9, (32, 256))


def test_everyone_can_be_seen(scenes, crowded):
    percents = [row['id_visible_percent'] for rows in scenes for row in rows]
    assert min(percents) >= 30
    assert max(percents) == 100
    assert 0.3 <= crowded.visible_share.min() < 0.8


@pytest.mark.parametrize(
    ('shift', 'turn_deg', 'expected'),
    [
        ((50, 0), 0, 30),  # squares of 20 mm side by side
        ((0, -20), 0, 0),  # touching
        ((15, 5), 0, -5),  # overlapping: the least that one must move, from 15 mm
        ((40, 0), 45, 30 - 10 * np.sqrt(2)),  # a corner towards a side
        ((30, 40), 0, 20),  # the strip between them; their distance is larger
    ],
)
def test_gap_of_squares(shift, turn_deg, expected):
    corners = np.array([[-10, -10], [10, -10], [10, 10], [-10, 10]], float)
    turn = np.radians(turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    other = corners @ rotation.T + shift
    for pair in ((corners, other), (other, corners)):
        assert gap_mm(*pair) == pytest.approx(expected, abs=1e-9)


def test_footprint_is_the_outline_from_above():
    ground = Ground.below(np.array([0, -1.0, 0]), np.array([0, 1000.0, 0]))
    box = np.array([[x, y, z] for x in (-30, 50) for y in (0, 70, 1000) for z in (400, 900)], float)
    outline = footprint(np.vstack([box, [[0, 500, 600]]]), ground)
    assert len(outline) == 4
    assert sorted(map(tuple, outline.round(9))) == [(-30, 400), (-30, 900), (50, 400), (50, 900)]
    edges = np.roll(outline, -1, axis=0) - outline
    assert (np.cross(edges, np.roll(edges, -1, axis=0)) > 0).all()  # counter-clockwise


def test_scene_depends_on_seed_split_and_index_alone(subject):
    def draw(seed=5, split='train', index=3):
        return draw_scene(subject, seed, split, index, tuple(SIZE), (1, 3))

    rows, jpeg = draw()
    draw(index=4)
    again, same = draw()
    assert jpeg == same
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1).shape == (*SIZE[::-1], 3)
    for one, other in zip(rows, again, strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name])
    for changes in (dict(seed=6), dict(split='test'), dict(index=2)):
        others, other_jpeg = draw(**changes)
        assert other_jpeg != jpeg
        assert np.abs(others[0]['pose'] - rows[0]['pose']).max() > 1e-3


def test_one_to_three_people_are_equally_frequent(subject, monkeypatch):
    asked = []

    def nobody(_rng, _subject, num_people, _size):
        asked.append(num_people)
        return scene_layout.Layout([], None, [], np.zeros(0))

    monkeypatch.setattr(scene, 'draw_layout', nobody)
    for index in range(300):
        draw_scene(subject, 0, 'train', index, tuple(SIZE), (1, 3), picture=False)
    counts = np.bincount(asked)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 100, atol=30)
