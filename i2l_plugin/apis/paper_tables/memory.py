"""Memory of lixel, pixel and voxel heatmaps over their resolution D (paper, Table 2).

Counted is what autograd saves of a head in training, on torch's fake tensors, which hold no data,
so that voxels of 64 x 64 x 64, more than 100 GB, can be counted as well. The up-sampling saves the
same in all heads, whatever the number of points; what a head saves more with V points more is the
heatmaps' own, the paper's O(V D), O(V D²), O(V D³).
Shape legend: B batch, V points, D lixels, C channels of the feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmpose.registry import MODELS
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from i2l_plugin.apis.training_memory import SavedActivations, distinct_bytes

from .budget import FEATURE
from .rows import Row

RESOLUTIONS = (8, 16, 32, 64)
STRIDE = 32
"""Of ResNet-50: 256 px give a feature of 8 x 8."""
COPIES_IN_TRAINING = 4
"""Each parameter, its gradient, and Adam's two moments."""
HEADS = {'lixel': 'LixelHead', 'pixel': 'PixelHead', 'voxel': 'VoxelHead'}
"""By the paper's word for them."""


def _head(head: Mapping[str, Any], num_points: int, lixels: int, in_channels: int) -> nn.Module:
    """In training mode, of `lixels` in each direction."""
    options = dict(
        in_channels=in_channels,
        num_points=num_points,
        heatmap_size=(lixels,) * 3,
        num_upsample=(lixels // FEATURE).bit_length() - 1,
    )
    return MODELS.build({**head, **options}).train()


def head_bytes(
    head: Mapping[str, Any], num_points: int, lixels: int, batch_size: int, in_channels: int = 2048
) -> int:
    """Saved by a head and its soft-argmax in a training step.

    Args:
        head: ``type`` and options.
        num_points: V.
        lixels: D, a power of two times 8.
        batch_size: B.
        in_channels: C.
    """
    with FakeTensorMode():
        module = _head(head, num_points, lixels, in_channels)
        feature = torch.empty(batch_size, in_channels, FEATURE, FEATURE, requires_grad=True)
        saved = SavedActivations(module)
        with saved:
            module.coordinates(module(feature))
    return saved.total


def heatmap_bytes(head: Mapping[str, Any], num_points: int, lixels: int, batch_size: int) -> int:
    """Of these, the heatmaps' own: what grows with the number of points."""
    one, two = (head_bytes(head, n * num_points, lixels, batch_size) for n in (1, 2))
    return two - one


def network_bytes(head: Mapping[str, Any], num_points: int, lixels: int, batch_size: int) -> int:
    """MeshNet alone with ResNet-50 in training: what is saved, parameters, gradients, Adam."""
    with FakeTensorMode():
        trunk = MODELS.build(dict(type='StagedResNet', depth=50))
        trunk.train()
        module = _head(head, num_points, lixels, trunk.feat_dim)
        saved = SavedActivations(nn.ModuleList([trunk, module]))
        with saved:
            (feature,) = trunk(torch.empty(batch_size, 3, *[FEATURE * STRIDE] * 2))
            module.coordinates(module(feature))
        held = distinct_bytes([*trunk.parameters(), *module.parameters()])
    return saved.total + COPIES_IN_TRAINING * held


def memory_curves(num_points: int, batch_size: int) -> dict[str, dict[str, list[int]]]:
    """Bytes at each of `RESOLUTIONS` by representation: ``'heatmaps'``, ``'head'``, ``'network'``.

    Args:
        num_points: V.
        batch_size: B.
    """
    counts = {'heatmaps': heatmap_bytes, 'head': head_bytes, 'network': network_bytes}
    return {
        name: {
            part: [count(dict(type=kind), num_points, d, batch_size) for d in RESOLUTIONS]
            for part, count in counts.items()
        }
        for name, kind in HEADS.items()
    }


def paper_memory(rows: Sequence[Row]) -> dict[str, list[tuple[int, float]]]:
    """The paper's GPU memory, (D, GB), by representation.

    Args:
        rows: Table 2's, named ``lixel-64``.
    """
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in HEADS}
    for row in rows:
        name, resolution = row.name.split('-')
        if 'memory_GB' in row.paper:
            found[name].append((int(resolution), row.paper['memory_GB']))
    return found


def slope(resolutions: Sequence[int], values: Sequence[float]) -> float:
    """Exponent k of the power law D^k that fits best (least squares of the logarithms)."""
    return float(np.polyfit(np.log(resolutions), np.log(values), 1)[0])
