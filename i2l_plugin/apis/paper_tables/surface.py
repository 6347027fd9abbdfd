"""How smooth predicted meshes are: what the normal and the edge loss are for (paper, Figure 4).

No number changes when a mesh is moved or turned.
Shapes: B people, V vertices, F faces.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import trimesh

from i2l_plugin.visualization.panels import side_by_side
from i2l_plugin.visualization.renderer import Mesh, render_view

PANEL_PX = 256


def edge_length_error(predicted_mm: np.ndarray, true_mm: np.ndarray, faces: np.ndarray) -> float:
    """Mean of abs(length - true length) over the edges, over the mean true length.

    Args:
        predicted_mm, true_mm: (B, V, 3).
        faces: (F, 3).
    """
    edges = trimesh.Trimesh(true_mm[0], faces, process=False).edges_unique  # (E, 2)
    lengths, true = (
        np.linalg.norm(mesh[:, edges[:, 0]] - mesh[:, edges[:, 1]], axis=-1)
        for mesh in (predicted_mm, true_mm)
    )
    return float(np.abs(lengths - true).mean() / true.mean())


def fold_angle_deg(meshes_mm: np.ndarray, faces: np.ndarray) -> float:
    """Mean angle between the normals of faces that share an edge, in degrees: 0 on a plane.

    Args:
        meshes_mm: (B, V, 3).
        faces: (F, 3).
    """
    angles = [
        trimesh.Trimesh(mesh, faces, process=False).face_adjacency_angles.mean()
        for mesh in meshes_mm
    ]
    return float(np.degrees(np.mean(angles)))


def draw_meshes(meshes_mm: Sequence[np.ndarray], faces: np.ndarray) -> np.ndarray:
    """Each mesh (V, 3) by itself, from the front, in a row. -> (H, W, 3) uint8 RGB."""
    panels = [render_view([Mesh(m, faces)], (PANEL_PX, PANEL_PX), azimuth_deg=0) for m in meshes_mm]
    return side_by_side(panels)
