"""MeshNet alone learns eight people by heart with every representation."""

import pytest
import torch
from helpers_models import INPUT_PX, make_sample, tiny_model, toy_body

from i2l_plugin.models.targets import build_targets

HEADS = {
    'xyz': dict(type='CoordinateHead', hidden_units=64),
    'without-spatial': dict(type='DenseLixelHead', hidden_channels=32),
    'voxel': dict(type='VoxelHead', up_channels=8, resolution=(8, 8, 8), num_upsample=2),
    'pixel': dict(type='PixelHead', up_channels=8, num_upsample=3),
    'lixel-coarse': dict(type='LixelHead', up_channels=8, resolution=(8, 8, 8), num_upsample=2),
    'early': dict(type='EarlyLixelHead', up_channels=8, num_upsample=3),
    'depth-map': dict(type='DepthMapHead', up_channels=8, resolution=(8, 8), num_upsample=2),
    'max': dict(type='LixelHead', up_channels=8, num_upsample=3, marginalise='max'),
    'weighted': dict(type='LixelHead', up_channels=8, num_upsample=3, marginalise='weighted'),
}

SLOW = ('voxel', 'pixel', 'depth-map')  # a softmax over all cells at once
# The paper's Gaussian suits a trunk from ImageNet; this learns sooner.
FROM_NOTHING = [
    dict(type='Kaiming', layer=['Conv1d', 'Conv2d', 'ConvTranspose1d', 'ConvTranspose2d']),
    dict(type='Normal', std=0.01, layer='Linear'),
]


@pytest.fixture(scope='module')
def body():
    return toy_body()


@pytest.mark.parametrize('name', HEADS)
def test_it_overfits_eight_people(body, name):
    model = tiny_model(body, cascade=False, mesh_head=dict(HEADS[name], init_cfg=FROM_NOTHING))
    samples = [make_sample(body, i, transl_mm=[[150.0 * (i - 4), 100, 3000]]) for i in range(8)]
    targets = build_targets(samples, body, model.codec)
    images = torch.rand(8, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    target = targets.vertices
    everyone = target.lixel.median(0).values  # the best answer without a look at the picture
    blind = ((target.lixel - everyone).abs() * target.weight).mean().item()
    share = 1.0 if name in SLOW else 0.75
    for _ in range(60):
        losses = model.losses_of(model._forward(images), targets)
        if losses['loss_vertex'].item() < share * blind:
            return
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    pytest.fail(f'{losses["loss_vertex"].item():.3f} lixels, {blind:.3f} without the picture')
