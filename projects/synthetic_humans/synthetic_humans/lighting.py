"""Lamps and daylight, shadows, and what they make of painted surfaces.

Directions are unit vectors in the camera frame, from the surface to the light.
Shapes: N shaded points, H x W the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from i2l_plugin.visualization.ray_scene import RayScene

from .surroundings import FAR_MM, Backdrop, Ground

SURFACE_GAP_MM = 6.0
SHADOW_STRIDE = 2


class Surface(NamedTuple):
    """Painted points."""

    albedo: np.ndarray  # (N, 3) in [0, 1]
    bump: np.ndarray  # (N, 3) added to the unit normal: folds, hair, grain
    gloss: np.ndarray  # (N,) strength of the highlight


class Lights(NamedTuple):
    """A key light that casts shadows, a weak fill light, and light from above and below."""

    key_direction: np.ndarray
    key: np.ndarray  # (3,) colour times strength
    fill_direction: np.ndarray
    fill: np.ndarray
    sky: np.ndarray
    bounce: np.ndarray
    up: np.ndarray
    softness_px: float  # blur of the shadows on the surroundings


def draw_lights(rng: np.random.Generator, ground: Ground, outdoors: bool) -> Lights:
    """Key light anywhere from the left over the front to the right, and its companions."""
    azimuth, elevation = np.radians(rng.uniform(-115, 115)), np.radians(rng.uniform(22, 75))
    key_direction = _direction(ground, azimuth, elevation)
    fill_direction = _direction(
        ground, -azimuth * rng.uniform(0.3, 0.9), np.radians(rng.uniform(0, 40))
    )
    warm = rng.uniform(-0.08, 0.12)
    tint = np.array([1 + warm, 1.0, 1 - warm])
    hard = rng.random() < (0.6 if outdoors else 0.3)
    key = rng.uniform(0.75, 1.15) if hard else rng.uniform(0.3, 0.7)
    ambient = (1.12 - 0.62 * key) * rng.uniform(0.8, 1.1)
    return Lights(
        key_direction,
        key * tint,
        fill_direction,
        rng.uniform(0.05, 0.25) / tint,
        ambient / tint,
        ambient * rng.uniform(0.35, 0.6) * np.ones(3),
        ground.up,
        rng.uniform(0.8, 2.0) if hard else rng.uniform(2.5, 6.0),
    )


def _direction(ground: Ground, azimuth: float, elevation: float) -> np.ndarray:
    """From the subject: azimuth 0 towards the camera, positive to the picture's right."""
    level = -np.cos(azimuth) * ground.ahead + np.sin(azimuth) * ground.right
    return np.cos(elevation) * level + np.sin(elevation) * ground.up


def light_surface(
    surface: Surface, points_mm: np.ndarray, normals: np.ndarray, scene: RayScene, lights: Lights
) -> np.ndarray:
    """Colour of painted points. N points -> (N, 3) in [0, 1]."""
    view = -points_mm / np.linalg.norm(points_mm, axis=-1, keepdims=True)
    smooth = _unit(normals)
    smooth = np.where((smooth * view).sum(-1, keepdims=True) < 0, -smooth, smooth)
    normal = _unit(smooth + surface.bump)
    facing = normal @ lights.key_direction
    shadow = np.zeros(len(normal), bool)
    lit = np.flatnonzero(facing > 0)
    origins = points_mm[lit] + SURFACE_GAP_MM * smooth[lit]
    shadow[lit] = scene.occluded(origins, np.broadcast_to(lights.key_direction, origins.shape))
    key = np.clip((facing + 0.12) / 1.12, 0, 1) * np.where(shadow, 0.12, 1.0)
    fill = np.maximum(normal @ lights.fill_direction, 0)
    above = 0.5 + 0.5 * (normal @ lights.up)[:, None]
    light = lights.sky * above + lights.bounce * (1 - above)
    light = light + key[:, None] * lights.key + fill[:, None] * lights.fill
    half = _unit(view + lights.key_direction)
    highlight = np.maximum((normal * half).sum(-1), 0) ** 24 * surface.gloss * ~shadow
    return np.clip(surface.albedo * light + highlight[:, None] * lights.key, 0, 1)


def shadow_on_backdrop(scene: RayScene, backdrop: Backdrop, lights: Lights) -> np.ndarray:
    """How much light is left on floor and walls. (H, W, 1) in [0, 1]."""
    height, width = backdrop.color.shape[:2]
    points = backdrop.points_mm[::SHADOW_STRIDE, ::SHADOW_STRIDE]
    flat = points.reshape(-1, 3)
    left = np.ones((len(flat), 2), np.float32)
    # Only what lies near the subject can be in its shadow.
    vertices = np.concatenate([vertices for vertices, _ in scene.meshes])
    center, radius = vertices.mean(0), np.ptp(vertices, axis=0).max()
    near = np.flatnonzero(
        (flat[:, 2] < FAR_MM) & (np.linalg.norm(flat - center, axis=-1) < 2.2 * radius)
    )
    origins = flat[near] * 0.999
    for i, direction in enumerate((lights.key_direction, lights.up)):
        left[near, i] = ~scene.occluded(origins, np.broadcast_to(direction, origins.shape))
    left = left.reshape(*points.shape[:2], 2)
    key, contact = (
        cv2.GaussianBlur(np.ascontiguousarray(left[..., i]), (0, 0), sigma / SHADOW_STRIDE)
        for i, sigma in enumerate((lights.softness_px, 5.0))
    )
    strength = float(lights.key.mean() / (lights.key.mean() + lights.sky.mean()))
    light = (1 - 0.85 * strength * (1 - key)) * (1 - 0.45 * (1 - contact))
    return cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
