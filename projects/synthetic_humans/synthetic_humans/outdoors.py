"""Open air (sky, skyline, ground) and abstract clutter. H x W the picture."""

from __future__ import annotations

import cv2
import numpy as np

from .surroundings import FAR_MM, Backdrop, Ground, plane_depth, random_color, warm_color
from .textures import hash01, noise, noise_tile, tiles


def open_air(rng: np.random.Generator, rays: np.ndarray, ground: Ground) -> Backdrop:
    depth = plane_depth(rays, -ground.up, ground.height_mm)
    points = rays * depth[..., None]
    up, right, ahead = (
        rays @ a.astype(np.float32) for a in (ground.up, ground.right, ground.ahead)
    )
    azimuth = np.arctan2(right, ahead)
    elevation = up / np.hypot(right, ahead)
    color = _sky(rng, azimuth, elevation)
    for _ in range(rng.integers(1, 4)):
        color = _skyline(rng, color, azimuth, elevation)
    below = depth < FAR_MM
    u, v = (points @ a.astype(np.float32) / 1000 for a in (ground.right, ground.ahead))
    haze = np.clip(depth[below] / 80000, 0, 1)[..., None] * 0.6
    earth = _earth(rng, u[below], v[below])
    color[below] = earth * (1 - haze) + 0.7 * haze
    return Backdrop(np.clip(color, 0, 1).astype(np.float32), points, True)


def _sky(rng: np.random.Generator, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    top = np.array([rng.uniform(0.25, 0.6), rng.uniform(0.45, 0.7), rng.uniform(0.7, 0.95)])
    low = np.array([0.85, 0.88, 0.92]) * rng.uniform(0.85, 1.05)
    if rng.random() < 0.25:  # overcast or evening
        top = top.mean() * np.array([1.05, 1.0, 0.95])
    mix = np.clip(elevation * 2.2, 0, 1)[..., None]
    color = low * (1 - mix) + top * mix
    cloud = noise(noise_tile(5, 1.7), azimuth, elevation * 2.5, rng.uniform(0.8, 2.0))
    cloud = np.clip((cloud - rng.uniform(-0.5, 1.2)) * 0.8, 0, 1)[..., None]
    return (color * (1 - 0.8 * cloud) + 0.78 * cloud).astype(np.float32)


def _skyline(
    rng: np.random.Generator, color: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray
) -> np.ndarray:
    """Hills, trees or houses along the horizon."""
    kind, start = rng.choice(3), rng.uniform(0, 10)
    if kind == 2:  # houses with windows
        width = rng.uniform(0.1, 0.35)
        house = np.floor((azimuth + start) / width)
        top = rng.uniform(0.1, 0.5) * (0.4 + hash01(house, start))
        tone = (
            random_color(rng, (0, 0.35), (0.35, 0.8)) * (0.7 + 0.5 * hash01(house, 1.3))[..., None]
        )
        window = (np.mod(azimuth * 28, 1) < 0.5) & (np.mod(elevation * 24, 1) < 0.55)
        tone = np.where(
            (window & (elevation < top - 0.02))[..., None], tone * rng.uniform(0.35, 1.3), tone
        )
    else:
        ragged = noise(noise_tile(6, 1.8 if kind == 0 else 1.1), azimuth, 0 * azimuth + start, 2.5)
        top = rng.uniform(0.03, 0.25) + rng.uniform(0.02, 0.08) * ragged
        green = np.array([rng.uniform(0.15, 0.4), rng.uniform(0.3, 0.5), rng.uniform(0.12, 0.35)])
        rough = noise(noise_tile(1, 0.9), azimuth, elevation, 0.4)
        tone = green * (1 + (0.08 if kind == 0 else 0.3) * rough)[..., None]
        tone = tone * 0.75 + 0.25 * rng.uniform(0.4, 0.8)
    return np.where((elevation < top)[..., None], tone, color).astype(np.float32)


def _earth(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    kind, seed = rng.choice(4), rng.uniform(0, 10)
    fine, coarse = noise(noise_tile(1, 0.5), u, v, 1.5), noise(noise_tile(2, 1.6), u, v, 9.0)
    if kind == 0:  # grass
        color = np.array([rng.uniform(0.2, 0.45), rng.uniform(0.4, 0.6), rng.uniform(0.1, 0.3)])
        return color * (1 + 0.16 * fine + 0.14 * coarse)[..., None]
    if kind == 1:  # paving
        return (
            random_color(rng, (0, 0.2), (0.45, 0.8))
            * (tiles(u, v, seed, rng.uniform(0.3, 0.8), 0) + 0.05 * fine)[..., None]
        )
    if kind == 2:  # sand or soil
        return warm_color(rng, (0.5, 0.85)) * (1 + 0.06 * fine + 0.1 * coarse)[..., None]
    grey = rng.uniform(0.25, 0.5) * (1 + 0.1 * fine + 0.05 * coarse)
    stripe = (np.abs(u - rng.uniform(-3, 3)) < 0.07) & (np.mod(v + seed, 4) < 2.4)
    return np.where(stripe, 0.9, grey)[..., None] * np.array([1.0, 1.0, 1.02])


def clutter(rng: np.random.Generator, rays: np.ndarray) -> Backdrop:
    """Blurred coloured shapes at a distance: what a shallow depth of field leaves of a scene."""
    height, width = rays.shape[:2]
    first, second = (random_color(rng, (0.05, 0.7), (0.15, 0.9)) for _ in range(2))
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    mix = np.clip(
        0.5 + 0.35 * noise(noise_tile(7, 1.9), x + rng.uniform(), y + rng.uniform(), 1.5), 0, 1
    )
    color = np.ascontiguousarray(
        (first * mix[..., None] + second * (1 - mix[..., None])), np.float32
    )
    for _ in range(rng.integers(4, 18)):
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = rng.integers(4, max(5, width // 3), 2)
        tone = random_color(rng, (0.0, 0.9), (0.1, 0.95)).tolist()
        if rng.random() < 0.5:
            cv2.ellipse(
                color, center, axes.tolist(), rng.uniform(0, 180), 0, 360, tone, -1, cv2.LINE_AA
            )
        else:
            corner = (center[0] + int(axes[0]), center[1] + int(axes[1]))
            cv2.rectangle(color, center, corner, tone, -1)
    color = cv2.GaussianBlur(color, (0, 0), rng.uniform(0.6, 0.03 * width + 0.7))
    color = color * (1 + 0.04 * noise(noise_tile(1, 0.5), x, y, 1.0))[..., None]
    points = np.full_like(rays, FAR_MM)
    return Backdrop(np.clip(color, 0, 1).astype(np.float32), points, False)
