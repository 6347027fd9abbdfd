"""Boxes, poles and tubes: furniture, seats and what stands in front of the subject."""

from __future__ import annotations

import numpy as np

from i2l_plugin.visualization.ray_scene import Camera

from .compose import Layer
from .framing import Shot
from .lighting import Surface
from .surroundings import Backdrop, Ground, random_color
from .textures import noise, noise_tile, planks

_BOX_FACES = np.array(
    [
        *((0, 2, 1), (1, 2, 3), (4, 5, 6), (5, 7, 6), (0, 1, 4), (1, 5, 4)),
        *((2, 6, 3), (3, 6, 7), (0, 4, 2), (2, 4, 6), (1, 3, 5), (3, 7, 5)),
    ]
)


def box_layer(
    rng: np.random.Generator, center_mm: np.ndarray, half_sizes_mm: np.ndarray, axes: np.ndarray
) -> Layer:
    """A box with its own corners at each side (flat shading), painted wood, cloth or plain.

    `axes` (3, 3) holds the unit directions of the half sizes in its rows.
    """
    corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    local = (corners * half_sizes_mm)[_BOX_FACES].reshape(-1, 3)
    faces = np.arange(len(local)).reshape(-1, 3)
    color = random_color(rng, (0.02, 0.5), (0.2, 0.9))
    seed, kind = rng.uniform(0, 10), rng.choice(3)

    def paint(points: np.ndarray) -> Surface:
        u, v, w = points.T / 1000
        if kind == 0:
            tone = planks(u + w, v, seed, 0.2)
        elif kind == 1:
            tone = 1 + 0.08 * noise(noise_tile(1, 0.5), u + 0.3 * w, v + 0.7 * w, 0.5)
        else:
            tone = 1 + 0.03 * noise(noise_tile(2, 1.6), u + w, v, 2.0)
        albedo = color * tone[:, None]
        return Surface(np.clip(albedo, 0, 1), np.zeros_like(albedo), np.full(len(u), 0.06))

    return Layer(center_mm + local @ axes, faces, local, paint)


def _turned_axes(rng: np.random.Generator, ground: Ground) -> np.ndarray:
    turn = rng.uniform(0, np.pi)
    first = np.cos(turn) * ground.right + np.sin(turn) * ground.ahead
    return np.stack([first, -ground.up, np.cross(first, -ground.up)])


def furniture(
    rng: np.random.Generator, shot: Shot, ground: Ground, backdrop: Backdrop
) -> list[Layer]:
    """Up to three boxes on the floor behind and beside the subject, in front of the walls."""
    low, high = shot.vertices_mm.min(0), shot.vertices_mm.max(0)
    reach = np.ptp(shot.vertices_mm @ ground.ahead) / 2
    layers = []
    for _ in range(rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))):
        half = np.array([rng.uniform(150, 700), rng.uniform(150, 900), rng.uniform(150, 450)])
        behind = reach + half.max() + rng.uniform(200, 2200)
        spread = 0.45 * (shot.vertices_mm[:, 2].mean() + behind)
        center = (low + high) / 2
        center = center + behind * ground.ahead + rng.uniform(-spread, spread) * ground.right
        center = center - ground.up * (center @ ground.up + ground.height_mm - half[1])
        layer = box_layer(rng, center, half, _turned_axes(rng, ground))
        if not _behind(layer.vertices_mm, shot.camera, backdrop):
            layers.append(layer)
    return layers


def _behind(vertices_mm: np.ndarray, camera: Camera, backdrop: Backdrop) -> bool:
    """Whether any vertex in view lies behind a wall."""
    vertices_mm = vertices_mm[vertices_mm[:, 2] > 1]
    x, y = np.rint(camera.project(vertices_mm)).astype(int).T
    width, height = camera.image_size_px
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    wall_mm = backdrop.points_mm[y[seen], x[seen], 2]
    return bool((vertices_mm[seen, 2] > 1.04 * wall_mm + 50).any())


def seat(rng: np.random.Generator, ground: Ground, below_mm: np.ndarray) -> Layer:
    """A box from the floor to the given lowest point of the seated body."""
    half = np.array([rng.uniform(190, 420), 0.0, rng.uniform(170, 230)])
    top = below_mm @ ground.up
    half[1] = max((top + ground.height_mm) / 2, 10.0)
    center = below_mm - ground.up * half[1]
    return box_layer(rng, center, half, _turned_axes(rng, ground))


def occluder(rng: np.random.Generator, shot: Shot, ground: Ground) -> Layer:
    """Something between camera and subject that hides a smaller part of it.

    A table edge or box from below, a pole, or a limb that enters from the side.
    """
    camera = shot.camera
    points = camera.project(shot.vertices_mm)
    low, high = points.min(0), points.max(0)
    size = high - low
    near = shot.vertices_mm[:, 2].min()
    depth = near * rng.uniform(0.7, 0.93)
    scale = depth / camera.focal_px[0]  # mm per px at that depth
    kind = rng.choice(3)
    axes = np.stack([ground.right, -ground.up, ground.ahead])
    if kind == 0:  # from below
        half_px = np.array([rng.uniform(0.2, 0.6) * size[0], size[1]])
        center_px = np.array(
            [rng.uniform(low[0], high[0]), high[1] - rng.uniform(0.08, 0.3) * size[1]]
        )
        center_px[1] += half_px[1]
    elif kind == 1:  # a pole
        half_px = np.array([rng.uniform(0.02, 0.05) * size.max(), 3 * camera.image_size_px[1]])
        center_px = np.array([rng.uniform(low[0], high[0]), 0.5 * camera.image_size_px[1]])
    else:
        return _limb(rng, camera.directions(rng.uniform(low, high)) * depth, scale * size.max())
    center = camera.directions(center_px) * depth
    half = np.array([half_px[0] * scale, half_px[1] * scale, rng.uniform(5, 40)])
    return box_layer(rng, center, half, axes)


def _limb(rng: np.random.Generator, tip_mm: np.ndarray, size_mm: float) -> Layer:
    """A sleeved or bare forearm that comes in from the left or right."""
    direction = np.array([rng.choice([-1.0, 1.0]), rng.uniform(-0.7, 0.7), 0.0])
    start, end = tip_mm, tip_mm + 3 * size_mm * direction
    radius = rng.uniform(0.025, 0.05) * size_mm
    color = random_color(rng, (0.2, 0.6), (0.3, 0.9))
    vertices, faces = tube(
        np.linspace(start, end, 8), np.full(8, radius) * np.linspace(0.8, 1.3, 8)
    )

    def paint(points: np.ndarray) -> Surface:
        albedo = np.broadcast_to(color, points.shape)
        return Surface(albedo, np.zeros_like(points), np.full(len(points), 0.05))

    return Layer(vertices, faces, vertices, paint)


def tube(centers: np.ndarray, radii: np.ndarray, sides: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """A closed round tube along points. (K, 3), (K,) -> vertices, faces."""
    axis = centers[-1] - centers[0]
    axis = axis / np.linalg.norm(axis)
    first = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    circle = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    rings = centers[:, None] + radii[:, None, None] * circle
    vertices = np.concatenate([rings.reshape(-1, 3), centers[[0, -1]]])
    k, i = np.meshgrid(np.arange(len(centers) - 1), np.arange(sides), indexing='ij')
    a, b = k * sides + i, k * sides + (i + 1) % sides
    quads = np.stack([a, b, b + sides, a, b + sides, a + sides], -1).reshape(-1, 3)
    i, j = np.arange(sides), (np.arange(sides) + 1) % sides
    last, head, tail = (len(centers) - 1) * sides, len(vertices) - 2, len(vertices) - 1
    caps = [
        np.stack([j, i, np.full(sides, head)], -1),
        np.stack([last + i, last + j, np.full(sides, tail)], -1),
    ]
    return vertices, np.concatenate([quads, *caps])
