"""Names and shapes of the tensors in the release of I2L-MeshNet's authors, and of ours.

The numbers are the same: joints, vertices and channels have one order, and a 1D convolution of
width 1 over one column (the release's z branch) is a linear layer.

The parameter regressor ("+ SMPL regress", Table 6) becomes ``parameter_regressor.hidden.{0,1,3,4}``
(linear, BN, linear, BN), ``parameter_regressor.pose`` (rotations in 6D) and
``parameter_regressor.betas``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from i2l_plugin.body_models.joint_sets import BODY_29, HAND_21, MANO_16, SMPL_24

JOINT_SETS = {'body': BODY_29, 'hand': HAND_21}
KINDS = tuple(JOINT_SETS)
BODY_MODEL_PREFIX = 'human_model_layer.'
_VERTICES = {'body': 6890, 'hand': 778}
_POSED = {'body': len(SMPL_24), 'hand': len(MANO_16)}
_LIXELS, _UP, _STEM, _TOP = 64, 256, 64, 2048  # D, c', channels of F~_P and of F_P
_SHAPE_COEFFICIENTS = 10


class ReleasedTensor(NamedTuple):
    """A tensor of the release.

    Attributes:
        shape: There.
        name: Ours; None if it is left out, for the release never uses it.
        our_shape: Ours, of as many numbers.
    """

    shape: tuple[int, ...]
    name: str | None
    our_shape: tuple[int, ...]


_Entries = Iterator[tuple[str, ReleasedTensor]]


def _entry(theirs: str, ours: str | None, leaf: str, shape: tuple, our_shape: tuple) -> tuple:
    name = None if ours is None else f'{ours}.{leaf}'
    return f'{theirs}.{leaf}', ReleasedTensor(shape, name, our_shape)


def _layer(theirs: str, ours: str | None, *shape: int, bias: bool = True, flat: bool = False):
    """A convolution or linear layer; `flat` makes a 1D convolution of width 1 a linear layer."""
    yield _entry(theirs, ours, 'weight', shape, shape[:2] if flat else shape)
    if bias:
        yield _entry(theirs, ours, 'bias', shape[:1], shape[:1])


def _norm(theirs: str, ours: str | None, channels: int) -> _Entries:
    for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
        yield _entry(theirs, ours, leaf, (channels,), (channels,))
    yield _entry(theirs, ours, 'num_batches_tracked', (), ())


def _resnet50(theirs: str, ours: str, with_stem: bool) -> _Entries:
    conv, norm = (f'{ours}.conv1', f'{ours}.bn1') if with_stem else (None, None)
    yield from _layer(f'{theirs}.conv1', conv, _STEM, 3, 7, 7, bias=False)
    yield from _norm(f'{theirs}.bn1', norm, _STEM)
    c_in = _STEM
    for stage, (blocks, width) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True), 1):
        for block in range(blocks):
            place = f'layer{stage}.{block}'
            sizes = ((width, c_in, 1), (width, width, 3), (4 * width, width, 1))
            for i, (out, channels, size) in enumerate(sizes, 1):
                conv, norm = f'{place}.conv{i}', f'{place}.bn{i}'
                names = (f'{theirs}.{conv}', f'{ours}.{conv}')
                yield from _layer(*names, out, channels, size, size, bias=False)
                yield from _norm(f'{theirs}.{norm}', f'{ours}.{norm}', out)
            if block == 0:
                names = [f'{network}.{place}.downsample' for network in (theirs, ours)]
                yield from _layer(*(f'{n}.0' for n in names), 4 * width, c_in, 1, 1, bias=False)
                yield from _norm(*(f'{n}.1' for n in names), 4 * width)
            c_in = 4 * width


def _head(theirs: str, ours: str, points: int) -> _Entries:
    for i, (c_in, c_out) in enumerate(pairwise((_TOP, _UP, _UP, _UP))):
        names = [f'{theirs}.deconv', f'{ours}.upsample']
        yield from _layer(*(f'{n}.{3 * i}' for n in names), c_in, c_out, 4, 4, bias=False)
        yield from _norm(*(f'{n}.{3 * i + 1}' for n in names), c_out)
    depth = _UP * _LIXELS
    yield from _layer(f'{theirs}.conv_z_1.0', f'{ours}.depth_block.0', depth, _TOP, 1, flat=True)
    yield from _norm(f'{theirs}.conv_z_1.1', f'{ours}.depth_block.1', depth)
    for their_name, our_name in (
        ('conv_x', 'conv_x'),
        ('conv_y', 'conv_y'),
        ('conv_z_2', 'conv_z'),
    ):
        yield from _layer(f'{theirs}.{their_name}.0', f'{ours}.{our_name}', points, _UP, 1)


def _parameter_regressor(theirs: str, ours: str, joints: int, posed: int) -> _Entries:
    for i, (c_in, c_out) in enumerate(pairwise((3 * joints, 1024, 512))):
        names = (f'{theirs}.fc', f'{ours}.hidden')
        yield from _layer(*(f'{n}.{3 * i}' for n in names), c_out, c_in)
        yield from _norm(*(f'{n}.{3 * i + 1}' for n in names), c_out)
    yield from _layer(f'{theirs}.fc_pose.0', f'{ours}.pose', 6 * posed, 512)
    yield from _layer(f'{theirs}.fc_shape.0', f'{ours}.betas', _SHAPE_COEFFICIENTS, 512)


def released_tensors(kind: str) -> dict[str, ReleasedTensor]:
    """Tensors of the release's network by their names there, without the body model's.

    Raises:
        ValueError: `kind` is neither ``'body'`` nor ``'hand'``.
    """
    if kind not in KINDS:
        raise ValueError(f'kind: got {kind!r}, expected one of {KINDS}')
    joints = len(JOINT_SETS[kind])
    channels = _STEM + joints * _LIXELS
    return {
        **dict(_resnet50('pose_backbone', 'backbone', with_stem=True)),
        **dict(_head('pose_net', 'pose_head', joints)),
        **dict(_layer('pose2feat.conv.0', 'pose_to_feature.conv', _STEM, channels, 3, 3)),
        **dict(_norm('pose2feat.conv.1', 'pose_to_feature.bn', _STEM)),
        **dict(_resnet50('mesh_backbone', 'mesh_backbone', with_stem=False)),
        **dict(_head('mesh_net', 'mesh_head', _VERTICES[kind])),
        **dict(
            _parameter_regressor('param_regressor', 'parameter_regressor', joints, _POSED[kind])
        ),
    }
