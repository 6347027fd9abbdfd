"""Colours of people: any number, each far from all before it, for usual and red-green vision.

The first colour is the mesh's of single pictures. Every next one is, of a grid of middling light
and saturated sRGB colours, the one that differs most from those before (farthest-point order), so
a person's colour hangs on its number alone and a scene of few people gets the best ones.
Difference: the distance in OKLab (Ottosson 2020), the smallest over usual vision and simulated
protanopia and deuteranopia (Machado, Oliveira and Fernandes, IEEE TVCG 2009, severity 1).
Lightness counts for less, because shading changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

FIRST_COLOR = (0.55, 0.7, 0.9)
NUM_COLORS = 64  # then they repeat
_PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
_DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
_RED_GREEN_WEIGHT = 1.4  # colour-blind people see fewer colours: do not let them choose all
_LIGHTNESS_WEIGHT = 0.6
_LIGHTNESS, _CHROMA = (0.55, 0.88), (0.07, 0.17)  # of the candidates, OKLab
_LMS_FROM_LINEAR_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB_FROM_ROOTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def person_colors(numbers: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """RGB colours of people, the same for the same number whoever else is there.

    Args:
        numbers: How many people, or a whole number of each (N,), e.g. ``track_ids``: a person then
            keeps its colour through a video. Numbers that differ by a multiple of 64 share one.

    Returns:
        (N, 3) in [0, 1].
    """
    index = np.arange(numbers) if np.ndim(numbers) == 0 else np.asarray(numbers)
    if index.size and not np.issubdtype(index.dtype, np.integer):
        raise ValueError(f'numbers of people must be whole numbers, got {index.dtype}')
    return _palette()[index.astype(int) % NUM_COLORS]


def linear_rgb(colors: np.ndarray) -> np.ndarray:
    """Light of sRGB colours in [0, 1] (IEC 61966-2-1). (..., 3) -> (..., 3)."""
    return np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=1)
def _palette() -> np.ndarray:
    """(64, 3) colours in farthest-point order."""
    levels = np.linspace(0.15, 1, 14)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing='ij'), -1).reshape(-1, 3)
    lab = _oklab(grid)
    inside = (lab[:, 0] >= _LIGHTNESS[0]) & (lab[:, 0] <= _LIGHTNESS[1])
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    inside &= (chroma >= _CHROMA[0]) & (chroma <= _CHROMA[1])
    colors = np.concatenate([[FIRST_COLOR], grid[inside]])
    scale = np.array([_LIGHTNESS_WEIGHT, 1, 1])
    seen = [scale * _oklab(colors)]
    for vision in (_PROTANOPIA, _DEUTERANOPIA):
        seen.append(_RED_GREEN_WEIGHT * scale * _oklab(colors, vision))
    chosen, distance = [0], np.full(len(colors), np.inf)
    while len(chosen) < NUM_COLORS:
        to_last = [np.linalg.norm(points - points[chosen[-1]], axis=1) for points in seen]
        distance = np.minimum(distance, np.min(to_last, axis=0))
        chosen.append(int(distance.argmax()))
    palette = colors[chosen]
    palette.flags.writeable = False
    return palette


def _oklab(colors: np.ndarray, vision: np.ndarray | None = None) -> np.ndarray:
    """OKLab of sRGB colours, seen through a matrix on linear RGB. (N, 3) -> (N, 3)."""
    linear = linear_rgb(colors)
    if vision is not None:
        linear = np.clip(linear @ vision.T, 0, 1)
    return np.cbrt(linear @ _LMS_FROM_LINEAR_RGB.T) @ _OKLAB_FROM_ROOTS.T
