"""Pictures of meshes: shaded, anti-aliased, drawn over a photograph or from another side.

One ray is cast through the centre of each pixel that a mesh may touch; only pixels where the mesh
or the depth changes get a grid of sub-rays. Colours are RGB in [0, 1] in float pictures and
[0, 255] in uint8 ones; the functions do not care about RGB or BGR as long as it is one of them.
Shapes: V vertices, F faces, M meshes, N hits, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .colors import FIRST_COLOR
from .ray_scene import Camera, Hits, RayScene, vertex_normals
from .touched_pixels import touched_pixels

# Directions from the surface to the lights in the camera frame (x right, y down, z forward), and
# strengths: a key light from the upper left, a weaker fill from the right.
KEY_LIGHT = np.array([-0.45, -0.65, -0.62])
FILL_LIGHT = np.array([0.75, -0.1, -0.65])
KEY, FILL, AMBIENT = 0.62, 0.25, 0.28
# A neighbour that lies this many pixel footprints deeper belongs to another surface.
DEPTH_EDGE_FOOTPRINTS = 8.0


@dataclass(frozen=True)
class Mesh:
    """A mesh to draw.

    Args:
        vertices_mm: (V, 3) in the camera frame.
        faces: (F, 3) vertex indices.
        colors: (V, 3) or (3,) in [0, 1].
    """

    vertices_mm: np.ndarray
    faces: np.ndarray
    colors: np.ndarray | tuple[float, float, float] = FIRST_COLOR

    def vertex_colors(self) -> np.ndarray:
        """(V, 3) colours."""
        colors = np.asarray(self.colors, dtype=np.float64)
        shape = (len(self.vertices_mm), 3)
        if colors.shape not in {(3,), shape}:
            raise ValueError(f'colors must have shape (3,) or {shape}, got {colors.shape}')
        return np.broadcast_to(colors, shape)


def render(
    scene: RayScene, camera: Camera, shade: Callable[[Hits], np.ndarray], supersample: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Shade what the camera sees, with anti-aliased edges.

    Args:
        scene: Meshes in the camera frame.
        camera: Pinhole camera.
        shade: Colours (N, 3) of N hits, all on a mesh.
        supersample: Edge pixels get supersample ** 2 rays; 1 turns anti-aliasing off.

    Returns:
        Colour (H, W, 3) float32 multiplied by coverage, and coverage (H, W) float32 in [0, 1].
    """
    width, height = camera.image_size_px
    color = np.zeros((height, width, 3), np.float32)
    coverage = np.zeros((height, width), np.float32)
    y, x = touched_pixels(scene.meshes, camera)
    if len(y) == 0:
        return color, coverage
    pixels = np.stack([x, y], axis=-1).astype(np.float64)
    hits = scene.cast(camera.directions(pixels))
    whole = hits.mesh_id >= 0
    if supersample > 1:
        edges = np.flatnonzero(_edge_pixels(hits, y, x, camera))
        offset = (np.arange(supersample) + 0.5) / supersample - 0.5
        grid = np.stack(np.meshgrid(offset, offset), axis=-1).reshape(-1, 2)
        fine = scene.cast(camera.directions((pixels[edges, None] + grid).reshape(-1, 2)))
        shown = fine.mesh_id >= 0
        colors = np.zeros((len(shown), 3))
        colors[shown] = shade(fine.select(shown))
        coverage[y[edges], x[edges]] = shown.reshape(-1, len(grid)).mean(axis=1)
        color[y[edges], x[edges]] = colors.reshape(-1, len(grid), 3).mean(axis=1)
        whole[edges] = False
    coverage[y[whole], x[whole]] = 1
    color[y[whole], x[whole]] = shade(hits.select(whole))
    return color, coverage


def _edge_pixels(hits: Hits, y: np.ndarray, x: np.ndarray, camera: Camera) -> np.ndarray:
    """Hits beside a change of mesh or a jump in depth. N hits of pixels (y, x) -> (N,) bool."""
    y, x = y - y.min() + 1, x - x.min() + 1  # with a rim that shows nothing
    shape = (y.max() + 2, x.max() + 2)
    mesh_id, depth = np.full(shape, -1), np.zeros(shape)
    mesh_id[y, x], depth[y, x] = hits.mesh_id, hits.points_mm[:, 2]
    jump = DEPTH_EDGE_FOOTPRINTS / camera.focal_px.min()
    edges = np.zeros(shape, dtype=bool)
    for axis in (0, 1):
        first = [slice(None)] * 2
        second = [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        a, b = tuple(first), tuple(second)
        near = np.minimum(depth[a], depth[b])
        change = (mesh_id[a] != mesh_id[b]) | (np.abs(depth[a] - depth[b]) > jump * near)
        edges[a] |= change
        edges[b] |= change
    return edges[y, x]


def shade_smooth(scene: RayScene, colors: Sequence[np.ndarray]) -> Callable[[Hits], np.ndarray]:
    """A shader: vertex colours under a key light, a fill light and ambient, smooth normals.

    Both sides of a face are lit alike, so an open mesh (a hand's wrist) shows its inside.

    Args:
        scene: The scene that will be rendered.
        colors: One (V, 3) array in [0, 1] a mesh.
    """
    normals = [vertex_normals(vertices, faces) for vertices, faces in scene.meshes]
    attributes = [np.concatenate(pair, axis=1) for pair in zip(normals, colors, strict=True)]
    lights = np.stack([KEY_LIGHT, FILL_LIGHT])
    lights = lights / np.linalg.norm(lights, axis=-1, keepdims=True)

    def shade(hits: Hits) -> np.ndarray:
        values = scene.interpolate(hits, attributes)
        normal, base = values[:, :3], values[:, 3:]
        normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
        away = (normal * hits.points_mm).sum(-1, keepdims=True) > 0
        normal = np.where(away, -normal, normal)
        lit = np.maximum(normal @ lights.T, 0) @ np.array([KEY, FILL]) + AMBIENT
        return np.clip(base * lit[:, None], 0, 1)

    return shade


def overlay(
    image: np.ndarray,
    meshes: Sequence[Mesh],
    focal_px: np.ndarray,
    princpt_px: np.ndarray,
    opacity: float = 1.0,
    supersample: int = 3,
) -> np.ndarray:
    """Draw meshes over a picture; among themselves the nearer surface wins.

    Args:
        image: (H, W, 3) uint8.
        meshes: Meshes in the camera frame of `image`.
        focal_px: (2,) px.
        princpt_px: (2,) px, no half-pixel shift.
        opacity: 1 hides the picture behind the meshes, 0 leaves it as it was.
        supersample: Rays along each side of an edge pixel.

    Returns:
        (H, W, 3) uint8; pixels away from the meshes are untouched.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f'image must be uint8 (H, W, 3), got {image.dtype} {image.shape}')
    camera = Camera(focal_px, princpt_px, (image.shape[1], image.shape[0]))
    scene = RayScene([(mesh.vertices_mm, mesh.faces) for mesh in meshes])
    shade = shade_smooth(scene, [mesh.vertex_colors() for mesh in meshes])
    color, coverage = render(scene, camera, shade, supersample)
    result, touched = image.copy(), np.nonzero(coverage)
    kept = 1 - opacity * coverage[touched][:, None]
    blended = image[touched] * kept + 255 * opacity * color[touched]
    result[touched] = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
    return result


def render_view(
    meshes: Sequence[Mesh],
    image_size_px: tuple[int, int],
    azimuth_deg: float = 90.0,
    elevation_deg: float = 0.0,
    background: tuple[int, int, int] = (255, 255, 255),
    margin: float = 0.08,
) -> np.ndarray:
    """Meshes seen from another side, by a camera that turns about their centre and frames them.

    Args:
        meshes: Meshes in a camera frame (x right, y down, z forward).
        image_size_px: (width, height) of the result.
        azimuth_deg: Turn about the vertical; 0 is the original side, 90 looks along +x: what was
            far is then on the left, what was near on the right.
        elevation_deg: How far the camera rises above the meshes, looking down.
        background: Colour behind the meshes, 0..255.
        margin: Free border on each side as a share of the picture.

    Returns:
        (H, W, 3) uint8.
    """
    width, height = (int(size) for size in image_size_px)
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = background
    if not meshes:
        return canvas
    view = frame_view(
        np.concatenate([mesh.vertices_mm for mesh in meshes]),
        (width, height),
        azimuth_deg,
        elevation_deg,
        margin,
    )
    turned = [replace(mesh, vertices_mm=view.turn(mesh.vertices_mm)) for mesh in meshes]
    return overlay(canvas, turned, view.camera.focal_px, view.camera.princpt_px)


@dataclass(frozen=True)
class TurnedView:
    """A camera that looks at things from another side.

    Args:
        rotation: (3, 3), from the original frame's directions to the turned camera's.
        center_mm: (3,) point of the original frame that the camera turned about.
        distance_mm: Depth of that point in the turned camera.
        camera: The turned camera.
    """

    rotation: np.ndarray
    center_mm: np.ndarray
    distance_mm: float
    camera: Camera

    def turn(self, points_mm: np.ndarray) -> np.ndarray:
        """Points of the original camera frame in the turned one. (..., 3) -> (..., 3)."""
        return (points_mm - self.center_mm) @ self.rotation.T + (0, 0, self.distance_mm)


def frame_view(
    points_mm: np.ndarray,
    image_size_px: tuple[int, int],
    azimuth_deg: float,
    elevation_deg: float = 0.0,
    margin: float = 0.08,
) -> TurnedView:
    """The camera of `render_view` for points (N, 3), N >= 1, of a camera frame."""
    center = (points_mm.min(0) + points_mm.max(0)) / 2
    radius = max(np.linalg.norm(points_mm - center, axis=1).max(), 1e-3)
    rotation = view_rotation(azimuth_deg, elevation_deg)
    distance = 4 * radius  # far enough for little perspective
    points = (points_mm - center) @ rotation.T + (0, 0, distance)
    rays = points[:, :2] / points[:, 2:]
    low, high = rays.min(0), rays.max(0)
    size = np.array(image_size_px)
    focal = ((1 - 2 * margin) * size / np.maximum(high - low, 1e-6)).min()
    princpt = (size - 1) / 2 - focal * (low + high) / 2
    camera = Camera(np.array([focal, focal]), princpt, image_size_px)
    return TurnedView(rotation, center, float(distance), camera)


def view_rotation(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """Rotation that takes camera-frame offsets into the frame of the turned camera. (3, 3)."""
    a, e = np.deg2rad([azimuth_deg, elevation_deg])
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]])
    return tilt @ turn
