"""A tiny body and hand of 192 vertices for unit tests: one closed diamond prism for each joint.

Each prism starts at its joint (whose regressor row is the mean of the first ring) and ends at
the child. The body is exactly left/right symmetric in every array: template, weights, regressors,
shape and pose directions. Shape legend: V = 192 vertices, P = 24 or 16 joints.
"""

import numpy as np

from i2l_plugin.body_models import BodyModelData
from i2l_plugin.body_models.joint_sets import H36M_17, MANO_16, SMPL_24

BODY_PARENTS = np.array(
    [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
)
HAND_PARENTS = np.array([-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14])
_MIRROR = np.array([-1.0, 1.0, 1.0])


def _body_bones():
    """Start (3,), end (3,) and radius of each prism in m, y up, left at +x; R_ parts as L_."""
    left = {
        'Pelvis': ((0, 0, 0), (0, 0.09, 0), 0.13),
        'Torso': ((0, 0.1, 0), (0, 0.21, 0), 0.13),
        'Spine': ((0, 0.22, 0), (0, 0.29, 0), 0.14),
        'Chest': ((0, 0.3, 0), (0, 0.46, 0), 0.15),
        'Neck': ((0, 0.48, 0), (0, 0.56, 0), 0.05),
        'Head': ((0, 0.58, 0.01), (0, 0.78, 0.01), 0.1),
        'L_Hip': ((0.09, -0.08, 0), (0.1, -0.44, 0), 0.08),
        'L_Knee': ((0.1, -0.46, 0), (0.1, -0.84, 0), 0.06),
        'L_Ankle': ((0.1, -0.87, 0), (0.1, -0.91, 0.09), 0.04),
        'L_Toe': ((0.1, -0.91, 0.1), (0.1, -0.91, 0.18), 0.03),
        'L_Thorax': ((0.06, 0.43, 0), (0.15, 0.44, 0), 0.06),
        'L_Shoulder': ((0.17, 0.44, 0), (0.41, 0.44, 0), 0.05),
        'L_Elbow': ((0.43, 0.44, 0), (0.66, 0.44, 0), 0.04),
        'L_Wrist': ((0.68, 0.44, 0), (0.74, 0.44, 0), 0.03),
        'L_Hand': ((0.76, 0.44, 0), (0.86, 0.44, 0), 0.03),
    }
    bones = []
    for name in SMPL_24.joint_names:
        start, end, radius = left[name.replace('R_', 'L_')]
        bones.append((np.array(start, float), np.array(end, float), radius))
    return bones


def _hand_bones():
    """A flat right hand: wrist at 0, fingers along -x, palm down, thumb towards +z."""
    bones = [(np.zeros(3), np.array([-0.085, 0, 0]), 0.025)]
    knuckle_z = {'Index': 0.025, 'Middle': 0.004, 'Pinky': -0.036, 'Ring': -0.017}
    for name in MANO_16.joint_names[1:]:
        finger, i = name[:-1], int(name[-1]) - 1
        if finger == 'Thumb':
            base, step = np.array([-0.025, -0.005, 0.025]), np.array([-0.024, -0.002, 0.022])
        else:
            base, step = np.array([-0.09, 0, knuckle_z[finger]]), np.array([-0.028, 0, 0])
        bones.append((base + i * step, base + (i + 0.9) * step, 0.008))
    return bones


def _prism(start, end, radius, num_rings):
    """Vertices (4 R, 3) and outward faces of a closed diamond prism; rings go +side, front, ..."""
    axis = (end - start) / np.linalg.norm(end - start)
    side = np.array([0.0, 0.0, 1.0]) if abs(axis[0]) > 0.9 else np.array([1.0, 0.0, 0.0])
    side = side - axis * (side @ axis)
    side /= np.linalg.norm(side)
    front = np.cross(axis, side)
    ring = radius * np.stack([side, front, -side, -front])
    vertices = np.concatenate(
        [start + t * (end - start) + ring for t in np.linspace(0, 1, num_rings)]
    )
    faces = [(0, 2, 1), (0, 3, 2)]
    for r in range(num_rings - 1):
        for k in range(4):
            a, b = 4 * r + k, 4 * r + (k + 1) % 4
            faces += [(a, b, b + 4), (a, b + 4, a + 4)]
    top = 4 * (num_rings - 1)
    faces += [(top, top + 1, top + 2), (top, top + 2, top + 3)]
    return vertices, np.array(faces)


def _assemble(kind):
    """Template, faces, weights, regressor, vertex mirror map (None for the hand), ring size."""
    parents = BODY_PARENTS if kind == 'body' else HAND_PARENTS
    joint_set = SMPL_24 if kind == 'body' else MANO_16
    bones = _body_bones() if kind == 'body' else _hand_bones()
    num_rings = 2 if kind == 'body' else 3
    size, p = 4 * num_rings, len(parents)
    vertices, faces = np.zeros((p, size, 3)), np.zeros((p, 8 * num_rings - 4, 3), np.int64)
    weights, regressor = np.zeros((p, size, p)), np.zeros((p, p, size))
    mirror = np.zeros((p, size), np.int64)
    for j, (start, end, radius) in enumerate(bones):
        vertices[j], part_faces = _prism(start, end, radius, num_rings)
        if joint_set.joint_names[j].startswith('R_'):
            vertices[j] *= _MIRROR
            part_faces = part_faces[:, ::-1]
        faces[j] = part_faces + j * size
        weights[j, :, j] = 1
        if j:  # the first ring bends half with the parent
            weights[j, :4, [j, parents[j]]] = 0.5
        regressor[j, j, :4] = 0.25
        other = joint_set.mirror_order[j]
        order = np.array([2, 1, 0, 3]) if other == j else np.arange(4)
        mirror[j] = other * size + (order + 4 * np.arange(num_rings)[:, None]).ravel()
    return (
        vertices.reshape(-1, 3),
        faces.reshape(-1, 3),
        weights.reshape(-1, p),
        regressor.reshape(p, -1),
        mirror.ravel() if kind == 'body' else None,
        size,
    )


def _shape_directions(vertices, rng):
    """(V, 3, 10) smooth offsets; x odd and y, z even in x, so that shapes stay symmetric."""
    x, y, z = vertices.T
    directions = []
    for a, b, c, d, e in rng.normal(0, 0.02, (10, 5)):
        directions.append(np.stack([a * x + b * x * y, c * y + d * y * y, e * z + b * x * x], -1))
    return np.stack(directions, -1)


def _pose_directions(num_vertices, joint_order, vertex_mirror, rng):
    """(V, 3, 9 (P - 1)) small random offsets, symmetrised: R -> M R M where M = diag(-1, 1, 1)."""
    p = len(joint_order)
    offsets = rng.normal(0, 2e-3, (num_vertices, 3, p - 1, 3, 3))
    if vertex_mirror is not None:
        signs = _MIRROR[:, None, None, None] * _MIRROR[:, None] * _MIRROR
        joints = np.asarray(joint_order)[1:] - 1
        offsets = (offsets + signs * offsets[vertex_mirror][:, :, joints]) / 2
    return offsets.reshape(num_vertices, 3, -1)


def toy_body_data(kind='body', seed=0):
    """BodyModelData of 192 vertices, closed parts, with face points or finger tips and mirror map.

    Args:
        kind: ``'body'`` (24 joints, regressor ``'h36m_17'``) or ``'hand'`` (16 joints).
        seed: Of the shape and pose directions and of ``hands_mean``; the rest is fixed.
    """
    rng = np.random.default_rng(seed)
    vertices, faces, weights, regressor, mirror, size = _assemble(kind)
    joint_set = SMPL_24 if kind == 'body' else MANO_16
    regressors, hands_mean = {}, None
    if kind == 'body':
        head = size * joint_set.index('Head')
        ids = {'Nose': 3, 'L_Ear': 0, 'R_Ear': 2, 'L_Eye': 4, 'R_Eye': 6}
        vertex_ids = {name: head + i for name, i in ids.items()}
        head_top = np.zeros((1, len(vertices)))
        head_top[0, head + 4 : head + 8] = 0.25
        nose = np.eye(len(vertices))[[vertex_ids['Nose']]]
        known = {'Head_top': head_top, 'Nose': nose}
        rows = [
            known[name] if name in known else regressor[[joint_set.index(name)]]
            for name in H36M_17.joint_names
        ]
        regressors['h36m_17'] = np.concatenate(rows)
    else:
        vertex_ids = {
            f'{finger}4': size * joint_set.index(f'{finger}3') + size - 4
            for finger in ('Thumb', 'Index', 'Middle', 'Ring', 'Pinky')
        }
        hands_mean = rng.normal(0, 0.1, 45)
    return BodyModelData(
        kind=kind,
        v_template=vertices,
        faces=faces,
        shapedirs=_shape_directions(vertices, rng),
        posedirs=_pose_directions(len(vertices), joint_set.mirror_order, mirror, rng),
        weights=weights,
        j_regressor=regressor,
        parents=BODY_PARENTS if kind == 'body' else HAND_PARENTS,
        hands_mean=hands_mean,
        regressors=regressors,
        vertex_ids=vertex_ids,
        vertex_mirror=mirror,
    )
