"""BodyModel against smplx's own classes, and the invariants of a posed body."""

from contextlib import nullcontext

import numpy as np
import pytest
import smplx
import torch
from helpers_toy_body import toy_body_data
from scipy.spatial.transform import Rotation
from smplx.utils import Struct

from i2l_plugin.body_models import HAND_21, BodyModel, build_body_model
from i2l_plugin.body_models.body_model import named_joint_regressor
from i2l_plugin.body_models.files import load_body_model

SMPLX_TIPS = {'vertex_ids': dict.fromkeys(smplx.vertex_ids.vertex_ids['smplh'], 0)}


def as_smplx(data, **options):
    """smplx.SMPL or smplx.MANO over the same arrays."""
    kintree = np.stack([data.parents % 2**32, np.arange(len(data.parents))])
    struct = Struct(
        f=data.faces,
        v_template=data.v_template,
        shapedirs=data.shapedirs,
        posedirs=data.posedirs,
        weights=data.weights,
        J_regressor=data.j_regressor,
        kintree_table=kintree,
        hands_mean=data.hands_mean,
        hands_components=np.eye(45),
    )
    make = smplx.SMPL if data.kind == 'body' else smplx.MANO
    return make('', data_struct=struct, num_betas=10, **SMPLX_TIPS, **options)


def random_parameters(num_pose, batch_size=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pose = 0.5 * torch.randn(batch_size, num_pose, 3, generator=generator)
    betas = torch.randn(batch_size, 10, generator=generator)
    return pose, betas, torch.randn(batch_size, 3, generator=generator)


def test_body_equals_smplx():
    data = toy_body_data()
    model, reference = BodyModel(data), as_smplx(data)
    pose, betas, transl = random_parameters(24)
    expected = reference(
        betas=betas, global_orient=pose[:, 0], body_pose=pose[:, 1:].flatten(1), transl=transl
    )
    output = model(pose, betas, transl)
    torch.testing.assert_close(output.vertices_m, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(output.lbs_joints_m, expected.joints[:, :24], atol=1e-5, rtol=0)


@pytest.mark.parametrize('flat_hand_mean', [False, True])
def test_hand_equals_smplx(flat_hand_mean):
    data = toy_body_data('hand')
    model = BodyModel(data, flat_hand_mean=flat_hand_mean)
    reference = as_smplx(data, use_pca=False, flat_hand_mean=flat_hand_mean)
    pose, betas, transl = random_parameters(16)
    expected = reference(
        betas=betas, global_orient=pose[:, 0], hand_pose=pose[:, 1:].flatten(1), transl=transl
    )
    output = model(pose, betas, transl)
    torch.testing.assert_close(output.vertices_m, expected.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(output.lbs_joints_m, expected.joints, atol=1e-5, rtol=0)


def test_matrices_pose_like_the_axis_angles_they_come_from():
    model = BodyModel(toy_body_data())
    pose, betas, transl = random_parameters(24)
    matrices = Rotation.from_rotvec(pose.reshape(-1, 3).numpy()).as_matrix().reshape(3, 24, 3, 3)
    expected = model(pose, betas, transl)
    output = model(torch.from_numpy(matrices), betas, transl)
    torch.testing.assert_close(output.vertices_m, expected.vertices_m, atol=1e-5, rtol=0)


def test_regressed_joints_are_named_rows_and_vertices():
    data = toy_body_data('hand')
    model = BodyModel(data)
    vertices, joints, _ = model(*random_parameters(16))
    for i, name in enumerate(HAND_21.joint_names):
        if name.endswith('4'):
            expected = vertices[:, data.vertex_ids[name]]
        else:
            row = data.j_regressor[data.posed_joints.index(name)]
            expected = vertices[:, row > 0].mean(1)  # a toy joint is the mean of a ring
        torch.testing.assert_close(joints[:, i], expected, atol=1e-5, rtol=0)


def test_rest_root_is_the_root_of_the_unposed_model():
    model = BodyModel(toy_body_data())
    _, betas, _ = random_parameters(24)
    expected = model(torch.zeros(3, 24, 3), betas).lbs_joints_m[:, 0]
    torch.testing.assert_close(model.rest_root_m(betas), expected, atol=1e-6, rtol=0)


def test_camera_vertices_are_in_mm():
    model = BodyModel(toy_body_data())
    pose, betas, transl = random_parameters(24)
    vertices_mm, joints_mm = model.pose_cam_mm(pose, betas, transl * 1000)
    expected = model(pose, betas, transl)
    torch.testing.assert_close(vertices_mm / 1000, expected.vertices_m, atol=1e-5, rtol=0)
    torch.testing.assert_close(joints_mm / 1000, expected.joints_m, atol=1e-5, rtol=0)


def test_a_mirrored_sample_is_the_mirror_image_of_the_body():
    data = toy_body_data()
    # Move the root off the mirror plane: the translation must make up for it.
    shifted = BodyModel(
        type(data)(**{**vars(data), 'v_template': data.v_template + np.array([0.07, 0, 0])})
    )
    pose, betas, transl = random_parameters(24)
    pose_mirrored = pose[:, list(data.posed_joints.mirror_order)] * torch.tensor([1.0, -1.0, -1.0])
    vertices, joints = shifted.pose_cam_mm(pose, betas, transl * 1000)
    mirrored = torch.tensor([True, False, True])
    both = torch.where(mirrored[:, None, None], pose_mirrored, pose)
    vertices_m, joints_m = shifted.pose_cam_mm(both, betas, transl * 1000, mirrored)

    flip = torch.tensor([-1.0, 1.0, 1.0])
    expected = vertices[:, data.vertex_mirror] * flip
    torch.testing.assert_close(vertices_m[mirrored], expected[mirrored], atol=2e-3, rtol=0)
    torch.testing.assert_close(vertices_m[1], vertices[1])
    expected = joints[:, list(shifted.joint_set.mirror_order)] * flip
    torch.testing.assert_close(joints_m[mirrored], expected[mirrored], atol=2e-3, rtol=0)


def test_autocast_does_not_touch_the_targets():
    model = BodyModel(toy_body_data())
    pose, betas, transl = random_parameters(24)
    expected, _ = model.pose_cam_mm(pose, betas, transl)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        vertices, _ = model.pose_cam_mm(pose, betas, transl)
    torch.testing.assert_close(vertices, expected, atol=0, rtol=0)


def test_no_betas_is_the_mean_shape_and_checkpoints_hold_no_body_model():
    model = BodyModel(toy_body_data())
    pose, _, _ = random_parameters(24)
    torch.testing.assert_close(
        model(pose).vertices_m, model(pose, torch.zeros(3, 10)).vertices_m, atol=0, rtol=0
    )
    assert model.state_dict() == {}
    assert (model.num_pose, model.num_betas, model.num_joints) == (24, 10, 29)
    assert model.num_vertices == model.faces.max() + 1


def test_regressor_by_name():
    data = toy_body_data()
    model = BodyModel(data)
    vertices = model(*random_parameters(24)).vertices_m
    expected = torch.from_numpy(data.regressors['h36m_17']).float() @ vertices
    torch.testing.assert_close(model.regressor('h36m_17') @ vertices, expected)
    assert model.regressor('body_29') is model.joint_regressor
    with pytest.raises(ValueError, match=r"no joint regressor 'muco'.*body_29.*h36m_17"):
        model.regressor('muco')


def test_wrong_shapes_and_joint_sets_are_named():
    data = toy_body_data()
    model = BodyModel(data)
    with pytest.raises(ValueError, match=r'\(B, 24, 3\).*got \(2, 72\)'):
        model(torch.zeros(2, 72))
    with pytest.raises(ValueError, match=r'betas must be \(2, 10\), got \(2, 300\)'):
        model(torch.zeros(2, 24, 3), torch.zeros(2, 300))
    with pytest.raises(ValueError, match="joint 'Wrist' of 'hand_21'"):
        named_joint_regressor(data, HAND_21)


def test_build_body_model_reads_what_load_body_model_reads():
    data = load_body_model('hand')
    model = build_body_model('hand', joint_set='mano_16', flat_hand_mean=True)
    vertices, joints, lbs_joints = model(torch.zeros(1, 16, 3))
    np.testing.assert_allclose(vertices[0], data.v_template, atol=1e-6)
    torch.testing.assert_close(joints, lbs_joints, atol=1e-6, rtol=0)


def test_posing_never_waits_for_values_on_the_device(monkeypatch):
    """Meta tensors have no values: reading one, as a GPU would have to be waited for, raises."""
    monkeypatch.setattr(torch, 'autocast', lambda *_, **__: nullcontext())  # knows no meta device
    body = BodyModel(toy_body_data('body')).to('meta')
    pose = torch.zeros(2, 24, 3, device='meta', requires_grad=True)
    vertices, _ = body.pose_cam_mm(pose, None, torch.zeros(2, 3, device='meta'))
    vertices.sum().backward()
    assert pose.grad.shape == pose.shape
