"""Putting an SMPL- or MANO-format model together from T-posed people.

S people, N source vertices, V model vertices, P joints, K = 10 shape directions.
"""

from __future__ import annotations

import numpy as np

from i2l_plugin.body_models.joint_sets import MANO_16, SMPL_24

from . import joints
from .decimate import Decimator
from .hand_poses import hand_pose_space
from .source import People, Source
from .surface import half_body, right_hand

_FLIP = np.array([-1.0, 1.0, 1.0])
_GRID_PER_M = 2.0**17  # positions are multiples of 7.6 micrometres: exact symmetry, small file
BODY_VERTICES, BODY_SEAM = 6890, 150
HAND_VERTICES, HAND_BORDER = 778, 16
BODY_ROOT_M = np.array([0.0, -0.22, 0.03])  # where SMPL's and MANO's template have their root
HAND_ROOT_M = np.array([0.095, 0.006, 0.006])
FORMAT_VERSION = 1


def build_body(source: Source, people: People) -> dict[str, np.ndarray]:
    """All arrays of the open body file."""
    centres = joints.joint_centres('body', people.bone_heads_m, source.bone_names)
    mean = people.vertices_m.mean(0)
    landmarks = _face_landmarks(source, mean)
    importance = np.ones(len(mean))
    importance[list(landmarks.values())] = 1e6
    sheet = Decimator(mean, half_body(source, mean), importance)
    sheet.collapse_to(BODY_SEAM, border=True)
    sheet.collapse_to((BODY_VERTICES + BODY_SEAM) // 2 - BODY_SEAM, border=False)
    left, left_faces = sheet.result()

    inner = np.flatnonzero(source.mirror[left] != left)
    twin = np.arange(len(left))
    twin[inner] = len(left) + np.arange(len(inner))
    kept = np.concatenate([left, source.mirror[left[inner]]])
    faces = np.concatenate([left_faces, twin[left_faces][:, ::-1]])
    mirror = np.concatenate([twin, inner])

    arrays = _shape_model('body', people.vertices_m[:, kept], centres, BODY_ROOT_M, mirror)
    arrays['weights'] = joints.merge_weights('body', source.weights[kept], source.bone_names)
    order = list(SMPL_24.mirror_order)
    arrays['weights'] = (arrays['weights'] + arrays['weights'][mirror][:, order]) / 2
    arrays['J_regressor'] = _regressor(arrays, joints.BODY_PARENTS, mirror, SMPL_24.mirror_order)

    position = {int(v): i for i, v in enumerate(kept)}
    ids = {name: position[vertex] for name, vertex in landmarks.items()}
    ids |= {f'R_{k[2:]}': int(mirror[v]) for k, v in list(ids.items()) if k.startswith('L_')}
    height = arrays['v_template'][:, 1]
    head_top = np.flatnonzero(height > height.max() - 0.01)
    arrays['J_regressor_h36m_17'] = joints.h36m_regressor(
        arrays['J_regressor'], ids['Nose'], head_top, len(kept)
    )
    arrays['vertex_mirror'] = mirror
    return _finish(arrays, faces, joints.BODY_PARENTS, ids)


def build_hand(source: Source, people: People) -> dict[str, np.ndarray]:
    """All arrays of the open right hand file."""
    centres = joints.joint_centres('hand', people.bone_heads_m, source.bone_names)
    mean = people.vertices_m.mean(0)
    tips = _finger_tips(source, mean)
    importance = np.ones(len(mean))
    importance[list(tips.values())] = 1e6
    wrist_x = centres[:, 0, 0].mean() + 0.03
    sheet = Decimator(mean, right_hand(source, mean, wrist_x), importance)
    sheet.collapse_to(HAND_BORDER, border=True)
    sheet.collapse_to(HAND_VERTICES - HAND_BORDER, border=False)
    kept, faces = sheet.result()
    arrays = _shape_model('hand', people.vertices_m[:, kept], centres, HAND_ROOT_M, None)
    arrays['weights'] = joints.merge_weights('hand', source.weights[kept], source.bone_names)
    arrays['J_regressor'] = _regressor(
        arrays, joints.HAND_PARENTS, None, tuple(range(len(MANO_16)))
    )
    position = {int(v): i for i, v in enumerate(kept)}
    ids = {name: position[vertex] for name, vertex in tips.items()}
    arrays['hands_mean'], arrays['hands_components'] = hand_pose_space()
    arrays['hands_coeffs'] = np.zeros((1, 45))
    return _finish(arrays, faces, joints.HAND_PARENTS, ids)


def _shape_model(
    kind: str,
    vertices: np.ndarray,
    centres: np.ndarray,
    root: np.ndarray,
    mirror: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Mean and ten principal directions of people whose roots coincide; betas ~ N(0, 1)."""
    shift = root - centres[:, :1]
    both = np.concatenate([vertices + shift, centres + shift], 1)
    mean = both.mean(0)
    offsets = (both - mean).reshape(len(both), -1)
    num = vertices.shape[1]
    u, s, vt = np.linalg.svd(offsets[:, : 3 * num], full_matrices=False)
    directions = (vt[:10] * s[:10, None]).reshape(10, num, 3) / np.sqrt(len(both) - 1)
    # The joints' part of the same directions, by regression on the scores.
    scores = u[:, :10] * np.sqrt(len(both) - 1)
    joint_directions = np.linalg.lstsq(scores, offsets[:, 3 * num :], rcond=None)[0]
    far = np.abs(mean[:num] - root).sum(1).argmax()  # a positive beta moves toes / finger tip out
    sign = np.sign(directions[:, far] @ (mean[far] - root))
    directions = directions * sign[:, None, None]
    joint_directions = joint_directions * sign[:, None]
    template, shapedirs = mean[:num], np.moveaxis(directions, 0, -1)
    if mirror is not None:
        template = (template + template[mirror] * _FLIP) / 2
        shapedirs = (shapedirs + shapedirs[mirror] * _FLIP[:, None]) / 2
    explained = (s[:10] ** 2).sum() / (s**2).sum()
    print(f'{kind}: ten shape directions explain {explained:.1%} of the variance')
    return {
        'v_template': _on_grid(template),
        'shapedirs': _on_grid(shapedirs),
        'joint_template': mean[num:],
        'joint_shapedirs': joint_directions.reshape(10, -1, 3).transpose(1, 2, 0),
    }


def _on_grid(positions: np.ndarray) -> np.ndarray:
    return np.round(positions * _GRID_PER_M) / _GRID_PER_M


def _regressor(
    arrays: dict[str, np.ndarray],
    parents: tuple[int, ...],
    mirror: np.ndarray | None,
    joint_mirror: tuple[int, ...],
) -> np.ndarray:
    centres, directions = arrays.pop('joint_template'), arrays.pop('joint_shapedirs')
    rows = joints.fit_joint_regressor(
        arrays['v_template'], arrays['shapedirs'], arrays['weights'],
        centres, directions, parents, mirror, joint_mirror,
    )  # fmt: skip
    mean_mm = 1e3 * np.linalg.norm(rows @ arrays['v_template'] - centres, axis=1).max()
    moved = np.einsum('pv,vck->pck', rows, arrays['shapedirs'])
    beta_mm = 1e3 * np.linalg.norm(moved - directions, axis=1)  # (P, K)
    print(
        f'joint regressor: worst joint {mean_mm:.2f} mm off at the mean shape; for one unit of a '
        f'beta {beta_mm.max():.2f} mm at worst, {np.sqrt((beta_mm**2).mean()):.2f} mm RMS'
    )
    return rows


def _face_landmarks(source: Source, mean: np.ndarray) -> dict[str, int]:
    """Source vertices of the nose tip, left eye and left ear."""
    head = np.flatnonzero(source.weights[:, source.bone_names.index('head')] > 0.9)
    midline = head[source.mirror[head] == head]
    eye = np.unique(source.quads[source.parts['eye_front.L']])
    outer = head[mean[head, 0] > 0]
    return {
        'Nose': int(midline[mean[midline, 2].argmax()]),
        'L_Eye': int(eye[mean[eye, 2].argmax()]),
        'L_Ear': int(outer[mean[outer, 0].argmax()]),
    }


def _finger_tips(source: Source, mean: np.ndarray) -> dict[str, int]:
    """Source vertices at the end of each finger of the right hand."""
    tips = {}
    for i, finger in enumerate(('Thumb', 'Index', 'Middle', 'Ring', 'Pinky'), 1):
        middle, end = (
            source.weights[:, source.bone_names.index(f'finger{i}-{k}.R')] for k in (2, 3)
        )
        last = np.flatnonzero(end > 0.5)
        direction = mean[last].mean(0) - np.average(mean, axis=0, weights=middle)
        tips[f'{finger}4'] = int(last[(mean[last] @ direction).argmax()])
    return tips


def _finish(
    arrays: dict[str, np.ndarray],
    faces: np.ndarray,
    parents: tuple[int, ...],
    surface_joints: dict[str, int],
) -> dict[str, np.ndarray]:
    """The file's arrays under SMPL's / MANO's names, in compact types."""
    num_vertices, num_joints = arrays['weights'].shape
    out = {
        'f': faces.astype(np.uint32),
        'kintree_table': np.array([np.array(parents) % 2**32, range(num_joints)], np.uint32),
        'posedirs': np.zeros((num_vertices, 3, 9 * (num_joints - 1)), np.float32),
        'J': (arrays['J_regressor'] @ arrays['v_template']).astype(np.float32),
        'bs_style': np.array('lbs'),
        'bs_type': np.array('lrotmin'),
        'surface_joint_names': np.array(list(surface_joints)),
        'surface_joint_vertices': np.array(list(surface_joints.values()), np.int32),
        'version': np.array(FORMAT_VERSION, np.int32),
    }
    if 'vertex_mirror' in arrays:
        out['vertex_mirror'] = arrays.pop('vertex_mirror').astype(np.int32)
    return {**{name: array.astype(np.float32) for name, array in arrays.items()}, **out}
