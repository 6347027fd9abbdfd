"""Triangle meshes: the edges of each face and its unit normal.

Shapes: B batch, V vertices, F faces.
"""

import torch
from torch import Tensor

FACE_EDGES = ((0, 1), (1, 2), (2, 0))


def face_edges(faces: Tensor) -> Tensor:
    """Vertex indices of the three edges of every face, (F, 3) -> (F, 3, 2); inner edges twice."""
    return torch.stack([faces[:, list(pair)] for pair in FACE_EDGES], dim=1)


def safe_norm(vectors: Tensor, eps: float = 1e-8) -> Tensor:
    """Length with a finite gradient at zero, sqrt(max(v.v, eps^2)). (..., 3) -> (...)."""
    return vectors.square().sum(-1).clamp_min(eps**2).sqrt()


def unit(vectors: Tensor, eps: float = 1e-8) -> Tensor:
    """Vectors scaled to length one; zero stays zero, its gradient finite. (..., 3)."""
    return vectors / safe_norm(vectors, eps).unsqueeze(-1)


def face_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals (right-hand rule), zero without area. (B, V, 3) -> (B, F, 3)."""
    v0, v1, v2 = (vertices[:, faces[:, i]] for i in range(3))
    return unit(torch.linalg.cross(unit(v1 - v0), unit(v2 - v0), dim=-1))
