"""What MeshNet is fed with, Eq. 9 left out, and other heads in the estimators."""

import pytest
import torch
from helpers_models import INPUT_PX, LIXELS, make_sample, tiny_model, toy_body

from i2l_plugin.models.targets import build_targets

MIRRORED_X = (INPUT_PX - 1) * LIXELS / INPUT_PX  # lixel of the last pixel


@pytest.fixture(scope='module')
def body():
    return toy_body()


def images(batch=2):
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))


def watched(body, **options):
    """A model, and the list of joints that its f_M is given."""
    model, fed = tiny_model(body, **options).eval(), []
    for parameter in model.pose_head.parameters():  # joints that differ from each other
        if parameter.dim() > 1:
            parameter.data.mul_(300)
    model.pose_to_feature.register_forward_pre_hook(lambda _, args: fed.append(args[1].detach()))
    return model, fed


def samples_of(body):
    """A fit, and a person of whom nothing but the pixels of half of the joints is annotated."""
    known = torch.arange(29.0) % 2
    unknown = make_sample(body, 1, fit_valid=[0.0], has_depth=[0.0], joints_valid=known[None])
    return [make_sample(body, 0), unknown], known.bool()


def test_the_truth_is_fed_where_it_is_known_and_posenets_joints_elsewhere(body):
    model, fed = watched(body, fed_pose='truth')
    samples, known = samples_of(body)
    losses = model(images(), samples, mode='loss')
    (joints,) = fed
    regressed = model(images(), None, mode='tensor')['joints_lixel'].detach()
    targets = build_targets(samples, body, model.codec)

    inside = targets.fitted_joints.weight[0].bool()
    assert inside.float().mean() > 0.5
    torch.testing.assert_close(joints[0][inside], targets.fitted_joints.lixel[0][inside])
    torch.testing.assert_close(joints[0][~inside], regressed[0][~inside])

    pixels = samples[1].gt_instance_labels.joints_img[0, :, :2]
    expected = regressed[1].clone()
    expected[known, :2] = pixels[known] * LIXELS / 320  # the whole picture of 320 px
    torch.testing.assert_close(joints[1], expected)
    assert (joints[1] - regressed[1])[known, :2].abs().min() > 0

    # PoseNet's own losses are those of the cascade, and MeshNet's reach no more of it than there
    usual, _ = watched(body)
    same = usual(images(), samples, mode='loss')
    torch.testing.assert_close(losses['loss_posenet_pose'], same['loss_posenet_pose'])
    losses['loss_vertex'].backward()
    reached = {n for n, p in model.backbone.named_parameters() if p.grad is not None}
    assert reached == {'conv1.weight', 'bn1.weight', 'bn1.bias'}


def test_the_truth_is_fed_when_testing_and_mirrored_with_the_picture(body):
    model, fed = watched(body, fed_pose='truth', test_cfg=dict(flip_test=True))
    samples, _ = samples_of(body)
    model(images(), samples, mode='predict')
    joints, mirrored = fed
    targets = build_targets(samples, body, model.codec)
    inside = targets.fitted_joints.weight[0, :, 0].bool()
    names = body.joint_set.joint_names
    seen = 0
    for i, name in enumerate(names):
        swap = {'L': 'R', 'R': 'L'}.get(name[0]) if name[1:2] == '_' else None
        other = names.index(swap + name[1:]) if swap else i
        if inside[i]:
            x, y, z = targets.fitted_joints.lixel[0, i]
            torch.testing.assert_close(joints[0, i], torch.stack([x, y, z]))
            expected = torch.stack([MIRRORED_X - x, y, z])
            torch.testing.assert_close(mirrored[0, other], expected)
            seen += 1
    assert seen > 15


def test_posenets_joints_are_fed_by_default_and_without_samples(body):
    for options in ({}, dict(fed_pose='truth')):
        model, fed = watched(body, **options)
        joints = model(images(), None, mode='tensor')['joints_lixel']
        assert torch.equal(fed[0], joints)
    model, fed = watched(body)
    model(images(), samples_of(body)[0], mode='loss')
    assert torch.equal(fed[0], joints)


def test_what_cannot_be_fed_is_refused(body):
    with pytest.raises(ValueError, match="'regressed' or 'truth', got 'gt'"):
        tiny_model(body, fed_pose='gt')
    with pytest.raises(ValueError, match='MeshNet alone is fed with no pose'):
        tiny_model(body, cascade=False, fed_pose='truth')


@pytest.mark.parametrize(
    ('targets', 'suffixes'),
    [(('mixed',), ['']), (('fitted', 'annotated'), ['_fitted', '_annotated'])],
)
def test_equation_9_can_be_left_out_and_the_others_stay(body, targets, suffixes):
    samples = samples_of(body)[0]
    both = [
        tiny_model(body, joint_targets=targets, meshnet_pose_loss=with_it).eval()
        for with_it in (True, False)
    ]
    full, rest = (model(images(), samples, mode='loss') for model in both)
    assert set(full) - set(rest) == {f'loss_meshnet_pose{suffix}' for suffix in suffixes}
    for name in rest:
        torch.testing.assert_close(rest[name], full[name])


@pytest.mark.parametrize(
    ('kind', 'options'),
    [
        ('VoxelHead', dict(up_channels=8, resolution=(4, 4, 4), num_upsample=1)),
        ('CoordinateHead', dict(hidden_units=16)),
    ],
)
def test_posenet_may_have_another_head_and_feeds_the_codecs_lixels(body, kind, options):
    model = tiny_model(body, pose_head=dict(type=kind, **options)).eval()
    fed = []
    model.pose_to_feature.register_forward_pre_hook(lambda _, args: fed.append(args[1]))
    people = model(images(), samples_of(body)[0], mode='predict')
    # Untrained, all joints are in the middle of the volume, or of the four voxels: 1.5 of 4.
    middle = 1.5 * LIXELS / 4 if kind == 'VoxelHead' else LIXELS / 2
    torch.testing.assert_close(fed[0], torch.full((2, 29, 3), middle), atol=0.1, rtol=0)
    assert people[0].pred_instances.posenet_joints_cam.shape == (1, 29, 3)


@pytest.mark.parametrize(
    'head',
    [dict(type='CoordinateHead'), dict(type='LixelHead', resolution=(8, 8, 8), num_upsample=2)],
)
def test_a_heatmap_loss_needs_heatmaps_of_the_codecs_lixels(body, head):
    loss = dict(type='HeatmapLoss', sigma_lixel=1.0)
    with pytest.raises(ValueError, match=r'heatmap_loss needs 1D heatmaps of \(16, 16, 16\)'):
        tiny_model(body, pose_head=head, heatmap_loss=loss)
