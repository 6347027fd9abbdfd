"""The truth in the crop: against the naive projection, the training targets and face filling."""

import cv2
import numpy as np
import pytest
import torch
from helpers_browsing import TURNED_PIPELINE, first_truth, packed_samples, toy_body

from i2l_plugin.body_models.joint_sets import BODY_29, H36M_17, HAND_21
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.models.targets import build_targets
from i2l_plugin.visualization.crop_truth import (
    CropCamera,
    CropTruth,
    NamedPoints,
    named_links,
    vertex_colors,
)
from i2l_plugin.visualization.dataset_sheet import draw_sample
from i2l_plugin.visualization.panels import LEFT_COLOR, RIGHT_COLOR, joint_color


def test_the_crops_camera_projects_like_camera_and_crop_one_after_the_other():
    rng = np.random.default_rng(0)
    points = rng.normal([0, 0, 3000], 400, (50, 3))
    focal, princpt = np.array([900.0, 1400.0]), np.array([310.0, 250.0])
    angle = np.deg2rad(37)
    crop = np.array(
        [[np.cos(angle), np.sin(angle), 30.0], [-np.sin(angle), np.cos(angle), 90.0]]
    ) * [[0.4, 0.4, 1], [0.4, 0.4, 1]]
    camera = CropCamera.of(focal, princpt, crop, (256, 256))
    image_px = np.stack(
        [
            points[:, 0] / points[:, 2] * focal[0] + princpt[0],
            points[:, 1] / points[:, 2] * focal[1] + princpt[1],
        ],
        axis=1,
    )
    expected = image_px @ crop[:, :2].T + crop[:, 2]
    np.testing.assert_allclose(camera.project(points), expected, atol=1e-9)
    np.testing.assert_allclose(camera.turn(points)[:, 2], points[:, 2])
    assert np.linalg.det(camera.linear) == pytest.approx(1)  # lengths and sides stay


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_points_are_those_that_the_network_is_trained_on(tmp_path, kind):
    pipeline = [
        step for step in TURNED_PIPELINE if kind == 'body' or step['type'] != 'RandomMirror'
    ]
    _, samples = packed_samples(tmp_path, pipeline, kind=kind)
    body, codec = toy_body(kind), SoftArgmaxCodec()
    for inputs, sample in samples:
        truth = CropTruth.of(inputs, sample, body)
        targets = build_targets([sample], body, codec)
        assert truth.mirrored == (kind == 'body')
        vertices_px = codec.to_crop(targets.vertices.lixel)[0, :, :2]
        ours = truth.camera.project(truth.mesh.vertices_mm)
        np.testing.assert_allclose(ours, vertices_px, atol=0.01)
        joints_px = codec.to_crop(targets.annotated_joints.lixel)[0, :, :2].numpy()
        rows = [body.joint_set.index(name) for name in truth.annotated_px.names]
        np.testing.assert_allclose(truth.annotated_px.points, joints_px[rows], atol=0.01)


def test_a_mirrored_and_turned_mesh_covers_the_mirrored_and_turned_projection(tmp_path):
    columns, samples = packed_samples(tmp_path, TURNED_PIPELINE, n=3, draw_seed=4)
    body = toy_body()
    turns_deg = []
    for i, (inputs, sample) in enumerate(samples):
        matrix = sample.metainfo['crop_from_image']
        turns_deg.append(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
        panels = draw_sample(CropTruth.of(inputs, sample, body))
        covered = (panels.mesh != panels.crop).any(-1)

        parameters = (torch.as_tensor(columns[name][i : i + 1]) for name in ('pose', 'betas'))
        transl = torch.as_tensor(columns['transl_m'][i : i + 1])
        vertices = body(*parameters, transl).vertices_m[0].numpy() * 1000  # as annotated
        points = vertices[:, :2] / vertices[:, 2:] * columns['focal_px'][i]
        points = points + columns['princpt_px'][i]
        points[:, 0] = columns['image_size_px'][i, 0] - 1 - points[:, 0]
        points = points @ matrix[:, :2].T + matrix[:, 2]
        expected = np.zeros(covered.shape, np.uint8)
        for face in body.faces.numpy():
            cv2.fillConvexPoly(expected, np.rint(points[face] * 16).astype(int), 1, shift=4)
        both, either = (expected > 0) & covered, (expected > 0) | covered
        assert both.sum() > 0.93 * either.sum()  # the rims differ by half a pixel
        eroded = cv2.erode(expected, np.ones((3, 3), np.uint8)) > 0
        assert covered[eroded].mean() > 0.998  # a pixel may have the colour of the mesh
    assert max(np.abs(turns_deg)) > 15


def test_meshes_and_joints_wear_the_colours_of_their_sides(tmp_path):
    body = toy_body()
    colors = vertex_colors(body) * 255
    names = BODY_29.joint_names[:24]
    weights = body.weights.numpy()
    for name, side in (('L_Elbow', LEFT_COLOR), ('R_Knee', RIGHT_COLOR)):
        rows = np.flatnonzero(weights[:, names.index(name)] == 1)
        np.testing.assert_allclose(colors[rows], [0.75 * np.array(side) + 0.25 * 255] * len(rows))
    truth = first_truth(tmp_path, n=1)
    picture = draw_sample(truth).joints
    spread = truth.annotated_px
    for name in ('L_Wrist', 'R_Wrist', 'L_Ankle', 'R_Ankle'):
        x, y = np.rint(spread.take([name])[0]).astype(int)
        np.testing.assert_allclose(picture[y, x], joint_color(name), atol=60)


def test_fingers_have_a_colour_each():
    fingers = {joint_color(name) for name in HAND_21.joint_names}
    assert len(fingers) == 6  # and the wrist


def test_joints_are_the_annotations_own_where_the_model_has_its_regressor(tmp_path):
    columns, samples = packed_samples(tmp_path, n=2)
    body = toy_body()
    moved = body.get_buffer('regressor_h36m_17').roll(1, dims=1)  # hips that are not SMPL's
    body.register_buffer('regressor_h36m_17', moved, persistent=False)
    for i, packed in enumerate(samples):
        truth = CropTruth.of(*packed, body)
        vertices, own_joints = body.pose_cam_mm(
            *(torch.as_tensor(columns[name][i : i + 1]) for name in ('pose', 'betas')),
            1000 * torch.as_tensor(columns['transl_m'][i : i + 1]),
        )
        expected = (moved @ vertices)[0].numpy()
        np.testing.assert_allclose(
            truth.mesh.joints_mm.take(H36M_17.joint_names), expected, atol=0.01
        )
        toe = truth.mesh.joints_mm.take(['L_Toe'])[0]  # which Human3.6M does not have
        np.testing.assert_allclose(toe, own_joints[0, BODY_29.index('L_Toe')], atol=0.01)
        assert truth.links[0] == ('Pelvis', 'Torso')


def test_what_is_not_valid_is_left_out(tmp_path):
    changes = {'fit_valid': [False], 'has_depth': [False], 'joints_valid': np.zeros((1, 17), bool)}
    changes['joints_valid'][0, [0, 3]] = True
    truth = first_truth(tmp_path, changes=changes)
    assert truth.mesh is None
    assert truth.annotated_px.names == ('Pelvis', 'R_Ankle')
    assert truth.annotated_mm.names == ()


def test_points_by_name():
    points = NamedPoints.valid('abc', np.arange(6).reshape(3, 2), np.array([1, 0, 1]))
    assert points.shared_with(NamedPoints(('c', 'b', 'a'), np.zeros((3, 2)))) == ('a', 'c')
    np.testing.assert_array_equal(points.take(['c', 'a']), [[4, 5], [0, 1]])


def test_bones_of_a_known_annotation_and_of_an_unknown_one():
    assert ('Neck', 'L_Shoulder') in named_links(H36M_17.joint_names, BODY_29)
    assert ('Chest', 'L_Thorax') in named_links(('Pelvis', 'L_Hip'), BODY_29)
