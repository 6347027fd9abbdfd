"""f_M evaluated separably against the same weights over the J x D volume of Eq. 3.

The plain way builds the 3D Gaussians, concatenates them behind F~_P and convolves, as in the
paper's Eq. 4. The gradient flows into the weights and into F~_P, as in training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import torch
from mmpose.registry import MODELS
from torch import Tensor

import i2l_plugin.models  # noqa: F401 (registers PoseToFeature)
from i2l_plugin.geometry.lixel import gaussian_1d

from ._ratios import Ratio, count, print_ratios, seconds_of_both


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    for name, default, meaning in (
        ('batch', 4, 'samples'),
        ('joints', 29, 'joints'),
        ('lixels', 64, 'lixels of each axis'),
        ('repeats', 5, 'runs of which the fastest counts'),
    ):
        text = f'{meaning} (default: %(default)s)'
        parser.add_argument(f'--{name}', type=count, default=default, help=text)


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 if a ratio is lower than promised."""
    return print_ratios(measure(args))


def through_volume(module: torch.nn.Module, feature: Tensor, joints_lixel: Tensor) -> Tensor:
    """f_M as Eq. 4 says: (B, C, Dy, Dx) and (B, J, 3) -> (B, C, Dy, Dx)."""
    sizes = module.heatmap_size
    x, y, z = (gaussian_1d(joints_lixel[..., i], sizes[i], module.sigma_lixel) for i in range(3))
    volume = torch.einsum('bjz,bjy,bjx->bjzyx', z, y, x).flatten(1, 2)
    return module.relu(module.bn(module.conv(torch.cat([feature, volume], dim=1))))


def measure(args: argparse.Namespace) -> Iterator[Ratio]:
    """Forward, and forward with backward."""
    torch.manual_seed(0)
    size = (args.lixels,) * 3
    module = MODELS.build(
        dict(type='PoseToFeature', feature_channels=64, num_joints=args.joints, heatmap_size=size)
    )
    feature = torch.randn(args.batch, 64, *size[:2], requires_grad=True)
    joints = torch.rand(args.batch, args.joints, 3) * (args.lixels - 1)

    def ways(run: Callable[[Tensor], object]) -> list[Callable[[], object]]:
        return [
            lambda: run(through_volume(module, feature, joints)),
            lambda: run(module(feature, joints)),
        ]

    def backward(out: Tensor) -> Tensor:
        module.zero_grad()
        out.square().sum().backward()
        return module.conv.weight.grad.clone()

    for case, run, promised in (
        ('forward', Tensor.detach, 8),
        ('forward + backward', backward, 20),
    ):
        plain, fast = ways(run)
        expected, ours = plain(), fast()
        error = ((ours - expected).abs().max() / expected.abs().max()).item()
        with torch.set_grad_enabled(run is backward):
            seconds = seconds_of_both(plain, fast, args.repeats)
        name = f'{case}, batch {args.batch}'
        yield Ratio(name, *seconds, difference=f'{error:.1e} relative', promised=promised)
