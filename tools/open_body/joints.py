"""From Anny's bones to SMPL's 24 and MANO's 16 joints: centres, skinning weights, regressors.

S people, B bones, P joints, V vertices.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from i2l_plugin.body_models.joint_sets import H36M_17, MANO_16, SMPL_24

BODY_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
HAND_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
_FINGER_NUMBERS = {'Thumb': 1, 'Index': 2, 'Middle': 3, 'Ring': 4, 'Pinky': 5}
MAX_INFLUENCES, _LEAST_WEIGHT = 4, 0.02
_RIDGE_PER_M = 1.2  # spreads a joint over some 100 vertices at a cost of 0.1 mm
_WEIGHT_STEPS = 1024  # weights are multiples of 1 / 1024: exact sums, small file

# Joint -> bones whose heads' mean is its centre, and prefixes of the bones that it carries.
_BODY = {
    'Hip': (('upperleg01',), ('upperleg',)),
    'Knee': (('lowerleg01',), ('lowerleg',)),
    'Ankle': (('foot',), ('foot',)),
    'Toe': (('toe2-1', 'toe3-1', 'toe4-1'), ('toe',)),
    'Torso': (('spine04',), ('spine04', 'spine03')),
    'Spine': (('spine02',), ('spine02',)),
    'Chest': (('spine01',), ('spine01',)),
    'Neck': (('neck01',), ('neck',)),
    'Head': (('head',), ('head', 'eye', 'jaw')),
    'Thorax': (('clavicle',), ('clavicle', 'shoulder01')),
    'Shoulder': (('upperarm01',), ('upperarm',)),
    'Elbow': (('lowerarm01',), ('lowerarm',)),
    'Wrist': (('wrist',), ('wrist', 'metacarpal', 'finger1')),
    'Hand': (('finger2-1', 'finger3-1', 'finger4-1'), tuple(f'finger{i}' for i in range(2, 6))),
    'Pelvis': ((), ('root', 'pelvis', 'spine05')),
}


def joint_centres(kind: str, heads: np.ndarray, bone_names: list[str]) -> np.ndarray:
    """(S, P, 3) joint centres from bone heads (S, B, 3)."""
    index = {name: i for i, name in enumerate(bone_names)}
    if kind == 'hand':
        bones = ['wrist.R', *(_finger_bone(name) for name in MANO_16.joint_names[1:])]
        return heads[:, [index[bone] for bone in bones]]
    centres = np.zeros((len(heads), len(SMPL_24), 3))
    for i, name in enumerate(SMPL_24.joint_names[1:], 1):
        side = {'L_': '.L', 'R_': '.R'}.get(name[:2], '')
        bones = _BODY[name.removeprefix('L_').removeprefix('R_')][0]
        centres[:, i] = heads[:, [index[bone + side] for bone in bones]].mean(1)
    hips = (centres[:, 1] + centres[:, 2]) / 2
    centres[:, 0] = hips + 0.4 * (centres[:, 3] - hips)  # SMPL's pelvis is above its hips
    return centres


def _finger_bone(joint: str) -> str:
    return f'finger{_FINGER_NUMBERS[joint[:-1]]}-{joint[-1]}.R'


def merge_weights(kind: str, weights: np.ndarray, bone_names: list[str]) -> np.ndarray:
    """(V, P) joint weights from bone weights (V, B): summed, the 4 largest kept, quantised."""
    names = MANO_16.joint_names if kind == 'hand' else SMPL_24.joint_names
    joint_of = _hand_joint_of if kind == 'hand' else _body_joint_of
    merged = np.zeros((len(weights), len(names)))
    for b, bone in enumerate(bone_names):
        merged[:, names.index(joint_of(bone))] += weights[:, b]
    merged[merged < _LEAST_WEIGHT] = 0
    fifth = np.sort(merged, axis=1)[:, -MAX_INFLUENCES - 1, None]
    merged[merged <= fifth + 1e-9] = 0  # a left/right pair that ties goes together
    merged /= merged.sum(1, keepdims=True)
    steps = np.floor(merged * _WEIGHT_STEPS)
    largest = merged.argmax(1)
    steps[np.arange(len(steps)), largest] += _WEIGHT_STEPS - steps.sum(1)
    return steps / _WEIGHT_STEPS


def _body_joint_of(bone: str) -> str:
    stem, _, side = bone.partition('.')
    for joint, (_, prefixes) in _BODY.items():
        if stem.startswith(prefixes):
            sided = side and joint not in {'Pelvis', 'Head'}
            return f'{side}_{joint}' if sided else joint
    raise ValueError(f'no joint carries the bone {bone!r}')


def _hand_joint_of(bone: str) -> str:
    if bone.startswith('finger') and bone.endswith('.R'):
        finger = next(k for k, i in _FINGER_NUMBERS.items() if i == int(bone[6]))
        return f'{finger}{bone[8]}'
    return 'Wrist'


def fit_joint_regressor(
    template: np.ndarray,
    shapedirs: np.ndarray,
    weights: np.ndarray,
    joint_template: np.ndarray,
    joint_shapedirs: np.ndarray,
    parents: tuple[int, ...],
    vertex_mirror: np.ndarray | None,
    joint_mirror: tuple[int, ...],
) -> np.ndarray:
    """(P, V) non-negative rows of sum 1 that give the joint centres of every shape.

    Each row is a ridge-regularised non-negative least-squares fit over the vertices of a slab
    around the joint, so its few weights surround the joint instead of sitting on one side of it.

    Args:
        template: (V, 3) in m; `shapedirs` (V, 3, K) and `weights` (V, P) belong to it.
        joint_template: (P, 3) true centres of the mean shape; `joint_shapedirs` (P, 3, K).
        parents: Parent of each joint.
        vertex_mirror: (V,) mirror map, or None for a hand.
        joint_mirror: Mirror image of each joint.
    """
    regressor = np.zeros((len(parents), len(template)))
    for j, parent in enumerate(parents):
        if vertex_mirror is not None and joint_mirror[j] < j:
            regressor[j] = regressor[joint_mirror[j]][vertex_mirror]
            continue
        near = _slab(j, parent, parents, template, weights, joint_template)
        basis = np.concatenate([template[near, :, None], shapedirs[near]], 2).reshape(len(near), -1)
        target = np.concatenate([joint_template[j, :, None], joint_shapedirs[j]], 1).ravel()
        ridge = _RIDGE_PER_M * np.ptp(template, axis=0).max() * np.eye(len(near))
        rows = np.concatenate([basis.T * 100, np.full((1, len(near)), 1e3), ridge])
        goal = np.concatenate([target * 100, [1e3], np.zeros(len(near))])
        row, _ = nnls(rows, goal, maxiter=100 * len(near))
        row[row < 1e-4] = 0
        regressor[j, near] = row / row.sum()
        if vertex_mirror is not None and joint_mirror[j] == j:
            regressor[j] = (regressor[j] + regressor[j][vertex_mirror]) / 2
    return regressor


def _slab(
    j: int,
    parent: int,
    parents: tuple[int, ...],
    template: np.ndarray,
    weights: np.ndarray,
    joints: np.ndarray,
) -> np.ndarray:
    """Vertices that the joint or its parent carries, near the plane through it across the bone."""
    children = [c for c, p in enumerate(parents) if p == j]
    if parent < 0 and len(parents) == len(SMPL_24):
        children = [SMPL_24.index('Torso')]  # the hips are on both sides of the pelvis
    end = joints[children].mean(0) if children else 2 * joints[j] - joints[parent]
    axis = (end - joints[j]) / np.linalg.norm(end - joints[j])
    carried = weights[:, j] + (weights[:, parent] if parent >= 0 else weights[:, children].sum(1))
    offset = template - joints[j]
    along, distance = np.abs(offset @ axis), np.linalg.norm(offset, axis=1)
    size = np.linalg.norm(end - joints[j])
    for factor in (0.3, 0.5, 0.7):
        near = np.flatnonzero((carried > 0.1) & (along < factor * size) & (distance < 3 * size))
        if len(near) >= 60:
            break
    return near


def h36m_regressor(
    regressor: np.ndarray, nose: int, head_top: np.ndarray, num_vertices: int
) -> np.ndarray:
    """(17, V) Human3.6M-style rows: shared joints by name, hip midpoint, nose and top of the head.

    Args:
        regressor: (24, V) SMPL rows.
        nose: Nose vertex.
        head_top: Vertices whose mean is the top of the head.
        num_vertices: V.
    """
    rows = np.zeros((len(H36M_17), num_vertices))
    for i, name in enumerate(H36M_17.joint_names):
        if name == 'Pelvis':
            rows[i] = (regressor[1] + regressor[2]) / 2
        elif name == 'Torso':
            rows[i] = regressor[SMPL_24.index('Spine')]
        elif name == 'Nose':
            rows[i, nose] = 1
        elif name == 'Head_top':
            rows[i, head_top] = 1 / len(head_top)
        else:
            rows[i] = regressor[SMPL_24.index(name)]
    return rows
