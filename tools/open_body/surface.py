"""Cutting one clean sheet of triangles out of the source: half a body, or a right hand.

Mouth and eye cavities are removed and the holes closed, so that the body is one watertight skin.
"""

from __future__ import annotations

import numpy as np
import trimesh

from .source import Source


def half_body(source: Source, vertices: np.ndarray) -> np.ndarray:
    """(F, 3) triangles of the left half (x >= 0) of the skin, its border on the plane x = 0.

    Eye sockets are closed by a fan to the front of the eyeball, the mouth by zipping the lips.
    """
    midline = source.mirror == np.arange(len(source.mirror))
    cavity = (
        source.parts['eye_cavity.L'] | source.parts['eye_cavity.R'] | source.parts['mouth_cavity']
    )
    skin = _main_component(source.quads[~cavity & ~_small_parts(source)])
    left = (vertices[skin][..., 0] > 1e-6) | midline[skin]
    triangles = split_quads(skin[left.all(1)], vertices)

    eyeball = np.unique(source.quads[source.parts['eye_front.L']])
    patches = [triangles]
    for loop in border_loops(triangles):
        if midline[loop].any():  # the border of the half, lips included
            patches.append(_zip_lips(loop, midline, vertices))
        else:
            pole = eyeball[vertices[eyeball, 2].argmax()]
            patches.append(
                np.array([(a, pole, b) for a, b in zip(loop, np.roll(loop, -1), strict=True)])
            )
    return np.concatenate(patches)


def right_hand(source: Source, vertices: np.ndarray, wrist_x: float) -> np.ndarray:
    """(F, 3) triangles of the right hand, cut along the ring of edges nearest to x = `wrist_x`."""
    ring = min(_forearm_rings(source.quads, vertices, wrist_x), key=lambda r: abs(
        vertices[r, 0].mean() - wrist_x))  # fmt: skip
    cut = {frozenset(edge) for edge in zip(ring, np.roll(ring, -1), strict=True)}
    pairs = _edge_faces(source.quads)
    joined = [faces for edge, faces in pairs.items() if len(faces) == 2 and edge not in cut]
    labels = trimesh.graph.connected_component_labels(joined, node_count=len(source.quads))
    tip = vertices[source.quads][..., 0].mean(1).argmin()  # the longest finger
    return split_quads(source.quads[labels == labels[tip]], vertices)


def _edge_faces(quads: np.ndarray) -> dict[frozenset[int], list[int]]:
    """The faces on both sides of each edge."""
    faces: dict[frozenset[int], list[int]] = {}
    for i, quad in enumerate(quads.tolist()):
        for k in range(4):
            faces.setdefault(frozenset((quad[k - 1], quad[k])), []).append(i)
    return faces


def _forearm_rings(quads: np.ndarray, vertices: np.ndarray, x: float) -> list[np.ndarray]:
    """Closed loops of edges that go straight through regular vertices around the right forearm."""
    faces = _edge_faces(quads)
    around: dict[int, set[int]] = {}
    for a, b in map(tuple, faces):
        around.setdefault(a, set()).add(b)
        around.setdefault(b, set()).add(a)
    rings, seen = [], set()
    for start in np.flatnonzero(np.abs(vertices[:, 0] - x) < 0.02).tolist():
        for second in sorted(around[start]):
            if abs(vertices[start, 0] - vertices[second, 0]) > 0.005:
                continue
            ring = [start, second]
            while len(ring) < 64 and len(around[ring[-1]]) == 4:
                behind = set(faces[frozenset(ring[-2:])])
                ahead = [
                    v
                    for v in around[ring[-1]] - {ring[-2]}
                    if not behind & set(faces[frozenset((ring[-1], v))])
                ]
                if len(ahead) != 1 or ahead[0] == start:
                    break
                ring.append(ahead[0])
            closed = ring[-1] in around[start] and len(ring) > 8
            if closed and frozenset(ring) not in seen:
                seen.add(frozenset(ring))
                rings.append(np.array(ring))
    return rings


def split_quads(quads: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Two triangles a quad, along the shorter diagonal."""
    corner = vertices[quads]
    first = np.linalg.norm(corner[:, 0] - corner[:, 2], axis=1)
    second = np.linalg.norm(corner[:, 1] - corner[:, 3], axis=1)
    order = np.where((first <= second)[:, None], [[0, 1, 2, 0, 2, 3]], [[1, 2, 3, 1, 3, 0]])
    return np.take_along_axis(quads, order, 1).reshape(-1, 3)


def border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """Closed vertex loops along the border, in the direction of the triangles' own edges."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    known = {(int(a), int(b)) for a, b in edges}
    follow = {a: b for a, b in sorted(known) if (b, a) not in known}
    loops = []
    while follow:
        start = min(follow)
        loop = [start]
        while (vertex := follow.pop(loop[-1])) != start:
            loop.append(vertex)
        loops.append(np.array(loop))
    return loops


def _small_parts(source: Source) -> np.ndarray:
    return source.parts['eye_front.L'] | source.parts['eye_back.L']


def _main_component(quads: np.ndarray) -> np.ndarray:
    """The faces of the largest connected part."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    labels = trimesh.graph.connected_component_labels(edges, node_count=quads.max() + 1)
    sizes = np.bincount(labels[quads[:, 0]])
    return quads[labels[quads[:, 0]] == sizes.argmax()]


def _zip_lips(loop: np.ndarray, midline: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Triangles between upper and lower lip: the one run of the border that leaves the midline."""
    off = ~midline[loop]
    first = next(i for i in range(len(loop)) if off[i] and not off[i - 1])
    loop = np.roll(loop, -first + 1)  # starts at the last midline vertex before the run
    end = int(np.argmin(~midline[loop][1:])) + 1
    run = loop[: end + 1]
    i, j, triangles = 0, len(run) - 1, []
    while j - i >= 2:
        ahead = np.linalg.norm(vertices[run[i + 1]] - vertices[run[j]])
        behind = np.linalg.norm(vertices[run[i]] - vertices[run[j - 1]])
        if ahead <= behind:
            triangles.append((run[i + 1], run[i], run[j]))
            i += 1
        else:
            triangles.append((run[j], run[j - 1], run[i]))
            j -= 1
    return np.array(triangles)
