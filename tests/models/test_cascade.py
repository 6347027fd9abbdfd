"""The estimator: structure, gradient flow, decoding (Eq. 7) and that it learns what it is shown."""

import numpy as np
import pytest
import torch
import torchvision
from helpers_models import FOCAL_PX, INPUT_PX, LIXELS, PRINCPT_PX, make_sample, tiny_model, toy_body

from i2l_plugin.models.targets import build_targets

FIVE_TERMS = {
    'loss_posenet_pose',
    'loss_meshnet_pose',
    'loss_vertex',
    'loss_normal',
    'loss_edge',
}


@pytest.fixture(scope='module')
def body():
    return toy_body()


def images(batch=2, seed=0):
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(seed))


def gradient_of(model, losses):
    model.zero_grad()
    sum(losses).backward()
    return {
        name
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.abs().sum() > 0
    }


def parts(names):
    return {name.split('.')[0] for name in names}


def test_tensor_mode_returns_joints_and_vertices_inside_the_volume(body):
    model = tiny_model(body).eval()
    out = model(images(), None, mode='tensor')
    assert out['joints_lixel'].shape == (2, 29, 3)
    assert out['vertices_lixel'].shape == (2, 192, 3)
    for points in out.values():
        assert points.min() >= 0
        assert points.max() <= LIXELS - 1


def test_untrained_heatmaps_are_almost_flat_so_everything_is_in_the_middle(body):
    out = tiny_model(body).eval()(images(), None, mode='tensor')
    middle = (LIXELS - 1) / 2
    torch.testing.assert_close(
        out['vertices_lixel'], torch.full((2, 192, 3), middle), atol=0.05, rtol=0
    )


def test_five_losses_by_default_and_seven_in_the_releases_variant(body):
    samples = [make_sample(body, i) for i in range(2)]
    assert set(tiny_model(body)(images(), samples, mode='loss')) == FIVE_TERMS
    seven = tiny_model(body, joint_targets=('fitted', 'annotated'))
    assert set(seven(images(), samples, mode='loss')) == {
        'loss_posenet_pose_fitted',
        'loss_posenet_pose_annotated',
        'loss_meshnet_pose_fitted',
        'loss_meshnet_pose_annotated',
        'loss_vertex',
        'loss_normal',
        'loss_edge',
    }


def test_losses_equal_their_terms_computed_from_the_targets(body):
    model = tiny_model(body).eval()
    samples = [make_sample(body, i) for i in range(2)]
    losses = model.loss(images(), samples)
    out = model(images(), None, mode='tensor')
    targets = build_targets(samples, body, model.codec)

    def l1(prediction, target):
        return ((prediction - target.lixel).abs() * target.weight).mean()

    regressed = torch.einsum('jv,bvc->bjc', body.joint_regressor, out['vertices_lixel'])
    expected = {
        'loss_posenet_pose': l1(out['joints_lixel'], targets.fitted_joints),
        'loss_meshnet_pose': l1(regressed, targets.fitted_joints),
        'loss_vertex': l1(out['vertices_lixel'], targets.vertices),
    }
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)


def test_the_heatmap_loss_is_of_posenets_joints_alone(body):
    model = tiny_model(body, heatmap_loss=dict(type='HeatmapLoss', sigma_lixel=1.0))
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(images(), samples, mode='loss')
    assert set(losses) == FIVE_TERMS | {'loss_posenet_heatmap'}
    # Heatmaps are flat before training: the entropy of a uniform guess for each point that counts.
    counts = build_targets(samples, body, model.codec).joints.weight.mean().item()
    expected = counts * np.log(16)
    assert losses['loss_posenet_heatmap'].item() == pytest.approx(expected, rel=1e-2)
    reached = gradient_of(model, [losses['loss_posenet_heatmap']])
    assert parts(reached) == {'backbone', 'pose_head'}


def test_gradients_stop_at_the_joints_but_reach_the_stem(body):
    model = tiny_model(body)
    losses = model(images(), [make_sample(body, i) for i in range(2)], mode='loss')
    mesh_losses = [losses[name] for name in FIVE_TERMS - {'loss_posenet_pose'}]
    reached = gradient_of(model, mesh_losses)
    assert parts(reached) == {'backbone', 'pose_to_feature', 'mesh_backbone', 'mesh_head'}
    of_posenet = {name for name in reached if name.startswith('backbone')}
    assert of_posenet == {'backbone.conv1.weight', 'backbone.bn1.weight', 'backbone.bn1.bias'}

    losses = model(images(), [make_sample(body, i) for i in range(2)], mode='loss')
    reached = gradient_of(model, [losses['loss_posenet_pose']])
    assert parts(reached) == {'backbone', 'pose_head'}


def test_meshnet_alone_regresses_its_joints_and_has_four_losses(body):
    model = tiny_model(body, cascade=False)
    losses = model(images(), [make_sample(body, i) for i in range(2)], mode='loss')
    assert set(losses) == FIVE_TERMS - {'loss_posenet_pose'}
    assert parts(gradient_of(model, losses.values())) == {'backbone', 'mesh_head'}
    model.eval()
    out = model(images(), None, mode='tensor')
    torch.testing.assert_close(
        out['joints_lixel'],
        torch.einsum('jv,bvc->bjc', body.joint_regressor, out['vertices_lixel']),
    )
    people = model(images(), [make_sample(body, i) for i in range(2)], mode='predict')
    instances = people[0].pred_instances
    np.testing.assert_array_equal(instances.posenet_joints_cam, instances.joints_cam)


def perfect_heatmaps(points_lixel):
    """Logits of narrow Gaussians whose mean is the given point."""
    index = torch.arange(float(LIXELS))
    return [-((index - points_lixel[..., i, None]) ** 2) / (2 * 0.8**2) for i in range(3)]


@pytest.mark.parametrize('rotation_deg', [0.0, 40.0])
def test_perfect_heatmaps_give_back_the_body_in_camera_space(body, rotation_deg):
    """Targets and decoding are inverse: project, crop, encode | decode, uncrop, back-project."""
    cos, sin = np.cos(np.deg2rad(rotation_deg)) * 0.1, np.sin(np.deg2rad(rotation_deg)) * 0.1
    centre = np.array([180.0, 150.0])
    linear = np.array([[cos, sin], [-sin, cos]])
    crop = np.concatenate([linear, (INPUT_PX / 2 - linear @ centre)[:, None]], axis=1)
    model = tiny_model(body).eval()
    sample = make_sample(body, crop_from_image=crop)
    labels = sample.gt_instance_labels
    vertices_mm, joints_mm = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)
    sample.set_metainfo(dict(root_depth_mm=float(joints_mm[0, 0, 2])))
    targets = build_targets([sample], body, model.codec)
    model.heatmaps = lambda _: (
        perfect_heatmaps(targets.fitted_joints.lixel),
        perfect_heatmaps(targets.vertices.lixel),
    )
    (result,) = model.predict(images(1), [sample])
    instances = result.pred_instances
    inside = targets.vertices.weight[0, :, 0].bool().numpy()
    assert inside.mean() > 0.9
    # the tails of a Gaussian near the border are cut: 3 lixels of margin
    lixel = targets.vertices.lixel[0].numpy()
    inside &= ((lixel > 3) & (lixel < LIXELS - 4)).all(1)
    np.testing.assert_allclose(
        instances.vertices_cam[0][inside], vertices_mm[0].numpy()[inside], atol=0.5
    )
    xyz = vertices_mm[0].numpy()[inside]
    pixels = xyz[:, :2] / xyz[:, 2:] * FOCAL_PX + PRINCPT_PX
    np.testing.assert_allclose(instances.vertices_img[0][inside, :2], pixels, atol=0.05)
    np.testing.assert_allclose(instances.vertices_img[0][inside, 2], xyz[:, 2], atol=0.5)
    posenet_lixel = targets.fitted_joints.lixel[0].numpy()
    inside = ((posenet_lixel > 3) & (posenet_lixel < LIXELS - 4)).all(1)
    np.testing.assert_allclose(
        instances.posenet_joints_cam[0][inside], joints_mm[0].numpy()[inside], atol=0.5
    )
    px_per_lixel = INPUT_PX / LIXELS / 0.1  # the crop shrinks the image ten times
    spread = instances.vertex_spread[0][inside[0] * np.arange(3)]
    np.testing.assert_allclose(spread[:, :2], 0.8 * px_per_lixel, rtol=0.02)
    np.testing.assert_allclose(spread[:, 2], 0.8 * 2000 / LIXELS, rtol=0.02)


def test_predictions_are_consistent_with_each_other(body):
    model = tiny_model(body).eval()
    samples = [make_sample(body, i) for i in range(2)]
    for sample in model(images(), samples, mode='predict'):
        p = sample.pred_instances
        regressor = body.joint_regressor.numpy()
        np.testing.assert_allclose(p.joints_cam[0], regressor @ p.vertices_cam[0], atol=0.01)
        xyz = p.joints_cam[0]
        pixels = xyz[:, :2] / xyz[:, 2:] * FOCAL_PX + PRINCPT_PX
        np.testing.assert_allclose(p.keypoints[0], pixels, atol=0.01)
        assert ((p.keypoint_scores >= 0) & (p.keypoint_scores < 0.2)).all()  # knows nothing yet
        np.testing.assert_array_equal(p.bboxes, [[0, 0, 320, 320]])


def test_half_a_cascade_and_unknown_targets_are_refused(body):
    with pytest.raises(ValueError, match='mesh_backbone'):
        tiny_model(body, mesh_backbone=None)
    with pytest.raises(ValueError, match='joint_targets'):
        tiny_model(body, joint_targets=('gt',))
    with pytest.raises(ValueError, match='joint_targets'):
        tiny_model(body, joint_targets=())
    with pytest.raises(ValueError, match=r'heatmap_loss.*pose_head'):
        tiny_model(body, cascade=False, heatmap_loss=dict(type='HeatmapLoss', sigma_lixel=1.0))


def test_an_unknown_root_depth_is_refused_by_sample(body):
    samples = [make_sample(body, i) for i in range(2)]
    samples[1].set_metainfo(dict(sample_id=77, root_depth_mm=float('nan')))
    with pytest.raises(ValueError, match=r'root_depth_mm of sample_id \[77\]'):
        tiny_model(body).eval()(images(), samples, mode='predict')


@pytest.mark.parametrize('depth_mm', [0.0, -3000.0])
def test_a_root_behind_the_camera_is_refused_by_sample(body, depth_mm):
    sample = make_sample(body)
    sample.set_metainfo(dict(sample_id=78, root_depth_mm=depth_mm))
    with pytest.raises(ValueError, match=r'root_depth_mm of sample_id \[78\]'):
        tiny_model(body).eval()(images(1), [sample], mode='predict')


@pytest.mark.parametrize('mode', ['tensor', 'loss', 'predict'])
@pytest.mark.parametrize('cascade', [True, False])
def test_an_input_of_another_size_than_the_codecs_is_refused(body, mode, cascade):
    model = tiny_model(body, cascade=cascade).eval()
    samples = [make_sample(body, i) for i in range(2)]
    wide = torch.zeros(2, 3, INPUT_PX, 2 * INPUT_PX)
    both = rf'\({2 * INPUT_PX}, {INPUT_PX}\) px .*codec.input_size is \({INPUT_PX}, {INPUT_PX}\)'
    with pytest.raises(ValueError, match=f"{both}; give TopdownAffine's input_size"):
        model(wide, samples, mode=mode)


def test_checkpoints_hold_no_body_model(body):
    assert not [name for name in tiny_model(body).state_dict() if 'body_model' in name]


def test_autocast_keeps_the_losses_of_float32_coordinates(body):
    model = tiny_model(body).eval()
    samples = [make_sample(body, i) for i in range(2)]
    full = model.loss(images(), samples)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = model.loss(images(), samples)
    for name in full:
        assert half[name].dtype == torch.float32
        torch.testing.assert_close(half[name], full[name], rtol=0.01, atol=1e-3)


def test_it_overfits_two_people(body):
    model = tiny_model(body)
    samples = [make_sample(body, i) for i in range(2)]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    start = None
    for _ in range(100):
        losses = model(images(), samples, mode='loss')
        start = start or {name: loss.item() for name, loss in losses.items()}
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    for name in ('loss_vertex', 'loss_posenet_pose', 'loss_meshnet_pose', 'loss_edge'):
        assert losses[name] < 0.35 * start[name], name


def test_a_torchvision_file_fills_both_trunks_and_the_rest_is_the_papers_gaussian(body, tmp_path):
    torch.manual_seed(1)
    weights = torchvision.models.resnet18(weights=None).state_dict()
    for name, tensor in weights.items():
        if tensor.is_floating_point():
            tensor.normal_()  # as no initialisation would leave them
        else:
            assert name.endswith('num_batches_tracked')
    torch.save(weights, tmp_path / 'resnet18.pth')
    pretrained = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet18.pth'))
    trunk = dict(type='StagedResNet', depth=18, init_cfg=pretrained)
    model = tiny_model(body, backbone=trunk, mesh_backbone=dict(trunk, with_stem=False))
    for part in (model.backbone, model.mesh_backbone):
        for name, tensor in part.state_dict().items():
            assert torch.equal(tensor, weights[name]), name
    assert len(model.backbone.state_dict()) == len(weights) - 2  # without fc
    rest = [model.pose_head, model.pose_to_feature, model.mesh_head]
    layers = [layer for part in rest for layer in part.modules() if hasattr(layer, 'weight')]
    drawn = [layer.weight.detach() for layer in layers if layer.weight.dim() > 1]
    assert len(drawn) == 2 * 7 + 1
    for weight in drawn:
        few = 4 / weight.numel() ** 0.5  # four standard errors
        assert abs(weight.mean()) < 0.001 * few
        assert weight.std() == pytest.approx(0.001, rel=few)
