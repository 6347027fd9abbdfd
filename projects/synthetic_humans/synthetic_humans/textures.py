"""Procedural textures: tileable noise, and patterns of metres on floors, walls and cloth.

A pattern is a function of two coordinate arrays (...) in metres that returns a brightness factor
(...) around 1 or a mask; colours are mixed by the callers.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

TILE_SIZE = 256


@lru_cache(maxsize=32)
def noise_tile(seed: int, exponent: float, stretch: float = 1.0) -> np.ndarray:
    """Periodic noise whose spectrum falls as 1 / frequency ** exponent. (256, 256), mean 0, std 1.

    `stretch` > 1 makes it vary that much faster along the first axis (wood grain).
    """
    rng = np.random.default_rng([97, seed])
    frequency = np.fft.fftfreq(TILE_SIZE)
    radius = np.hypot(frequency[:, None] / stretch, np.fft.rfftfreq(TILE_SIZE)[None])
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(TILE_SIZE, TILE_SIZE))) / radius**exponent
    tile = np.fft.irfft2(spectrum, s=(TILE_SIZE, TILE_SIZE))
    return (tile / tile.std()).astype(np.float32)


def noise(tile: np.ndarray, u: np.ndarray, v: np.ndarray, period: float) -> np.ndarray:
    """A noise tile sampled at (u, v), repeating every `period` metres. (...) -> (...)."""
    scale = TILE_SIZE / period
    x = np.ascontiguousarray(np.mod(u * scale, TILE_SIZE), dtype=np.float32)
    y = np.ascontiguousarray(np.mod(v * scale, TILE_SIZE), dtype=np.float32)
    shape = x.shape
    if x.size == 0:
        return np.zeros(shape, np.float32)
    # OpenCV's pictures may be at most 32767 wide: fold a list of points
    width = min(x.size, 1024)
    pad = -x.size % width
    x, y = (np.pad(a.ravel(), (0, pad)).reshape(-1, width) for a in (x, y))
    values = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return values.ravel()[: np.prod(shape, dtype=int)].reshape(shape)


def hash01(index: np.ndarray, seed: float) -> np.ndarray:
    """A random-looking number in [0, 1) for each whole number. (...) -> (...)."""
    return np.mod(np.sin(index * 12.9898 + seed * 78.233) * 43758.5453, 1.0)


def lines(u: np.ndarray, period: float, width: float) -> np.ndarray:
    """1 on lines of `width` every `period` metres, 0 elsewhere."""
    return (np.mod(u, period) < width).astype(np.float32)


def planks(u: np.ndarray, v: np.ndarray, seed: float, width: float = 0.14) -> np.ndarray:
    """Wooden boards along v with grain and dark grooves."""
    board = np.floor(u / width)
    shifted = v + 1.7 * hash01(board, seed)
    piece = board * 57 + np.floor(shifted / 1.1)
    grain = noise(noise_tile(3, 1.4, 6.0), shifted * 0.5 + piece, u * 1.0, 0.9)
    groove = np.maximum(lines(u, width, 0.006), lines(shifted, 1.1, 0.008))
    return (0.86 + 0.28 * hash01(piece, seed) + 0.06 * grain) * (1 - 0.45 * groove)


def tiles(u: np.ndarray, v: np.ndarray, seed: float, side: float, contrast: float) -> np.ndarray:
    """Square tiles with grout; `contrast` > 0 makes a chequerboard."""
    i, j = np.floor(u / side), np.floor(v / side)
    tone = 0.94 + 0.1 * hash01(i * 31 + j, seed) - contrast * np.mod(i + j, 2)
    grout = np.maximum(lines(u, side, 0.012), lines(v, side, 0.012))
    return tone * (1 - 0.35 * grout)


def bricks(u: np.ndarray, v: np.ndarray, seed: float) -> np.ndarray:
    """Running bond with light mortar."""
    row = np.floor(v / 0.085)
    along = u + 0.115 * np.mod(row, 2)
    tone = 0.8 + 0.35 * hash01(row * 17 + np.floor(along / 0.23), seed)
    mortar = np.maximum(lines(v, 0.085, 0.012), lines(along, 0.23, 0.012))
    return tone * (1 - mortar) + 1.35 * mortar
