"""Mesh files (OBJ, PLY, GLB) of one person, through trimesh.

Axes of every file: metres, right-handed, x right, y UP, z towards the viewer (glTF's convention;
Blender, MeshLab and three.js show the person upright), origin at the camera centre. From the
camera frame (mm, y down, z forward) that is (x, -y, -z) / 1000, a rotation: faces keep their side.
Vertices keep the body model's order. Colours are sRGB in OBJ and PLY, linear light in GLB.
Shapes: V vertices, F faces.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import trimesh

from i2l_plugin.files import write_atomically

from .gltf import glb_bytes
from .ray_scene import check_mesh

FORMATS = ('.obj', '.ply', '.glb')
CAMERA_MM_TO_FILE_M = np.array([1e-3, -1e-3, -1e-3])


def camera_to_file(vertices_mm: np.ndarray) -> np.ndarray:
    """Camera-frame mm to the file's y-up metres. (..., 3) -> (..., 3)."""
    return np.asarray(vertices_mm, dtype=np.float64) * CAMERA_MM_TO_FILE_M


def export_mesh(
    path: str | os.PathLike,
    vertices_mm: np.ndarray,
    faces: np.ndarray,
    vertex_colors: np.ndarray | None = None,
    spread_mm: np.ndarray | None = None,
) -> Path:
    """Write one mesh; the suffix chooses OBJ, PLY or GLB. Nothing half-written is ever left.

    Args:
        path: File to write; its folder is made if missing.
        vertices_mm: (V, 3) in the camera frame, e.g. ``pred_instances.vertices_cam[0]``.
        faces: (F, 3) vertex indices.
        vertex_colors: (V, 3) RGB in [0, 1], or None for none.
        spread_mm: (V,) uncertainty, a vertex property `spread_mm` in PLY and `_spread_mm` in GLB.
            OBJ has no place for it.

    Returns:
        The path written.

    Raises:
        ValueError: Unknown suffix, or arrays of the wrong shape.
    """
    suffix, vertices_mm = mesh_suffix(path), np.asarray(vertices_mm)
    if vertices_mm.ndim != 2 or vertices_mm.shape[1] != 3:
        raise ValueError(
            f'vertices_mm must be (V, 3), one person at a time, got {vertices_mm.shape}'
        )
    mesh = make_mesh(vertices_mm, faces, vertex_colors, spread_mm)
    if suffix == '.glb':
        return write_mesh(path, glb_bytes(trimesh.Scene(mesh)))
    return write_mesh(path, mesh.export(file_type=suffix[1:]))


def mesh_suffix(path: str | os.PathLike) -> str:
    """The suffix of a mesh file in lower case, refused if it is of none."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f'path must end in one of {", ".join(FORMATS)}, got {Path(path).name!r}')
    return suffix


def make_mesh(
    vertices_mm: np.ndarray,
    faces: np.ndarray,
    vertex_colors: np.ndarray | None,
    spread_mm: np.ndarray | None,
) -> trimesh.Trimesh:
    """One person in the file's frame, see `export_mesh`."""
    faces = np.asarray(faces)
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f'faces must be (F, 3), got {faces.shape}')
    check_mesh('the mesh', vertices_mm, faces)
    colors, attributes = None, {}
    if vertex_colors is not None:
        colors = np.asarray(vertex_colors)
        if colors.shape != vertices_mm.shape:
            raise ValueError(f'vertex_colors must be {vertices_mm.shape}, got {colors.shape}')
        colors = np.rint(np.clip(colors, 0, 1) * 255).astype(np.uint8)
    if spread_mm is not None:
        spread = np.asarray(spread_mm, dtype=np.float32)
        if spread.shape != vertices_mm.shape[:1]:
            raise ValueError(f'spread_mm must be {vertices_mm.shape[:1]}, got {spread.shape}')
        attributes['spread_mm'] = spread
    # process=False: merging vertices would break the correspondence with the body model
    return trimesh.Trimesh(
        camera_to_file(vertices_mm),
        faces,
        vertex_colors=colors,
        vertex_attributes=attributes,
        process=False,
    )


def write_mesh(path: str | os.PathLike, data: bytes | str) -> Path:
    """Write an exporter's result; nothing half-written is ever found."""
    write_atomically(Path(path), data if isinstance(data, bytes) else data.encode())
    return Path(path)
