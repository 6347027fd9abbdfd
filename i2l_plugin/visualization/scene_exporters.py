"""Mesh files of scenes: all people of a picture in one OBJ, PLY or GLB, and each in its own.

Axes, units and order of vertices are those of `exporters`. Shapes: N people, V vertices, F faces.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import trimesh
from mmpose.structures import PoseDataSample

from .colors import person_colors
from .exporters import FORMATS, export_mesh, make_mesh, mesh_suffix, write_mesh
from .gltf import glb_bytes
from .ray_scene import Camera
from .scene_people import ScenePeople


def export_scene(
    path: str | os.PathLike,
    vertices_cam: np.ndarray,
    faces: np.ndarray,
    colors: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    spread_mm: np.ndarray | None = None,
    camera: Camera | None = None,
) -> Path:
    """Write all people of a picture into one file; the suffix chooses OBJ, PLY or GLB.

    OBJ has an object, GLB a node and a mesh of each name. PLY knows no objects: there people follow
    each other, and the vertex property `person` (0..N-1) tells them apart.

    Args:
        path: File to write; its folder is made if missing.
        vertices_cam: (N, V, 3) mm in the camera frame, N >= 1.
        faces: (F, 3) vertex indices of every person.
        colors: RGB in [0, 1], (N, 3) of people or (N, V, 3) of vertices; None: `person_colors`.
        names: N different ones without white space; None: ``'person_0'``, ...
        spread_mm: (N, V) uncertainty, stored as `export_mesh` does.
        camera: Of the picture, as the GLB's camera: viewers can look through it. glTF's cameras
            are centred, so a principal point elsewhere is lost. Other formats have no cameras.

    Returns:
        The path written.

    Raises:
        ValueError: Unknown suffix, nobody to write, or arrays of the wrong shape.
    """
    suffix, vertices_cam = mesh_suffix(path), np.asarray(vertices_cam)
    if vertices_cam.ndim != 3 or vertices_cam.shape[2] != 3:
        raise ValueError(f'vertices_cam must be (N, V, 3), got {vertices_cam.shape}')
    count = len(vertices_cam)
    if count == 0:
        raise ValueError('vertices_cam has nobody in it: a file of a scene needs a person')
    names = [f'person_{i}' for i in range(count)] if names is None else list(names)
    if len(names) != count or len({*names}) != count or any(n.split() != [n] for n in names):
        raise ValueError(f'names must be {count} different ones without white space, got {names!r}')
    colors = _colors_of_vertices(colors, vertices_cam.shape)
    if spread_mm is not None and np.shape(spread_mm) != vertices_cam.shape[:2]:
        raise ValueError(f'spread_mm must be {vertices_cam.shape[:2]}, got {np.shape(spread_mm)}')
    spreads = [None] * count if spread_mm is None else spread_mm
    parts = zip(vertices_cam, colors, spreads, strict=True)
    meshes = [make_mesh(vertices, faces, color, spread) for vertices, color, spread in parts]
    if suffix == '.ply':
        for i, mesh in enumerate(meshes):
            mesh.vertex_attributes['person'] = np.full(len(mesh.vertices), i, np.int32)
        return write_mesh(path, _join(meshes).export(file_type='ply'))
    scene = trimesh.Scene()
    for name, mesh in zip(names, meshes, strict=True):
        mesh.metadata['name'] = name  # the OBJ's object
        scene.add_geometry(mesh, geom_name=name, node_name=name)
    if suffix == '.obj':
        return write_mesh(path, scene.export(file_type='obj'))
    return write_mesh(path, glb_bytes(scene, camera))


def export_people(
    folder: str | os.PathLike,
    stem: str,
    sample: PoseDataSample,
    faces: np.ndarray,
    formats: Sequence[str] = ('obj', 'glb'),
    uncertainty: bool = False,
    spread_range_mm: tuple[float, float] | None = None,
) -> list[Path]:
    """Write every person and the scene of a sample, in each format.

    Files are ``<stem>_person0.obj``, ... (``<stem>_track7.obj`` where tracking ran) and
    ``<stem>_scene.obj``; names in a scene are ``person_0`` or ``track_7``. Where `vertex_spread`
    is known, PLY and GLB hold it; GLB also has the camera if the metainfo has ``ori_shape``.

    Args:
        folder: Made if missing.
        stem: Beginning of the files' names.
        sample: Scene sample of N >= 0 people.
        faces: (F, 3) of every person.
        formats: Of 'obj', 'ply', 'glb'.
        uncertainty: Colour vertices by their uncertainty instead of by person.
        spread_range_mm: Ends of those colours; None takes the sample's own percentiles.

    Returns:
        The files, people first; none if nobody is there.

    Raises:
        ValueError: An unknown format, or a sample without what is asked for.
    """
    suffixes = ['.' + name.lower().lstrip('.') for name in formats]
    if not suffixes or not {*suffixes} <= {*FORMATS}:
        known = ', '.join(suffix[1:] for suffix in FORMATS)
        raise ValueError(f'formats must be some of {known}, got {formats!r}')
    people = ScenePeople.of(sample)
    if not people.names:
        return []
    meshes = people.meshes(faces)
    if uncertainty:
        meshes = people.spread_meshes(faces, *(spread_range_mm or people.spread_range_mm()))
    colors = np.stack([mesh.vertex_colors() for mesh in meshes])
    spreads = [None] * len(meshes) if people.spread_mm is None else people.spread_mm
    written = []
    for i, name in enumerate(people.names):
        for suffix in suffixes:
            path = Path(folder) / f'{stem}_{name.replace("_", "")}{suffix}'
            mesh = people.vertices_mm[i], faces, colors[i], spreads[i]
            written.append(export_mesh(path, *mesh))
    for suffix in suffixes:
        path = Path(folder) / f'{stem}_scene{suffix}'
        scene = people.vertices_mm, faces, colors, people.names, people.spread_mm
        written.append(export_scene(path, *scene, camera=_camera(sample)))
    return written


def _camera(sample: PoseDataSample) -> Camera | None:
    meta = sample.metainfo
    if not {'focal_px', 'princpt_px', 'ori_shape'} <= {*meta}:
        return None
    height, width = meta['ori_shape'][:2]
    return Camera(meta['focal_px'], meta['princpt_px'], (width, height))


def _colors_of_vertices(colors: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """(N, V, 3) of colours of people or vertices."""
    people = (shape[0], 3)
    colors = person_colors(shape[0]) if colors is None else np.asarray(colors, dtype=np.float64)
    if colors.shape not in {people, shape}:
        raise ValueError(f'colors must be {people} or {shape}, got {colors.shape}')
    return np.broadcast_to(colors[:, None] if colors.shape == people else colors, shape)


def _join(meshes: Sequence[trimesh.Trimesh]) -> trimesh.Trimesh:
    """One mesh of many that have the same number of vertices and the same attributes."""
    offsets = len(meshes[0].vertices) * np.arange(len(meshes))
    attributes = {
        key: np.concatenate([mesh.vertex_attributes[key] for mesh in meshes])
        for key in meshes[0].vertex_attributes
    }
    return trimesh.Trimesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([m.faces + i for m, i in zip(meshes, offsets, strict=True)]),
        vertex_colors=np.concatenate([mesh.visual.vertex_colors for mesh in meshes]),
        vertex_attributes=attributes,
        process=False,
    )
