"""A body of fewer vertices for small budgets: an eighth of SMPL's, an eighth of every head's work.

Kept vertices lie evenly over the mesh and where they were; every other vertex belongs to the
nearest kept one, by steps along edges, and hands its weight in the joint regressors over to it.
Bodies of one topology (the genders) keep the same vertices. Joints move by some mm against the
body's own, in truth and prediction alike.
Shapes: V vertices, K kept ones, F faces.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from i2l_plugin.body_models import BodyModelData, load_body_model

COARSE_VERTICES = 861
"""6890 / 8."""


def edge_graph(faces: np.ndarray, num_vertices: int) -> csr_matrix:
    """(V, V), 1 where two vertices share an edge."""
    starts, ends = (np.concatenate([faces[:, i], faces[:, j]]) for i, j in ((0, 1), (1, 0)))
    for i, j in ((1, 2), (2, 0)):
        starts = np.concatenate([starts, faces[:, i], faces[:, j]])
        ends = np.concatenate([ends, faces[:, j], faces[:, i]])
    graph = coo_matrix((np.ones(len(starts)), (starts, ends)), (num_vertices,) * 2).tocsr()
    graph.data[:] = 1
    return graph


def spread_vertices(graph: csr_matrix, count: int, first: Sequence[int]) -> np.ndarray:
    """Vertices each farthest from those before (farthest-point sampling). -> (K,) sorted indices.

    Args:
        graph: As `edge_graph` makes it.
        count: K.
        first: Vertices that must be among them.
    """
    kept = list(dict.fromkeys([*first, 0]))
    distance = dijkstra(graph, unweighted=True, indices=kept, min_only=True)
    while len(kept) < count:
        kept.append(int(distance.argmax()))  # a part that no edge reaches is infinitely far
        distance = np.minimum(distance, dijkstra(graph, unweighted=True, indices=kept[-1]))
    return np.sort(kept)


def coarsened(data: BodyModelData, num_vertices: int = COARSE_VERTICES) -> BodyModelData:
    """A model of K vertices, or `data` itself if it has no more than that."""
    if data.num_vertices <= num_vertices:
        return data
    graph = edge_graph(data.faces, data.num_vertices)
    kept = spread_vertices(graph, num_vertices, list(data.vertex_ids.values()))
    _, _, nearest = dijkstra(
        graph, unweighted=True, indices=kept, min_only=True, return_predecessors=True
    )
    cell = np.searchsorted(kept, nearest)  # (V,) number of the kept vertex
    share = np.zeros((data.num_vertices, num_vertices), np.float32)
    share[np.arange(data.num_vertices), cell] = 1
    return BodyModelData(
        kind=data.kind,
        v_template=data.v_template[kept],
        faces=_faces_between(cell[data.faces]),
        shapedirs=data.shapedirs[kept],
        posedirs=data.posedirs[kept],
        weights=data.weights[kept],
        j_regressor=data.j_regressor @ share,
        parents=data.parents,
        hands_mean=data.hands_mean,
        regressors={name: rows @ share for name, rows in data.regressors.items()},
        vertex_ids={name: int(cell[vertex]) for name, vertex in data.vertex_ids.items()},
    )


def _faces_between(faces: np.ndarray) -> np.ndarray:
    """Faces whose corners lie in three cells, each once, the way round that most of them have."""
    low, middle, high = np.sort(faces, axis=1).T
    faces = faces[(low < middle) & (middle < high)]
    turn = faces.argmin(1)[:, None]
    faces = np.take_along_axis(faces, (turn + np.arange(3)) % 3, axis=1)  # lowest first
    unique, counts = np.unique(faces, axis=0, return_counts=True)
    best: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
    for face, count in zip(unique.tolist(), counts.tolist(), strict=True):
        key = tuple(sorted(face))
        best[key] = max(best.get(key, (0, ())), (count, tuple(face)))
    return np.array([face for _, face in best.values()], np.int64)


def write_coarse(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """`build_body_model`'s options for the coarse model, which is written there if it is missing.

    Raises:
        FileNotFoundError, ValueError: As `load_body_model`.
    """
    kept = {key: options[key] for key in ('joint_set', 'flat_hand_mean') if key in options}
    of_file = {key: value for key, value in options.items() if key not in kept}
    return {**_coarse_file(json.dumps(of_file, sort_keys=True), folder), **kept}


@functools.cache
def _coarse_file(options: str, folder: Path) -> dict[str, Any]:
    """`write_coarse` of what a file is loaded by, as JSON; a study's many rows share few models."""
    given = json.loads(options)
    data = load_body_model(**{'kind': 'body', 'path': 'open', **given})
    coarse = coarsened(data)
    if coarse is data:
        return given
    arrays = _file_arrays(coarse)
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    path = folder / f'{coarse.kind}_{digest.hexdigest()[:12]}.npz'
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f'.{path.name}')
        np.savez_compressed(part, **arrays)
        part.replace(path)
    return {'kind': coarse.kind, 'path': str(path.resolve())}


def _file_arrays(data: BodyModelData) -> dict[str, np.ndarray]:
    """By the names of an SMPL / MANO file."""
    arrays = {
        'v_template': data.v_template,
        'f': data.faces,
        'shapedirs': data.shapedirs,
        'posedirs': data.posedirs,
        'weights': data.weights,
        'J_regressor': data.j_regressor,
        'kintree_table': np.stack([data.parents, np.arange(len(data.parents))]),
        'surface_joint_names': np.array(list(data.vertex_ids)),
        'surface_joint_vertices': np.array(list(data.vertex_ids.values())),
        **{f'J_regressor_{name}': rows for name, rows in data.regressors.items()},
    }
    if data.hands_mean is not None:
        arrays['hands_mean'] = data.hands_mean
    return arrays


def coarsen_bodies(node: Any, folder: Path) -> None:
    """Put coarse models in the place of all body models that a config names."""
    if isinstance(node, Mapping):
        if isinstance(node.get('body_model'), Mapping):
            shared = dict(node['body_model'])
            by_gender = node.get('truth_body_models') or {}
            for gender, options in by_gender.items():
                by_gender[gender] = write_coarse({**shared, **options}, folder)
            node['body_model'] = write_coarse(shared, folder)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            coarsen_bodies(part, folder)
