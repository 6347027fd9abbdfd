"""Which pixels meshes may be seen in: those of the small tiles that their projected faces touch.

Rays are cast through these alone, which is most of a picture's time saved where people are far
apart or spread their limbs. Shapes: M meshes, V vertices, F faces, T rows or columns of tiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .ray_scene import Camera

TILE_PX = 8
NEAR_MM = 1e-6  # what is not farther than this is behind the camera


def touched_pixels(
    meshes: Sequence[tuple[np.ndarray, np.ndarray]], camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that hold every pixel which a mesh touches, and at most a tile's rim more.

    Args:
        meshes: (vertices_mm (V, 3), faces (F, 3)) of each, in the camera frame.
        camera: Pinhole camera.

    Returns:
        Rows y and columns x, (N,) each, in reading order. A face that reaches behind the camera
        has no bounded projection: all pixels then.
    """
    width, height = camera.image_size_px
    tiles = np.zeros((-(-height // TILE_PX), -(-width // TILE_PX)), dtype=bool)
    for vertices, faces in meshes:
        tiles |= _touched_tiles(vertices, faces, camera, tiles.shape)
    pixels = tiles.repeat(TILE_PX, axis=0)[:height].repeat(TILE_PX, axis=1)[:, :width]
    y, x = np.nonzero(pixels)
    return y, x


def _touched_tiles(
    vertices: np.ndarray, faces: np.ndarray, camera: Camera, shape: tuple[int, int]
) -> np.ndarray:
    """Tiles inside the box of any face, (T, T) bool."""
    in_front = vertices[:, 2] > NEAR_MM
    num_in_front = in_front[faces].sum(axis=1)
    if ((num_in_front == 1) | (num_in_front == 2)).any():
        return np.ones(shape, dtype=bool)
    faces = faces[num_in_front == 3]
    if len(faces) == 0:
        return np.zeros(shape, dtype=bool)
    points = camera.project(np.where(in_front[:, None], vertices, (0, 0, 1)))
    # a pixel reaches half a pixel around its centre; tiles outside count as row -1 or T
    tile = np.floor((points[:, ::-1] + 0.5) / TILE_PX)
    tile = np.clip(tile, -1, shape).astype(int)  # V, (row, column)
    a, b, c = (tile[faces[:, i]] for i in range(3))
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    # each face adds 1 at its box's first corner and takes it back behind its ends: the running
    # sum over rows and columns counts the boxes over each tile
    counts = np.zeros((shape[0] + 3, shape[1] + 3), dtype=int)
    rows, columns = (low[:, 0] + 1, high[:, 0] + 2), (low[:, 1] + 1, high[:, 1] + 2)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            index = row * counts.shape[1] + column
            counts += (-1) ** (i + j) * np.bincount(index, minlength=counts.size).reshape(
                counts.shape
            )
    return counts.cumsum(axis=0).cumsum(axis=1)[1:-2, 1:-2] > 0
