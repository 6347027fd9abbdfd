"""The separable f_M against the J x D volume that it never builds."""

import pytest
import torch
from mmpose.registry import MODELS

import i2l_plugin.models  # noqa: F401
from i2l_plugin.models.pose_to_feature import convolve_gaussians


def naive_volume(joints_lixel, size, sigma):
    """Eq. 3 on a grid, in layout (J, z, y, x), flattened to channels j*D + z."""
    width, height, depth = size
    z, y, x = torch.meshgrid(
        *(torch.arange(n, dtype=joints_lixel.dtype) for n in (depth, height, width)), indexing='ij'
    )
    px, py, pz = (joints_lixel[..., i, None, None, None] for i in range(3))
    distance = (x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2
    return torch.exp(-distance / (2 * sigma**2)).flatten(1, 2)


def volume_forward(module, feature, joints_lixel):
    volume = naive_volume(joints_lixel, module.heatmap_size, module.sigma_lixel)
    return module.relu(module.bn(module.conv(torch.cat([feature, volume], dim=1))))


def build(dtype=torch.float32, joints=5, size=(10, 7, 6)):
    torch.manual_seed(0)
    module = MODELS.build(
        dict(type='PoseToFeature', feature_channels=8, num_joints=joints, heatmap_size=size)
    ).to(dtype)
    with torch.no_grad():
        module.conv.weight.normal_()
        module.conv.bias.normal_()
    feature = torch.randn(3, 8, size[1], size[0], dtype=dtype)
    # from beyond the border to beyond the border, the corners included
    joints_lixel = torch.rand(3, joints, 3, dtype=dtype) * 14 - 3
    joints_lixel[0, 0], joints_lixel[0, 1] = 0, torch.tensor(size) - 1
    return module, feature, joints_lixel


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_output_and_weight_gradient_equal_the_volumes(dtype):
    module, feature, joints = build(dtype)
    out = module(feature, joints)
    seed = torch.randn_like(out)
    (ours,) = torch.autograd.grad(out, module.conv.weight, seed)
    expected = volume_forward(module, feature, joints)
    (theirs,) = torch.autograd.grad(expected, module.conv.weight, seed)
    tolerance = 1e-5 if dtype is torch.float32 else 1e-12
    assert (out - expected).abs().max() <= tolerance * expected.abs().max()
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def test_the_feature_gets_its_gradient_and_the_joints_none():
    module, feature, joints = build()
    feature.requires_grad_()
    joints.requires_grad_()
    module(feature, joints).square().sum().backward()
    gradient = feature.grad.clone()
    feature.grad = None
    volume_forward(module, feature, joints.detach()).square().sum().backward()
    torch.testing.assert_close(gradient, feature.grad, rtol=1e-4, atol=1e-3)
    assert joints.grad is None


def test_a_joint_in_one_corner_of_a_hand_made_kernel():
    weight = torch.zeros(1, 2, 3, 3)  # one joint, two depth lixels
    weight[0, 1, 1, 2] = 2.0  # reads the pixel to the right, at depth 1
    out = convolve_gaussians(weight, torch.tensor([[[1.0, 0.0, 1.0]]]), (3, 2, 2), sigma=0.1)
    expected = torch.zeros(1, 1, 2, 3)
    expected[0, 0, 0, 0] = 2.0  # its right neighbour is (1, 0)
    torch.testing.assert_close(out, expected)


def test_gaussians_keep_float32_under_autocast():
    module, feature, joints = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = module(feature, joints)
    full = module(feature, joints)
    # the pose part is exact, the convolution of the feature rounds to 8 bits
    assert (half.float() - full).abs().max() < 0.02 * full.abs().max()


def test_published_parameter_counts():
    for joints, expected in ((29, 1_106_112), (21, 811_200)):
        module = MODELS.build(
            dict(
                type='PoseToFeature',
                feature_channels=64,
                num_joints=joints,
                heatmap_size=(64, 64, 64),
            )
        )
        parameters = sum(p.numel() for p in module.parameters())
        bn = 2 * 64
        assert parameters == (64 + joints * 64) * 64 * 9 + 64 + bn
        assert parameters == expected


def test_a_feature_of_another_size_is_refused_with_the_cure():
    module, feature, joints = build()
    with pytest.raises(ValueError, match='4 x heatmap_size'):
        module(feature[..., :-1], joints)
