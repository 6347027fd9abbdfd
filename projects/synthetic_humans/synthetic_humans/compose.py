"""Layers of painted meshes over a backdrop: one lit, anti-aliased, photographed picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from i2l_plugin.visualization.ray_scene import Camera, Hits, RayScene, vertex_normals
from i2l_plugin.visualization.renderer import render

from .lighting import Lights, Surface, light_surface, shadow_on_backdrop
from .surroundings import Backdrop

SUPERSAMPLE = 2


class Layer(NamedTuple):
    """A mesh and how its points are painted."""

    vertices_mm: np.ndarray  # (V, 3) camera frame
    faces: np.ndarray  # (F, 3)
    attributes: np.ndarray  # (V, C), interpolated and handed to `paint`
    paint: Callable[[np.ndarray], Surface]  # (N, C) -> Surface of N points


def compose(
    layers: Sequence[Layer], backdrop: Backdrop, camera: Camera, lights: Lights
) -> np.ndarray:
    """The scene as a sharp picture. -> (H, W, 3) float in [0, 1]."""
    scene = RayScene([(layer.vertices_mm, layer.faces) for layer in layers])
    normals = [vertex_normals(*mesh) for mesh in scene.meshes]

    def shade(hits: Hits) -> np.ndarray:
        normal = scene.interpolate(hits, normals)
        albedo, bump = np.empty((len(normal), 3)), np.empty((len(normal), 3))
        gloss = np.empty(len(normal))
        for i, layer in enumerate(layers):
            index = np.flatnonzero(hits.mesh_id == i)
            if not index.size:
                continue
            corners = layer.attributes[layer.faces[hits.face_id[index]]]
            surface = layer.paint((hits.barycentric[index, None] @ corners)[:, 0])
            albedo[index], bump[index], gloss[index] = surface
        return light_surface(Surface(albedo, bump, gloss), hits.points_mm, normal, scene, lights)

    color, coverage = render(scene, camera, shade, SUPERSAMPLE)
    behind = backdrop.color * shadow_on_backdrop(scene, backdrop, lights)
    return behind * (1 - coverage[..., None]) + color


def photograph(rng: np.random.Generator, picture: np.ndarray) -> bytes:
    """What a camera makes of it: exposure, colour cast, contrast, blur, noise, JPEG.

    Args:
        rng: Random source.
        picture: (H, W, 3) RGB in [0, 1].

    Returns:
        An encoded JPEG.
    """
    picture = picture * rng.uniform(0.85, 1.15) * rng.uniform(0.94, 1.06, 3)
    picture = (picture - 0.5) * rng.uniform(0.88, 1.12) + 0.5
    picture = np.clip(picture, 0, 1) ** rng.uniform(0.85, 1.15)
    picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), rng.uniform(0.3, 0.8))
    picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(0.002, 0.014)
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    quality = int(rng.integers(80, 96))
    done, data = cv2.imencode('.jpg', pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()
