"""The arrays of an SMPL-like body model, checked once.

Loper et al., SMPL, SIGGRAPH Asia 2015; Romero et al., MANO, SIGGRAPH Asia 2017.
Shapes: V vertices, F faces, P posed joints (24 body, 16 hand), R rows of an extra regressor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .joint_sets import MANO_16, SMPL_24, JointSet

NUM_BETAS = 10
POSED_JOINTS: dict[str, JointSet] = {'body': SMPL_24, 'hand': MANO_16}


@dataclass(frozen=True, eq=False)
class BodyModelData:
    """Plain numpy arrays of one body or hand model, in metres.

    Args:
        kind: ``'body'`` (SMPL's 24 joints) or ``'hand'`` (MANO's 16 joints).
        v_template: (V, 3) float, rest vertices in m.
        faces: (F, 3) int64 vertex indices, counter-clockwise seen from outside.
        shapedirs: (V, 3, 10) float, vertex offsets in m for one unit of each beta.
        posedirs: (V, 3, 9 (P - 1)) float, vertex offsets in m for each entry of R_j - I, j > 0.
        weights: (V, P) float skinning weights; rows sum to 1.
        j_regressor: (P, V) float, dense; rest joints = j_regressor @ shaped vertices.
        parents: (P,) int64, parent of each joint, -1 for the root.
        hands_mean: (3 (P - 1),) float, mean hand pose in radians, or None.
        regressors: Extra joint regressors by joint-set name, each (R, V) float.
        vertex_ids: Vertex of a joint that is a surface point (``'Nose'``, ``'Index4'``).
        vertex_mirror: (V,) int64 or None; vertex i of the mirrored body is vertex
            ``vertex_mirror[i]`` with x negated. None where the mesh is not exactly symmetric.

    Raises:
        ValueError: An array has another shape or range; the message names it.
    """

    kind: str
    v_template: np.ndarray
    faces: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    weights: np.ndarray
    j_regressor: np.ndarray
    parents: np.ndarray
    hands_mean: np.ndarray | None = None
    regressors: Mapping[str, np.ndarray] = field(default_factory=dict)
    vertex_ids: Mapping[str, int] = field(default_factory=dict)
    vertex_mirror: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.kind not in POSED_JOINTS:
            raise ValueError(f"kind must be 'body' or 'hand', got {self.kind!r}")
        v, p = len(self.v_template), len(POSED_JOINTS[self.kind])
        expected = {
            'v_template': (v, 3),
            'faces': (len(self.faces), 3),
            'shapedirs': (v, 3, NUM_BETAS),
            'posedirs': (v, 3, 9 * (p - 1)),
            'weights': (v, p),
            'j_regressor': (p, v),
            'parents': (p,),
            'hands_mean': (3 * (p - 1),),
            'vertex_mirror': (v,),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array is not None and np.shape(array) != shape:
                raise ValueError(
                    f'{name} of a {self.kind} model with {v} vertices must have shape {shape}, '
                    f'got {np.shape(array)}'
                )
        for name, regressor in self.regressors.items():
            if regressor.ndim != 2 or regressor.shape[1] != v:
                raise ValueError(f'regressor {name!r} must be (R, {v}), got {regressor.shape}')
        self._check_values(v)

    def _check_values(self, num_vertices: int) -> None:
        for name in ('v_template', 'shapedirs', 'posedirs', 'weights', 'j_regressor'):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f'{name} holds NaN or infinite values')
        indices = {'faces': self.faces, **{k: np.asarray(i) for k, i in self.vertex_ids.items()}}
        if self.vertex_mirror is not None:
            indices['vertex_mirror'] = self.vertex_mirror
        for name, index in indices.items():
            if index.size and not (index.min() >= 0 and index.max() < num_vertices):
                raise ValueError(
                    f'{name} refers to vertices {index.min()}..{index.max()} of a model that has '
                    f'{num_vertices}'
                )
        if self.parents[0] != -1 or not (self.parents[1:] < np.arange(1, len(self.parents))).all():
            raise ValueError(
                f'parents must be -1 for joint 0 and come before their children, got {self.parents}'
            )
        if (self.parents[1:] < 0).any():
            raise ValueError(f'only joint 0 may be without a parent, got {self.parents}')

    @property
    def num_vertices(self) -> int:
        """Number of vertices V."""
        return len(self.v_template)

    @property
    def posed_joints(self) -> JointSet:
        """Names of the P joints that the pose parameters turn, in file order."""
        return POSED_JOINTS[self.kind]
