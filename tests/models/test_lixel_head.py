"""LixelHead against a transcription of Eqs. 1 and 2, hand-made weights and the paper's counts."""

import pytest
import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import nn

import i2l_plugin.models  # noqa: F401


def build(**options):
    torch.manual_seed(0)
    defaults = dict(in_channels=6, num_points=5, heatmap_size=(16, 8, 12), up_channels=4)
    return MODELS.build({'type': 'LixelHead', **defaults, **options}).eval()


def test_heatmaps_follow_equations_1_and_2():
    head = build()
    for layer in head.modules():  # statistics that a forgotten normalisation would not survive
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    feature = torch.randn(2, 6, 1, 2)
    p = dict(head.state_dict())

    def norm(x, name):
        stats = [p[f'{name}.{s}'] for s in ('running_mean', 'running_var', 'weight', 'bias')]
        return F.relu(F.batch_norm(x, *stats))

    up = feature
    for i in (0, 3, 6):
        up = F.conv_transpose2d(up, p[f'upsample.{i}.weight'], stride=2, padding=1)
        up = norm(up, f'upsample.{i + 1}')
    column_mean = torch.stack([up[:, :, :, x].mean(2) for x in range(16)], -1)  # over rows
    row_mean = torch.stack([up[:, :, y, :].mean(2) for y in range(8)], -1)
    pooled = torch.stack([feature[:, c].flatten(1).mean(1) for c in range(6)], 1)
    depth = norm(
        pooled @ p['depth_block.0.weight'].T + p['depth_block.0.bias'], 'depth_block.1'
    ).reshape(2, 4, 12)
    expected = [
        torch.einsum('nc,bcd->bnd', p[f'conv_{axis}.weight'][..., 0], line)
        + p[f'conv_{axis}.bias'][:, None]
        for axis, line in zip('xyz', (column_mean, row_mean, depth), strict=True)
    ]
    for ours, theirs in zip(head(feature), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ('points', 'parameters'),
    [(29, 44_113_239), (6890, 49_403_070), (21, 44_107_071), (778, 44_690_718)],
)
def test_parameter_counts_of_the_released_heads(points, parameters):
    with torch.device('meta'):
        head = build(
            in_channels=2048, num_points=points, heatmap_size=(64, 64, 64), up_channels=256
        )
    assert sum(p.numel() for p in head.parameters()) == parameters


def test_initial_weights_are_the_papers_gaussian():
    head = build(up_channels=64, in_channels=64)
    head.init_weights()
    for name, p in head.named_parameters():
        if p.dim() > 1:
            assert p.mean().abs().item() < 1e-4, name
            assert p.std().item() == pytest.approx(1e-3, rel=0.1), name
        else:
            is_scale = 'weight' in name
            assert p.unique().tolist() == [1.0 if is_scale else 0.0], name


def test_a_feature_of_another_size_is_refused_with_the_cure():
    with pytest.raises(ValueError, match='4 x heatmap_size'):
        build()(torch.zeros(1, 6, 2, 2))
