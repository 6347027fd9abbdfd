"""Triangle meshes: the edges of each face and its unit normal.

Coordinates lead, (3, B, F): sums over a leading axis of three run over whole planes of memory and
are several times faster on a CPU than sums over a trailing one. Shapes: B batch, V vertices, F
faces.
"""

from __future__ import annotations

import torch
from torch import Tensor

Planes = tuple[Tensor, Tensor, Tensor]  # one tensor for each of a face's three corners or edges


def safe_norm(vectors: Tensor, eps: float = 1e-8) -> Tensor:
    """Length with a finite gradient at zero, sqrt(max(v.v, eps^2)). (3, ...) -> (...)."""
    return vectors.square().sum(0).clamp_min(eps**2).sqrt()


def face_corners(values: Tensor, faces: Tensor) -> Planes:
    """Values of the vertices at the three corners of every face. (..., V) -> 3 x (..., F)."""
    first, second, third = (values.index_select(-1, corner) for corner in faces.T)
    return first, second, third


def face_edges(vertices: Tensor, faces: Tensor) -> Planes:
    """The edges v0 - v1, v1 - v2, v2 - v0 of every face; an inner edge is there twice, both ways.

    Args:
        vertices: (B, V, 3).
        faces: (F, 3) vertex indices.

    Returns:
        3 x (3, B, F).
    """
    v0, v1, v2 = face_corners(vertices.permute(2, 0, 1).contiguous(), faces)
    return v0 - v1, v1 - v2, v2 - v0


def face_normals(edges: Planes) -> Tensor:
    """Unit normals (right-hand rule) of `face_edges`, zero without area. -> (3, B, F)."""
    towards_v1, towards_v2 = -edges[0] / safe_norm(edges[0]), edges[2] / safe_norm(edges[2])
    normals = torch.linalg.cross(towards_v1, towards_v2, dim=0)
    return normals / safe_norm(normals)
