"""Synthetic samples: what is annotated agrees with what is pictured."""

import cv2
import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial.transform import Rotation
from synthetic_humans import outfit as clothes
from synthetic_humans.body_map import BodyMap
from synthetic_humans.compose import compose, photograph
from synthetic_humans.hand_paint import boundary_loop
from synthetic_humans.hand_subject import HandSubject
from synthetic_humans.lighting import Surface, draw_lights, light_surface
from synthetic_humans.outfit import draw_outfit, find_regions, paint_body
from synthetic_humans.rooms import room
from synthetic_humans.sample import build_subject, draw_sample
from synthetic_humans.surroundings import FAR_MM, Backdrop, Ground
from synthetic_humans.textures import noise, noise_tile

from i2l_plugin.visualization.ray_scene import Camera, RayScene, vertex_normals
from i2l_plugin.visualization.renderer import render

SIZE = 96


@pytest.fixture(scope='module')
def subjects():
    return {kind: build_subject(kind) for kind in ('body', 'hand')}


@pytest.fixture(scope='module')
def rows(subjects):
    """40 annotations of each kind."""
    return {
        kind: [draw_sample(subject, 1, 'train', i, SIZE, picture=False)[0] for i in range(40)]
        for kind, subject in subjects.items()
    }


@pytest.fixture(params=['body', 'hand'])
def kind(request):
    return request.param


def vertices_of(subject, row):
    """Vertices in mm, posed from the annotation alone."""
    pose, betas = (torch.from_numpy(row[name])[None] for name in ('pose', 'betas'))
    with torch.no_grad():
        output = subject.model(pose, betas, torch.from_numpy(row['transl_m'])[None])
    return output.vertices_m[0].double().numpy() * 1000, output.joints_m[0].double().numpy() * 1000


def test_joints_are_the_models_and_project_to_their_pixels(subjects, rows, kind):
    for row in rows[kind]:
        _, joints = vertices_of(subjects[kind], row)
        np.testing.assert_allclose(row['joints_cam_mm'], joints, atol=0.02)
        x, y, z = np.asarray(row['joints_cam_mm']).T
        (fx, fy), (cx, cy) = row['focal_px'], row['princpt_px']
        expected = np.stack([fx * x / z + cx, fy * y / z + cy], -1)
        np.testing.assert_allclose(row['joints_px'], expected, atol=1e-6)
        assert row['root_depth_mm'] == pytest.approx(joints[0, 2], abs=0.02)
        assert (z > 0).all()


def test_box_is_tight_and_fills_half_to_nine_tenths_of_the_picture(subjects, rows, kind):
    fills, inside = [], []
    for row in rows[kind]:
        vertices, _ = vertices_of(subjects[kind], row)
        points = vertices[:, :2] / vertices[:, 2:] * row['focal_px'] + row['princpt_px']
        low, high = points.min(0), points.max(0)
        expected = np.clip([*low, *high], 0, SIZE - 1)
        np.testing.assert_allclose(row['bbox_px'], expected, atol=0.01)
        fills.append((high - low).max() / SIZE)
        inside.append((low > -1).all() and (high < SIZE).all())
    assert min(fills) > 0.45
    assert max(fills) < 0.95
    assert np.mean(inside) > 0.9


def test_people_look_everywhere_and_hands_show_both_sides(subjects, rows):
    facing = Rotation.from_rotvec([row['pose'][0] for row in rows['body']]).apply([0, 0, 1])
    yaw = np.degrees(np.arctan2(facing[:, 0], -facing[:, 2]))
    assert (np.histogram(yaw, bins=4, range=(-180, 180))[0] >= 2).all()
    up = Rotation.from_rotvec([row['pose'][0] for row in rows['body']]).apply([0, 1, 0])
    assert (up[:, 1] < -0.7).all()  # the picture's y points down
    palm = subjects['hand'].axes.palm
    toward = -Rotation.from_rotvec([row['pose'][0] for row in rows['hand']]).apply(palm)[:, 2]
    assert (toward > 0.3).sum() >= 5
    assert (toward < -0.3).sum() >= 5


def test_picture_depends_on_seed_split_and_index_alone(subjects, kind):
    subject = subjects[kind]
    first = draw_sample(subject, 5, 'train', 3, SIZE)
    draw_sample(subject, 5, 'train', 4, SIZE)
    again = draw_sample(subject, 5, 'train', 3, SIZE)
    assert first[1] == again[1]
    for name, value in first[0].items():
        np.testing.assert_array_equal(value, again[0][name])
    others = [(6, 'train', 3), (5, 'test', 3), (5, 'train', 2)]
    for other in others:
        row, jpeg = draw_sample(subject, *other, SIZE)
        assert jpeg != first[1]
        assert np.abs(row['pose'] - first[0]['pose']).max() > 1e-3


def test_annotated_mesh_lies_inside_the_rendered_silhouette(subjects, kind):
    """Clothes only thicken: each projected vertex falls on a pixel of the subject or beside one."""
    subject = subjects[kind]
    for index in range(4):
        rng = np.random.default_rng(index)
        shot = subject.draw_shot(rng, SIZE)
        ground = Ground.below(shot.up, shot.lowest_mm())
        nowhere = np.full((SIZE, SIZE, 3), FAR_MM, np.float32)
        layers = subject.layers(rng, shot, ground, Backdrop(nowhere * 0, nowhere, True))
        scene = RayScene([layers[0][:2]])
        _, mask = render(scene, shot.camera, lambda hits: np.ones((len(hits.mesh_id), 3)), 2)
        seen = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
        x, y = np.rint(shot.camera.project(shot.vertices_mm)).astype(int).T
        inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
        assert inside.mean() > 0.8
        assert seen[y[inside], x[inside]].all()
        # and the silhouette is not much larger than the mesh
        low, high = shot.camera.project(shot.vertices_mm)[inside].min(0), None
        rows, columns = np.nonzero(mask > 0.5)
        high = shot.camera.project(shot.vertices_mm)[inside].max(0)
        margin = 0.08 * SIZE
        assert columns.min() > low[0] - margin
        assert columns.max() < high[0] + margin
        assert rows.min() > low[1] - margin
        assert rows.max() < high[1] + margin


def test_camera_stands_above_the_floor(subjects):
    rng = np.random.default_rng(0)
    for _ in range(30):
        shot = subjects['body'].draw_shot(rng, SIZE)
        assert shot.camera_height_mm() > 250
        ground = Ground.below(shot.up, shot.lowest_mm())
        assert ((shot.vertices_mm @ ground.up + ground.height_mm) > -1e-6).all()
        basis = np.stack([ground.right, ground.ahead, ground.up])
        np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-9)
        assert ground.right[0] > 0.9
        assert ground.up[1] < -0.8


def test_clothes_cover_what_their_names_say(subjects):
    body: BodyMap = subjects['body'].map
    ids = {
        name: int(np.argmin(np.linalg.norm(body.rest - body.joint[name], axis=1)))
        for name in ('L_Hand', 'R_Hand', 'L_Toe', 'R_Toe', 'L_Hip', 'R_Hip')
    }
    crown = int(body.rest[:, 1].argmax())
    back = np.abs(body.rest[:, 1] - body.joint['Chest'][1]) + np.abs(body.rest[:, 0])
    back = int((back + 10 * (body.rest[:, 2] > body.joint['Chest'][2])).argmin())
    nose = int(np.argmin(np.linalg.norm(body.rest - body.face['Nose'], axis=1)))
    rng = np.random.default_rng(0)
    for _ in range(40):
        outfit = draw_outfit(rng)
        region = find_regions(outfit, body, body.attributes)
        for hand in ('L_Hand', 'R_Hand'):
            assert region[ids[hand]] == clothes.SKIN
        for foot in ('L_Toe', 'R_Toe'):
            assert region[ids[foot]] == clothes.SHOES
        for hip in ('L_Hip', 'R_Hip'):
            assert region[ids[hip]] in (clothes.BOTTOM, clothes.TOP)
        assert region[back] in (clothes.TOP, clothes.HAIR)
        assert region[nose] == clothes.SKIN
        bare = outfit.hair_style == 'bald' and not outfit.cap
        assert (region[crown] == clothes.SKIN) == bare


def test_face_has_dark_eyes_in_front_and_none_behind(subjects):
    body = subjects['body'].map
    outfit = draw_outfit(np.random.default_rng(1))
    eye = np.array([*body.face['L_Eye'], 1.0, 0.0])
    cheek = eye + np.array([0.0, -0.035, 0, 0, 0]) * body.head_unit / 0.115
    behind = eye * (1, 1, 1, 1, 1) + (0, 0, -3 * body.front_z, 0, 0)
    dark, light = paint_body(outfit, body, np.stack([eye, cheek])).albedo.mean(-1)
    assert dark < 0.2
    assert light > dark + 0.1
    region = find_regions(outfit, body, behind[None])[0]
    assert region in (clothes.HAIR, clothes.CAP, clothes.SKIN)


def test_walls_leave_room_for_the_subject_and_the_camera():
    camera = Camera((60.0, 60.0), (31.5, 31.5), (64, 64))
    x, y = np.meshgrid(np.arange(64), np.arange(64))
    rays = camera.directions(np.stack([x, y], -1)).astype(np.float32)
    ground = Ground.below(np.array([0, -1.0, 0]), np.array([0, 1200.0, 0]))
    rng = np.random.default_rng(0)
    subject = rng.uniform((-700, -600, 2500), (700, 1200, 3200), (50, 3))
    for _ in range(20):
        backdrop = room(rng, rays, ground, subject)
        pixels = np.rint(camera.project(subject)).astype(int)
        depth = backdrop.points_mm[pixels[:, 1], pixels[:, 0], 2]
        above_floor = subject[:, 1] < 1150
        assert (depth[above_floor] > subject[above_floor, 2]).all()
        assert (backdrop.points_mm[..., 1] < 1201).all()
        assert backdrop.color.min() >= 0
        assert backdrop.color.max() <= 1


def test_sphere_is_brightest_where_it_faces_the_key_light():
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=100.0)
    vertices = mesh.vertices.view(np.ndarray) + np.array([0, 0, 2000.0])
    scene = RayScene([(vertices, np.asarray(mesh.faces))])
    normals = vertex_normals(vertices, np.asarray(mesh.faces))
    front = normals[:, 2] < -0.1
    ground = Ground.below(np.array([0, -1.0, 0]), np.array([0, 1000.0, 0]))
    grey = np.full((front.sum(), 3), 0.5)
    surface = Surface(grey, np.zeros_like(grey), np.zeros(len(grey)))
    for seed in range(5):
        lights = draw_lights(np.random.default_rng(seed), ground, True)
        lights = lights._replace(fill=np.zeros(3), sky=lights.bounce)  # the key light alone
        color = light_surface(surface, vertices[front], normals[front], scene, lights).mean(-1)
        facing = normals[front] @ lights.key_direction
        away = facing < -0.15
        if away.any():
            assert np.ptp(color[away]) < 1e-6
        assert np.corrcoef(color[facing > 0.1], facing[facing > 0.1])[0, 1] > 0.9
        assert -lights.key_direction[1] > 0.3  # from above


def test_noise_is_periodic_and_normalised():
    tile = noise_tile(1, 0.5)
    assert tile.mean() == pytest.approx(0, abs=1e-4)
    assert tile.std() == pytest.approx(1, abs=1e-4)
    u, v = np.random.default_rng(0).uniform(-3, 3, (2, 5000))
    np.testing.assert_allclose(
        noise(tile, u, v, 0.7), noise(tile, u + 1.4, v - 0.7, 0.7), atol=0.05
    )
    assert noise(tile, u[:0], v[:0], 1.0).shape == (0,)


def test_photograph_keeps_the_picture_recognisable():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:64, 0:64] / 63
    picture = np.stack([x, y, 1 - x], -1)
    for _ in range(5):
        decoded = cv2.imdecode(np.frombuffer(photograph(rng, picture), np.uint8), 1)[..., ::-1]
        assert np.abs(decoded / 255 - picture).mean() < 0.12
        for channel in range(3):
            assert (
                np.corrcoef(decoded[..., channel].ravel(), picture[..., channel].ravel())[0, 1]
                > 0.97
            )


def test_nearer_layers_hide_the_subject(subjects):
    """A wall before the subject leaves nothing of it."""
    subject = subjects['hand']
    rng = np.random.default_rng(0)
    shot = subject.draw_shot(rng, SIZE)
    ground = Ground.below(shot.up, shot.lowest_mm())
    far = np.full((SIZE, SIZE, 3), FAR_MM, np.float32)
    backdrop = Backdrop(far * 0, far, True)
    layer = subject.layers(rng, shot, ground, backdrop)[0]
    corners = np.array([[-9, -9], [200, -9], [200, 200], [-9, 200]], float)
    wall = shot.camera.directions(corners) * 0.5 * shot.vertices_mm[:, 2].min()
    blue = layer._replace(
        vertices_mm=wall,
        faces=np.array([[0, 1, 2], [0, 2, 3]]),
        attributes=wall,
        paint=lambda p: Surface(np.tile([0.0, 0, 1], (len(p), 1)), np.zeros_like(p), p[:, 0] * 0),
    )
    lights = draw_lights(rng, ground, True)
    picture = compose([layer, blue], backdrop, shot.camera, lights)
    assert picture[..., :2].max() == 0
    assert picture[..., 2].min() > 0.02


def test_wrist_border_is_one_loop_of_the_open_hand(subjects):
    subject: HandSubject = subjects['hand']
    rim, faces = subject.map.rim, subject.map.faces
    edges = {tuple(sorted(e)) for face in faces for e in zip(face, np.roll(face, 1), strict=True)}
    for pair in zip(rim, np.roll(rim, 1), strict=True):
        assert tuple(sorted(pair)) in edges
    assert len(set(rim.tolist())) == len(rim) >= 8
    spread = subject.map.rest[rim] - subject.map.joint['Wrist']
    assert np.linalg.norm(spread, axis=1).max() < 0.08
    tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    with pytest.raises(ValueError, match='closed'):
        boundary_loop(tetrahedron)
    np.testing.assert_array_equal(sorted(boundary_loop(tetrahedron[1:])), [0, 1, 2])
