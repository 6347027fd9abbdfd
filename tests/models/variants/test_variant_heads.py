"""Every representation against loops over its cells, in float64, and hand-made answers."""

import numpy as np
import pytest
import torch
from helpers_heads import (
    LIXELS,
    arrays,
    build_head,
    dense_relu,
    expected_points,
    norm_relu,
    some_feature,
)

from i2l_plugin.codecs import SoftArgmaxCodec

HEADS = {
    'LixelHead': dict(up_channels=4, num_upsample=2),
    'EarlyLixelHead': dict(up_channels=4, num_upsample=2),
    'PixelHead': dict(up_channels=4, num_upsample=2),
    'VoxelHead': dict(up_channels=4, num_upsample=2),
    'DepthMapHead': dict(up_channels=4, num_upsample=2),
    'CoordinateHead': dict(hidden_units=7),
    'DenseLixelHead': dict(hidden_channels=4, heatmap_size=(8, 8, 8)),
}


def head_of(kind, **options):
    return build_head(kind, **{**HEADS[kind], **options})


def upsampled(head, feature):
    """f_up itself is tested with LixelHead; here its output is taken as it is."""
    with torch.no_grad():
        return head.upsample(feature).double().numpy()


def depth_logits(p, feature, channels=4):
    """The z branch: (B, N, Dz)."""
    lixels = dense_relu(feature, p, 'depth_block').reshape(len(feature), channels, -1)
    return np.einsum('nc,bcz->bnz', p['conv_z.weight'][..., 0], lixels) + p['conv_z.bias'][:, None]


def check(head, feature, points, spread):
    with torch.no_grad():
        output = head(feature)
        ours, deviation = head.coordinates(output), head.spread(output)
    assert points.std() > 0.3  # lixels: the test could tell points apart
    np.testing.assert_allclose(ours.numpy(), points, atol=1e-4)
    np.testing.assert_allclose(deviation.numpy(), spread, atol=1e-3)


def test_coordinate_head_is_two_layers_whose_unit_is_half_the_volume():
    head, feature = head_of('CoordinateHead'), some_feature()
    p = arrays(head)
    values = dense_relu(feature, p, 'hidden') @ p['out.weight'].T + p['out.bias']
    points = (1 + values.reshape(2, 5, 3)) * np.array(LIXELS) / 2
    check(head, feature, points, np.zeros((2, 5, 3)))


@pytest.mark.parametrize(('value', 'place'), [(-1.0, 0.0), (0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_coordinate_head_counts_from_the_middle_of_the_volume(value, place):
    head = head_of('CoordinateHead')
    head.out.weight.data.zero_()
    head.out.bias.data.fill_(value)
    points = head.coordinates(head(some_feature()))
    expected = torch.tensor(LIXELS) * place
    torch.testing.assert_close(points, expected.expand(2, 5, 3))


def test_dense_lixel_head_is_the_z_branch_for_every_axis():
    head, feature = head_of('DenseLixelHead'), some_feature()
    p = arrays(head)
    hidden = dense_relu(feature, p, 'hidden')  # channel c*D + lixel
    points, spread = np.zeros((2, 2, 5, 3))
    for i, axis in enumerate('xyz'):
        logits = np.zeros((2, 5, 8))
        for b, n, lixel in np.ndindex(2, 5, 8):
            weights = p[f'conv_{axis}.weight'][n, :, 0]
            logits[b, n, lixel] = weights @ hidden[b, lixel::8] + p[f'conv_{axis}.bias'][n]
        one = expected_points(logits, np.arange(8.0)[:, None])
        points[..., i], spread[..., i] = one[0][..., 0], one[1][..., 0]
    check(head, feature, points, spread)


def test_dense_lixel_head_does_not_see_where_things_are():
    head, feature = head_of('DenseLixelHead'), some_feature()
    moved = feature.flatten(2)[..., torch.randperm(8)].view_as(feature)
    torch.testing.assert_close(head(moved), head(feature))


@pytest.mark.parametrize('resolution', [None, (8, 4, 6)])
def test_pixel_head_is_the_softmax_over_pixels(resolution):
    options = {} if resolution is None else dict(resolution=resolution, num_upsample=1)
    head, feature = head_of('PixelHead', **options), some_feature()
    width, height, depth = resolution or LIXELS
    scale = LIXELS[0] / width  # the same on all axes here
    p, up = arrays(head), upsampled(head, feature)
    xy = np.einsum('nc,bcyx->bnyx', p['conv_xy.weight'][..., 0, 0], up)
    xy += p['conv_xy.bias'][:, None, None]
    cells = np.array([(x, y) for y in range(height) for x in range(width)]) * scale
    points, spread = expected_points(xy.reshape(2, 5, -1), cells)
    z, z_spread = expected_points(depth_logits(p, feature), np.arange(depth)[:, None] * scale)
    check(head, feature, np.concatenate([points, z], -1), np.concatenate([spread, z_spread], -1))


@pytest.mark.parametrize('resolution', [None, (4, 2, 3)])
def test_voxel_head_is_the_softmax_over_voxels(resolution):
    options = {} if resolution is None else dict(resolution=resolution, num_upsample=0)
    head, feature = head_of('VoxelHead', **options), some_feature()
    width, height, depth = resolution or LIXELS
    p, up = arrays(head), upsampled(head, feature)
    logits = np.zeros((2, 5, depth, height, width))
    for n, z in np.ndindex(5, depth):
        weights = p['conv_xyz.weight'][n * depth + z, :, 0, 0]
        logits[:, n, z] = np.einsum('c,bcyx->byx', weights, up) + p['conv_xyz.bias'][n * depth + z]
    cells = [(x, y, z) for z in range(depth) for y in range(height) for x in range(width)]
    positions = np.array(cells) * (LIXELS[0] / width)
    check(head, feature, *expected_points(logits.reshape(2, 5, -1), positions))


@pytest.mark.parametrize('resolution', [None, (8, 4)])
def test_depth_map_head_reads_the_depth_where_the_heatmap_is_likely(resolution):
    options = {} if resolution is None else dict(resolution=resolution, num_upsample=1)
    head, feature = head_of('DepthMapHead', **options), some_feature()
    width, height = resolution or LIXELS[:2]
    p, up = arrays(head), upsampled(head, feature)
    maps = [
        np.einsum('nc,bcyx->bnyx', p[f'{name}.weight'][..., 0, 0], up)
        + p[f'{name}.bias'][:, None, None]
        for name in ('conv_xy', 'conv_z')
    ]
    cells = np.array([(x, y) for y in range(height) for x in range(width)]) * (LIXELS[0] / width)
    points, spread = np.zeros((2, 2, 5, 3))
    points[..., :2], spread[..., :2] = expected_points(maps[0].reshape(2, 5, -1), cells)
    for b, n in np.ndindex(2, 5):  # the depths are the positions of that point's own cells
        depths = (1 + maps[1][b, n].reshape(-1, 1)) * LIXELS[2] / 2
        points[b, n, 2] = expected_points(maps[0][b : b + 1, n : n + 1].reshape(1, 1, -1), depths)[
            0
        ].item()
    check(head, feature, points, spread)


def test_early_lixel_head_up_samples_lines():
    head, feature = head_of('EarlyLixelHead'), some_feature()
    p, values = arrays(head), feature.double().numpy()
    lines = {'x': values.mean(2), 'y': values.mean(3)}
    points, spread = np.zeros((2, 2, 5, 3))
    logits = {'z': depth_logits(p, feature)}
    for axis, start in lines.items():
        line = start
        for layer in (0, 3):
            kernel = p[f'upsample_{axis}.{layer}.weight']  # (C_in, C_out, 4)
            out = np.zeros((2, kernel.shape[1], 2 * line.shape[-1]))
            for i, k in np.ndindex(line.shape[-1], 4):  # stride 2, padding 1
                if 0 <= 2 * i + k - 1 < out.shape[-1]:
                    out[..., 2 * i + k - 1] += line[..., i] @ kernel[..., k]
            line = norm_relu(out, p, f'upsample_{axis}.{layer + 1}')
        weights, bias = p[f'conv_{axis}.weight'][..., 0], p[f'conv_{axis}.bias']
        logits[axis] = np.einsum('nc,bcd->bnd', weights, line) + bias[:, None]
    for i, axis in enumerate('xyz'):
        one = expected_points(logits[axis], np.arange(LIXELS[i])[:, None])
        points[..., i], spread[..., i] = one[0][..., 0], one[1][..., 0]
    check(head, feature, points, spread)


@pytest.mark.parametrize('kind', ['LixelHead', 'PixelHead', 'VoxelHead', 'DepthMapHead'])
def test_a_coarse_heatmap_means_the_same_pixels_as_a_codec_of_its_size(kind):
    """Lixel 1 of 4 is the border between the first and the second quarter of the picture."""
    resolution = (4, 2) if kind == 'DepthMapHead' else (4, 2, 3)
    head = head_of(kind, resolution=resolution, num_upsample=0)
    whole = SoftArgmaxCodec((64, 32), LIXELS, 600)
    own = SoftArgmaxCodec((64, 32), (4, 2, 3), 600)
    certain = torch.full((1, 1, 2, 4), -1e4)
    certain[0, 0, 1, 1] = 0  # x = 1 of 4, y = 1 of 2
    z = torch.tensor([[[-1e4, -1e4, 0.0]]])  # 2 of 3
    if kind == 'DepthMapHead':
        output = (certain, torch.full_like(certain, 1 / 3))
    else:
        output = (certain.logsumexp(2), certain.logsumexp(3), z)
    points_crop = whole.to_crop(head.coordinates(output))
    torch.testing.assert_close(points_crop, own.to_crop(torch.tensor([[[1.0, 1.0, 2.0]]])))
    torch.testing.assert_close(points_crop, torch.tensor([[[16.0, 16.0, 100.0]]]))
    assert head.spread(output).abs().max() < 1e-3


@pytest.mark.parametrize('kind', HEADS)
def test_gradients_reach_every_parameter(kind):
    head = head_of(kind).train()
    output = head(some_feature())
    (head.coordinates(output) * torch.randn(2, 5, 3)).sum().backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('kind', HEADS)
def test_untrained_heads_see_the_middle_and_are_made_of_the_papers_gaussian(kind):
    options = {'in_channels': 64, **({'up_channels': 32} if 'up_channels' in HEADS[kind] else {})}
    head = head_of(kind, **options)
    head.init_weights()
    for name, p in head.named_parameters():
        if p.dim() > 1:
            assert p.std().item() == pytest.approx(1e-3, rel=0.2), name
        else:
            is_scale = p.dim() == 1 and 'weight' in name
            assert p.unique().tolist() == [1.0 if is_scale else 0.0], name
    feature = torch.randn(2, 64, 2, 4)
    shape = np.array(HEADS[kind].get('heatmap_size', LIXELS))
    middle = shape / 2 if kind == 'CoordinateHead' else (shape - 1) / 2
    if kind == 'DepthMapHead':
        middle[2] = shape[2] / 2
    head.train()
    points = head.coordinates(head(feature)).detach()
    np.testing.assert_allclose(points.numpy(), np.broadcast_to(middle, (2, 5, 3)), atol=0.1)


@pytest.mark.parametrize('kind', HEADS)
def test_autocast_still_gives_float32_coordinates(kind):
    head, feature = head_of(kind), some_feature()
    full = head.coordinates(head(feature))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        output = head(feature)
        half, spread = head.coordinates(output), head.spread(output)
    assert half.dtype == spread.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=0, atol=1.0)


@pytest.mark.parametrize('kind', ['EarlyLixelHead', 'PixelHead', 'VoxelHead', 'DepthMapHead'])
def test_a_feature_of_another_size_is_refused_with_the_cure(kind):
    with pytest.raises(ValueError, match=r'\(2, 2\).*becomes \(8, 8\).*4 x heatmap_size'):
        head_of(kind)(torch.zeros(1, 6, 2, 2))


@pytest.mark.parametrize('resolution', [(8, 4), (8, 4, 1)])
def test_a_resolution_that_is_none_is_refused(resolution):
    with pytest.raises(ValueError, match='resolution must be 3 numbers'):
        head_of('VoxelHead', resolution=resolution)


def test_dense_lixels_need_the_same_number_on_every_axis():
    with pytest.raises(ValueError, match=r'same for each, got \(16, 8, 12\)'):
        head_of('DenseLixelHead', heatmap_size=LIXELS)
