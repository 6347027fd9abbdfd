"""PoseNet alone is the cascade's first stage, and its checkpoint the cascade's start."""

import numpy as np
import pytest
import torch
from helpers_models import INPUT_PX, LIXELS, make_sample, tiny_model, toy_body
from mmpose.registry import MODELS

from i2l_plugin.models.targets import build_targets


@pytest.fixture(scope='module')
def body():
    return toy_body()


def images(batch=2):
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))


def tiny_posenet(body_model, **options):
    """PoseNet with the sizes of `tiny_model`."""
    config = dict(
        type='PoseNetEstimator',
        backbone=dict(type='StagedResNet', depth=18, stem_channels=8, base_channels=8),
        pose_head=dict(type='LixelHead', up_channels=8, num_upsample=3),
        codec=dict(
            type='SoftArgmaxCodec',
            input_size=(INPUT_PX, INPUT_PX),
            heatmap_size=(LIXELS, LIXELS, LIXELS),
            depth_range_mm=2000,
        ),
        body_model=body_model,
        coordinate_loss=dict(type='CoordinateL1Loss'),
    )
    torch.manual_seed(0)
    model = MODELS.build({**config, **options})
    model.init_weights()
    return model


def scramble(model):
    """Weights far from the initialisation, so that nothing agrees by being flat."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            scale = (6 / parameter[0].numel()) ** 0.5
            parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    return model.eval()


def test_it_is_the_cascades_first_stage(body):
    cascade, posenet = scramble(tiny_model(body)), tiny_posenet(body).eval()
    own = set(posenet.state_dict())
    first_stage = {n: t for n, t in cascade.state_dict().items() if n in own}
    posenet.load_state_dict(first_stage)  # strict: not one name is missing
    joints = posenet(images(), None, mode='tensor')['joints_lixel']
    assert joints.std() > 0.5
    assert torch.equal(joints, cascade(images(), None, mode='tensor')['joints_lixel'])
    samples = [make_sample(body, i) for i in range(2)]
    with torch.no_grad():
        ours, theirs = (model.loss(images(), samples) for model in (posenet, cascade))
    assert set(ours) == {'loss_posenet_pose'}
    assert torch.equal(ours['loss_posenet_pose'], theirs['loss_posenet_pose'])


def test_its_checkpoint_starts_the_cascade_and_its_trunk_starts_meshnets(body, tmp_path):
    posenet = scramble(tiny_posenet(body))
    torch.save({'state_dict': posenet.state_dict()}, tmp_path / 'posenet.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'posenet.pth'), prefix='backbone.')
    trunk = dict(type='StagedResNet', depth=18, stem_channels=8, base_channels=8)
    cascade = tiny_model(body, mesh_backbone=dict(trunk, with_stem=False, init_cfg=start))
    result = cascade.load_state_dict(posenet.state_dict(), strict=False)
    assert not result.unexpected_keys
    missing = {name.split('.')[0] for name in result.missing_keys}
    assert missing == {'pose_to_feature', 'mesh_backbone', 'mesh_head'}
    weights = posenet.backbone.state_dict()
    for name, tensor in cascade.mesh_backbone.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


def test_losses_are_those_of_each_joint_target_and_of_the_heatmaps(body):
    model = tiny_posenet(
        body,
        joint_targets=('fitted', 'annotated'),
        heatmap_loss=dict(type='HeatmapLoss', sigma_lixel=1.0),
    )
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(images(), samples, mode='loss')
    targets = build_targets(samples, body, model.codec)
    middle = (LIXELS - 1) / 2  # of the flat heatmaps before training
    for name in ('fitted', 'annotated'):
        target = getattr(targets, f'{name}_joints')
        expected = ((middle - target.lixel).abs() * target.weight).mean().item()
        assert losses[f'loss_posenet_pose_{name}'].item() == pytest.approx(expected, rel=1e-2)
    uniform = targets.fitted_joints.weight.mean().item() * np.log(LIXELS)
    assert losses['loss_posenet_heatmap'].item() == pytest.approx(uniform, rel=1e-2)
    assert len(losses) == 3

    annotated = tiny_posenet(body, joint_targets=('annotated',))
    losses_without_posing = annotated(images(), samples, mode='loss')
    name = 'loss_posenet_pose_annotated'
    assert losses_without_posing.keys() == {name}
    torch.testing.assert_close(losses_without_posing[name], losses[name])


def test_perfect_heatmaps_give_back_the_joints_in_camera_space(body):
    model = tiny_posenet(body).eval()
    sample = make_sample(body)
    labels = sample.gt_instance_labels
    _, joints_mm = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)
    sample.set_metainfo(dict(root_depth_mm=float(joints_mm[0, 0, 2])))
    lixel = build_targets([sample], body, model.codec).fitted_joints.lixel  # (1, J, 3)
    index = torch.arange(float(LIXELS))
    model.heatmaps = lambda _: [
        -((index - lixel[..., axis, None]) ** 2) / (2 * 0.8**2) for axis in range(3)
    ]
    (result,) = model.predict(images(1), [sample])
    instances = result.pred_instances
    inside = ((lixel[0] > 3) & (lixel[0] < LIXELS - 4)).all(1).numpy()
    assert inside.sum() > 10
    expected = joints_mm[0].numpy()
    np.testing.assert_allclose(instances.joints_cam[0][inside], expected[inside], atol=0.5)
    np.testing.assert_array_equal(instances.posenet_joints_cam, instances.joints_cam)
    focal, centre = sample.metainfo['focal_px'], sample.metainfo['princpt_px']
    pixels = expected[:, :2] / expected[:, 2:] * focal + centre
    np.testing.assert_allclose(instances.keypoints[0][inside], pixels[inside], atol=0.05)
    # A heatmap of 0.8 lixels against a uniform one over D lixels.
    score = 1 - 0.8 / ((LIXELS**2 - 1) / 12) ** 0.5
    np.testing.assert_allclose(instances.keypoint_scores[0][inside], score, rtol=0.01)


def test_an_input_of_another_size_is_refused(body):
    with pytest.raises(ValueError, match='input_size'):
        tiny_posenet(body)(torch.zeros(1, 3, 32, 64), None, mode='tensor')
