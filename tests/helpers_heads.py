"""Heads with weights that tell them apart, and their layers by hand in float64."""

import numpy as np
import torch
from mmpose.registry import MODELS
from torch import nn

import i2l_plugin.models  # noqa: F401 (registers the components)

LIXELS = (16, 8, 12)  # x, y, z
FEATURE = (2, 6, 2, 4)  # B, C, h, w: a quarter of x and y


def build_head(kind, seed=0, **options):
    """A head of 5 points in evaluation mode, its weights of order 1 and its statistics not 0, 1.

    An option that is None is left out.
    """
    torch.manual_seed(seed)
    sizes = {'in_channels': 6, 'num_points': 5, 'heatmap_size': LIXELS}
    config = {'type': kind, **sizes, **options}
    head = MODELS.build({name: value for name, value in config.items() if value is not None})
    for layer in head.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            layer.weight.data.uniform_(0.5, 2)
            layer.bias.data.normal_()
        elif isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Linear)):
            layer.weight.data.normal_()
            layer.bias is not None and layer.bias.data.normal_()
    return head.eval()


def some_feature(seed=1):
    return torch.randn(FEATURE, generator=torch.Generator().manual_seed(seed))


def arrays(head):
    return {name: tensor.double().numpy() for name, tensor in head.state_dict().items()}


def norm_relu(values, p, name):
    """Normalisation of channels (axis 1) by its statistics, and ReLU."""
    shape = (1, -1) + (1,) * (values.ndim - 2)
    mean, var, scale, shift = (
        p[f'{name}.{key}'].reshape(shape)
        for key in ('running_mean', 'running_var', 'weight', 'bias')
    )
    return np.maximum((values - mean) / np.sqrt(var + 1e-5) * scale + shift, 0)


def dense_relu(feature, p, name):
    """Mean of each channel's pixels, fully connected layer, normalisation, ReLU. -> (B, out)."""
    pooled = feature.double().numpy().reshape(*feature.shape[:2], -1).mean(-1)
    return norm_relu(pooled @ p[f'{name}.0.weight'].T + p[f'{name}.0.bias'], p, f'{name}.1')


def mean_and_deviation(likelihood, positions):
    """Of a heap of cells with likelihoods: (cells,) -> two numbers."""
    mean = deviation = 0.0
    for weight, position in zip(likelihood, positions, strict=True):
        mean += weight * position
    for weight, position in zip(likelihood, positions, strict=True):
        deviation += weight * (position - mean) ** 2
    return mean, deviation**0.5


def softmax(logits):
    likelihood = np.exp(logits - logits.max())
    return likelihood / likelihood.sum()


def expected_points(maps, positions):
    """Points and deviations of heatmaps over any cells.

    Args:
        maps: Logits (B, N, cells).
        positions: (cells, A), where each cell lies in the codec's lixels.
    """
    points = np.zeros((*maps.shape[:2], positions.shape[1]))
    spread = np.zeros_like(points)
    for b, n in np.ndindex(*maps.shape[:2]):
        likelihood = softmax(maps[b, n])
        for axis in range(positions.shape[1]):
            points[b, n, axis], spread[b, n, axis] = mean_and_deviation(
                likelihood, positions[:, axis]
            )
    return points, spread
