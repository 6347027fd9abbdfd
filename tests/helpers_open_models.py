"""Surfaces and named joints of body-model arrays, for the tests of the open models."""

import numpy as np
import trimesh


def joints_by_name(data, shape_offset=0.0):
    vertices = data.v_template + shape_offset
    return dict(zip(data.posed_joints.joint_names, data.j_regressor @ vertices, strict=True))


def closed_mesh(data, vertices=None):
    """The surface; a hand gets a cap over its wrist."""
    vertices = data.v_template if vertices is None else vertices
    faces = data.faces
    if data.kind == 'hand':
        rim = border_edges(faces)
        cap = np.column_stack([rim[:, ::-1], np.full(len(rim), len(vertices))])
        vertices = np.concatenate([vertices, vertices[rim.ravel()].mean(0, keepdims=True)])
        faces = np.concatenate([faces, cap])
    return trimesh.Trimesh(vertices, faces, process=False)


def border_edges(faces):
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    known = set(map(tuple, edges.tolist()))
    return np.array([(a, b) for a, b in known if (b, a) not in known])
