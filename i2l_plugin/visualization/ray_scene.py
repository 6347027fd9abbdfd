"""Camera rays against triangle meshes, by Embree (through trimesh's embreex wheels; no OpenGL).

The pinhole camera looks along +z with x right and y down; pixel (0, 0) has its CENTRE at
coordinates (0, 0), so a point (X, Y, Z) mm is seen at (fx X / Z + cx, fy Y / Z + cy) px.
Shapes: V vertices, F faces, M meshes, N rays, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene


@dataclass(frozen=True)
class Camera:
    """A pinhole camera and its picture.

    Args:
        focal_px: (2,) focal lengths fx, fy in px.
        princpt_px: (2,) principal point in px (no half-pixel shift).
        image_size_px: (width, height) of the picture.
    """

    focal_px: np.ndarray
    princpt_px: np.ndarray
    image_size_px: tuple[int, int]

    def __post_init__(self) -> None:
        for name in ('focal_px', 'princpt_px'):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if array.shape != (2,) or not np.isfinite(array).all():
                raise ValueError(f'{name} must be 2 finite numbers (x, y), got {array!r}')
            object.__setattr__(self, name, array)
        if (self.focal_px <= 0).any():
            raise ValueError(f'focal_px must be positive, got {self.focal_px}')
        width, height = (int(size) for size in self.image_size_px)
        if width < 1 or height < 1:
            raise ValueError(f'image_size_px must be (width, height) >= 1, got {width, height}')
        object.__setattr__(self, 'image_size_px', (width, height))

    def directions(self, pixels: np.ndarray) -> np.ndarray:
        """Ray directions with z = 1 of pixel coordinates. (..., 2) px -> (..., 3)."""
        xy = (np.asarray(pixels, dtype=np.float64) - self.princpt_px) / self.focal_px
        return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)

    def project(self, points_mm: np.ndarray) -> np.ndarray:
        """Pixel coordinates of points in front of the camera. (..., 3) mm -> (..., 2) px."""
        points_mm = np.asarray(points_mm, dtype=np.float64)
        return points_mm[..., :2] / points_mm[..., 2:] * self.focal_px + self.princpt_px


class Hits(NamedTuple):
    """What N rays met first; a ray that met nothing has mesh_id -1 and zeros elsewhere."""

    mesh_id: np.ndarray  # (N,) int, index into the scene's meshes, -1 for a miss
    face_id: np.ndarray  # (N,) int, face of that mesh
    barycentric: np.ndarray  # (N, 3), weights of the face's three vertices, sum 1
    points_mm: np.ndarray  # (N, 3), hit point in the camera frame; [:, 2] is the depth

    def select(self, index: np.ndarray) -> Hits:
        """The hits at an index array or boolean mask."""
        return Hits(*(field[index] for field in self))

    @staticmethod
    def concatenate(parts: Sequence[Hits]) -> Hits:
        """Several sets of hits as one."""
        return Hits(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


class RayScene:
    """Meshes in the camera frame, ready for ray queries.

    Args:
        meshes: (vertices_mm (V, 3), faces (F, 3)) of each mesh; mesh i answers as mesh_id i.

    Raises:
        ValueError: A mesh is malformed; the message names it and the array.
    """

    def __init__(self, meshes: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        self.meshes: list[tuple[np.ndarray, np.ndarray]] = []
        self._scene = EmbreeScene()
        for i, (vertices, faces) in enumerate(meshes):
            vertices, faces = np.asarray(vertices, dtype=np.float64), np.asarray(faces)
            check_mesh(f'mesh {i}', vertices, faces)
            self.meshes.append((vertices, faces))
            TriangleMesh(
                self._scene,
                np.ascontiguousarray(vertices, dtype=np.float32),
                np.ascontiguousarray(faces, dtype=np.int32),
            )

    def cast(self, directions: np.ndarray) -> Hits:
        """First hit of rays from the camera centre. Directions (N, 3) with z = 1 -> N Hits."""
        directions = np.asarray(directions, dtype=np.float64)
        count = len(directions)
        if not self.meshes or count == 0:
            empty = np.zeros(count, dtype=np.int64)
            return Hits(empty - 1, empty, np.zeros((count, 3)), np.zeros((count, 3)))
        rays = np.ascontiguousarray(directions, dtype=np.float32)
        found = self._scene.run(np.zeros_like(rays), rays, output=1)
        # embreex numbers geometries in the order of construction
        mesh_id = np.where(found['primID'] >= 0, found['geomID'], -1).astype(np.int64)
        hit = mesh_id >= 0
        u, v = found['u'].astype(np.float64), found['v'].astype(np.float64)
        barycentric = np.stack([1 - u - v, u, v], axis=-1) * hit[:, None]
        points = directions * np.where(hit, found['tfar'], 0.0)[:, None]
        return Hits(mesh_id, np.where(hit, found['primID'], 0), barycentric, points)

    def occluded(self, origins_mm: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Whether anything lies on each half line. (N, 3), (N, 3) -> (N,) bool."""
        if not self.meshes or len(origins_mm) == 0:
            return np.zeros(len(origins_mm), dtype=bool)
        origins, rays = (
            np.ascontiguousarray(array, dtype=np.float32) for array in (origins_mm, directions)
        )
        return self._scene.run(origins, rays, query='OCCLUDED') != -1

    def interpolate(self, hits: Hits, attributes: Sequence[np.ndarray]) -> np.ndarray:
        """Per-vertex values at the hit points; zeros where nothing was hit.

        Args:
            hits: N hits of this scene.
            attributes: One (V, C) array a mesh, of any C but the same for all.

        Returns:
            (N, C) float64.
        """
        result = np.zeros((len(hits.mesh_id), attributes[0].shape[-1] if attributes else 0))
        for i, ((_, faces), values) in enumerate(zip(self.meshes, attributes, strict=True)):
            index = np.flatnonzero(hits.mesh_id == i)
            corners, weights = faces[hits.face_id[index]].T, hits.barycentric[index].T
            # a sum over the three corners takes a third of the time of n small matrix products
            parts = (w[:, None] * values[v] for v, w in zip(corners, weights, strict=True))
            result[index] = sum(parts)
        return result


def check_mesh(name: str, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Raise a ValueError that names the mesh unless its arrays make one."""
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise ValueError(
            f'vertices of {name} must be finite and of shape (V, 3), got shape {vertices.shape}'
        )
    if faces.ndim != 2 or faces.shape[1] != 3 or not np.issubdtype(faces.dtype, np.integer):
        raise ValueError(
            f'faces of {name} must be integers of shape (F, 3), got {faces.dtype} {faces.shape}'
        )
    if faces.size and not (faces.min() >= 0 and faces.max() < len(vertices)):
        raise ValueError(
            f'faces of {name} refer to vertices {faces.min()}..{faces.max()}, '
            f'the mesh has {len(vertices)}'
        )


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals of the vertices; zero at vertices without area. (V, 3)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(face_normals[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=-1,
    )
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals / np.where(length > 0, length, 1)
