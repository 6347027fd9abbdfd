"""Rooms: floor, two walls with pictures, windows and doors, ceiling. H x W the picture."""

from __future__ import annotations

import numpy as np

from .surroundings import Backdrop, Ground, plane_depth, random_color, warm_color
from .textures import bricks, lines, noise, noise_tile, planks, tiles


def room(
    rng: np.random.Generator, rays: np.ndarray, ground: Ground, subject_mm: np.ndarray
) -> Backdrop:
    turn = rng.uniform(-0.6, 0.6)
    back = np.cos(turn) * ground.ahead + np.sin(turn) * ground.right
    side = -np.sin(turn) * ground.ahead + np.cos(turn) * ground.right
    side = side * rng.choice([-1.0, 1.0])
    gaps = (rng.uniform(300, 4000), rng.uniform(400, 4000), rng.uniform(300, 1200))
    normals = (back, side, ground.up)
    # the walls leave room for the subject and for the camera, which is the origin
    offsets = [
        max((subject_mm @ normal).max(), 0.0) + gap
        for normal, gap in zip(normals, gaps, strict=True)
    ]
    planes = [(-ground.up, ground.height_mm), *zip(normals, offsets, strict=True)]
    depths = np.stack([plane_depth(rays, normal, offset) for normal, offset in planes])
    nearest, depth = depths.argmin(0), depths.min(0)
    points = rays * depth[..., None]
    right, ahead, up = (points @ a.astype(np.float32) / 1000 for a in (side, back, ground.up))
    up = up + ground.height_mm / 1000
    color = np.zeros_like(rays)
    paints = (
        lambda u, v: _floor_pattern(rng, u, v),
        lambda u, v: _wall_pattern(rng, u, v),
        lambda u, v: _wall_pattern(rng, u, v) * 0.85,
        lambda u, _: np.broadcast_to(random_color(rng, (0, 0.1), (0.7, 0.95)), (*u.shape, 3)),
    )
    coordinates = ((right, ahead), (right, up), (ahead, up), (right, ahead))
    for i, (paint, (u, v)) in enumerate(zip(paints, coordinates, strict=True)):
        mask = nearest == i
        if mask.any():
            color[mask] = paint(u[mask], v[mask])
    # corners are a little darker, the lamp leaves a gradient
    gaps = np.sort(depths, axis=0)
    corner = np.exp(-(gaps[1] - gaps[0]) / 250)
    gradient = (
        1 + rng.uniform(-0.15, 0.15) * np.tanh(right) + rng.uniform(0, 0.12) * np.tanh(up - 1)
    )
    color = color * (gradient * (1 - 0.25 * corner))[..., None]
    return Backdrop(np.clip(color, 0, 1).astype(np.float32), points, False)


def _floor_pattern(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colours of an indoor floor at (u, v) metres. (...) -> (..., 3)."""
    seed, kind = rng.uniform(0, 10), rng.choice(4)
    angle = rng.choice([0.0, np.pi / 2, np.pi / 4])
    u, v = u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)
    if kind == 0:
        return warm_color(rng, (0.35, 0.8)) * planks(u, v, seed)[..., None]
    if kind == 1:
        color = random_color(rng, (0, 0.25), (0.5, 0.9))
        return color * tiles(u, v, seed, rng.uniform(0.25, 0.6), rng.choice([0, 0.35]))[..., None]
    color = random_color(rng, (0, 0.32), (0.25, 0.8))
    rough = 0.08 if kind == 2 else 0.03  # carpet, else screed
    grain = noise(noise_tile(1, 0.4), u, v, 0.8) * rough + noise(noise_tile(2, 1.6), u, v, 4) * 0.05
    return color * (1 + grain)[..., None]


def _wall_pattern(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colours of an inner wall, u metres along and v metres above the floor."""
    seed, kind = rng.uniform(0, 10), rng.choice(5, p=(0.4, 0.16, 0.16, 0.14, 0.14))
    base = random_color(rng, (0, 0.25), (0.45, 0.95))
    color = base * (1 + 0.02 * noise(noise_tile(2, 1.6), u, v, 3.0))[..., None]
    if kind == 1:
        period = rng.uniform(0.1, 0.4)
        color = color * (1 - rng.uniform(0.06, 0.25) * lines(u, period, period / 2))[..., None]
    elif kind == 2:
        brick = np.array([rng.uniform(0.5, 0.75), 0.42, 0.35], np.float32)
        brick = brick if rng.random() < 0.6 else np.full(3, rng.uniform(0.5, 0.85), np.float32)
        color = brick * bricks(u, v, seed)[..., None]
    elif kind == 3:
        color = color * tiles(u, v, seed, rng.uniform(0.12, 0.3), 0)[..., None]
    elif kind == 4:  # wainscot
        low = random_color(rng, (0, 0.3), (0.3, 0.8))
        color = np.where((v < rng.uniform(0.8, 1.3))[..., None], low, color)
        color = color * (1 - 0.12 * lines(u, 0.3, 0.02) * (v < 1.0))[..., None]
    for _ in range(rng.integers(0, 4)):
        color = _hang_picture(rng, color, u, v)
    skirting = v < rng.uniform(0.05, 0.14)
    return np.where(skirting[..., None], base * 0.6 + 0.35, color)


def _hang_picture(
    rng: np.random.Generator, color: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """A framed picture, window, door or shelf on a wall."""
    kind = rng.choice(4)
    size = rng.uniform(0.3, 1.0, 2) if kind < 2 else np.array([rng.uniform(0.8, 1.6), 1.2])
    bottom = rng.uniform(0.9, 1.6)
    if kind == 3:
        size, bottom = np.array([0.9, 2.05]), 0.0
    a = (u - rng.uniform(-3, 3)) / size[0] + 0.5
    b = (v - bottom) / size[1]
    frame = 0.05 if kind != 2 else 0.03
    inside = (a > 0) & (a < 1) & (b > 0) & (b < 1)
    inner = (a > frame) & (a < 1 - frame) & (b > frame) & (b < 1 - frame)
    if kind == 2:  # window with a view and a cross
        view = np.stack([0.75 + 0.2 * b, 0.85 + 0.12 * b, 0.9 + 0.1 * b], -1)
        view = np.where(
            (b + 0.05 * noise(noise_tile(4, 1.2), a, b * 0, 1.0) < 0.35)[..., None],
            np.array([0.3, 0.45, 0.25])
            * (1 + 0.2 * noise(noise_tile(1, 0.8), a, b, 1.0))[..., None],
            view,
        )
        inner = inner & (np.abs(a - 0.5) > 0.02) & (np.abs(b - 0.5) > 0.02)
        rim = np.full(3, rng.uniform(0.6, 0.95))
    elif kind == 3:
        view = (
            random_color(rng, (0, 0.5), (0.3, 0.85))
            * (1 - 0.15 * ((np.mod(b * 3, 1) < 0.08) | (np.mod(a * 2, 1) < 0.08)))[..., None]
        )
        rim = np.full(3, rng.uniform(0.5, 0.9))
    else:
        first, second = (
            random_color(rng, (0.1, 0.8), (0.2, 0.9)),
            random_color(rng, (0.1, 0.8), (0.2, 0.9)),
        )
        mix = 0.5 + 0.5 * np.tanh(
            noise(noise_tile(rng.integers(4, 9), 1.5), a, b, rng.uniform(0.5, 2))
        )
        view = first * mix[..., None] + second * (1 - mix[..., None])
        rim = random_color(rng, (0, 0.4), (0.05, 0.8))
    color = np.where(inside[..., None], rim, color)
    return np.where(inner[..., None], view, color)
