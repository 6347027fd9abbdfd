"""Skin, hair and cloth colours, and the small relief that makes them look so. N points."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .textures import hash01, lines, noise, noise_tile

SKIN_TONES = np.array(
    [
        *((0.93, 0.76, 0.66), (0.88, 0.68, 0.56), (0.82, 0.61, 0.47), (0.72, 0.51, 0.37)),
        *((0.58, 0.39, 0.27), (0.44, 0.29, 0.2), (0.33, 0.21, 0.15)),
    ]
)
HAIR_TONES = np.array(
    [
        *((0.06, 0.05, 0.05), (0.13, 0.09, 0.07), (0.25, 0.16, 0.1), (0.4, 0.27, 0.15)),
        *((0.66, 0.52, 0.32), (0.45, 0.2, 0.1), (0.6, 0.6, 0.6), (0.82, 0.8, 0.78)),
    ]
)
Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]  # u, v (N,) m -> (N, 3)


def draw_skin_tone(rng: np.random.Generator) -> np.ndarray:
    """(3,) RGB between two neighbouring tones."""
    position = rng.uniform(0, len(SKIN_TONES) - 1)
    low = min(int(position), len(SKIN_TONES) - 2)
    tone = SKIN_TONES[low] + (position - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low])
    return np.clip(tone * rng.uniform(0.94, 1.06, 3), 0, 1)


def draw_hair_tone(rng: np.random.Generator) -> np.ndarray:
    """(3,) RGB, mostly dark or brown."""
    weights = (0.25, 0.22, 0.18, 0.1, 0.1, 0.04, 0.07, 0.04)
    return HAIR_TONES[rng.choice(len(HAIR_TONES), p=weights)] * rng.uniform(0.85, 1.15)


def draw_cloth_color(rng: np.random.Generator) -> np.ndarray:
    """(3,) RGB: often black, white, grey, navy or muted, sometimes bright."""
    kind = rng.random()
    if kind < 0.3:
        return np.full(3, rng.choice([0.07, 0.13, 0.3, 0.55, 0.85, 0.92])) * rng.uniform(
            0.9, 1.1, 3
        )
    saturation = (0.15, 0.5) if kind < 0.65 else (0.55, 0.95)
    hsv = [rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(0.2, 0.92)]
    return cv2.cvtColor(np.array([[hsv]], np.float32), cv2.COLOR_HSV2RGB)[0, 0].astype(float)


def draw_pattern(rng: np.random.Generator, plain: float = 0.5) -> Pattern:
    """A cloth pattern: plain, stripes, checks, dots, blocks, camouflage or flowers."""
    first, second, third = (draw_cloth_color(rng) for _ in range(3))
    period, seed = rng.uniform(0.05, 0.16), rng.uniform(0, 10)
    kind = 0 if rng.random() < plain else rng.integers(1, 8)

    def mask(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        if kind == 1:
            return lines(v, period, period * 0.5)
        if kind == 2:
            return lines(u, period, period * 0.4)
        if kind == 3:
            return 0.5 * lines(u, period, period / 2) + 0.5 * lines(v, period, period / 2)
        if kind == 4:
            shifted = u + 0.5 * period * np.mod(np.floor(v / period), 2)
            a, b = np.mod(shifted / period, 1) - 0.5, np.mod(v / period, 1) - 0.5
            return (a**2 + b**2 < 0.09).astype(float)
        if kind == 5:
            return (hash01(np.floor(v / 0.17), seed) < 0.4).astype(float)
        if kind == 6:
            return (noise(noise_tile(4, 1.6), u, v, 0.9) > 0.1).astype(float)
        if kind == 7:
            return (noise(noise_tile(8, 1.1), u, v, 0.5) > 0.7).astype(float)
        return np.zeros(len(u))

    def pattern(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        m = mask(u, v)[:, None]
        color = first * (1 - m) + second * m
        if kind in (6, 7):
            spots = noise(noise_tile(9, 1.3), u + 0.3, v, 0.7) > 0.9
            color = np.where(spots[:, None], third, color)
        weave = 1 + 0.04 * noise(noise_tile(1, 0.4), u, v, 0.25)
        return color * weave[:, None]

    return pattern


def draw_denim(rng: np.random.Generator) -> Pattern:
    """Blue, grey or black jeans, lighter where they are worn."""
    color = np.array([0.2, 0.28, 0.45]) * rng.uniform(0.45, 1.7)
    if rng.random() < 0.3:
        color = np.full(3, rng.uniform(0.1, 0.45))

    def pattern(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        worn = (
            1
            + 0.1 * noise(noise_tile(2, 1.6), u, v, 0.8)
            + 0.06 * noise(noise_tile(1, 0.4), u, v, 0.3)
        )
        return color * worn[:, None]

    return pattern


def relief(points: np.ndarray, period: float, strength: float) -> np.ndarray:
    """Smooth random normal offsets that look like folds. (N, >= 3) m -> (N, 3)."""
    u, v = points[:, 0] + 0.45 * points[:, 2], points[:, 1] + 0.25 * points[:, 2]
    tile = noise_tile(10, 1.7)
    return strength * np.stack(
        [noise(tile, u + 0.37 * i, v - 0.21 * i, period) for i in range(3)], axis=-1
    )
