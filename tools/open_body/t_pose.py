"""Turning people at rest (arms lowered, fingers bent) into SMPL's T-pose by skinning all bones.

Arms straight out to the sides, palms down, fingers straight; legs straight, feet as they are. Only
left bones are turned by hand: right ones are their mirror image. S people, B bones, N vertices.
"""

from __future__ import annotations

import numpy as np

from .source import People, Source, bone_mirror

_FLIP = np.diag([-1.0, 1.0, 1.0])
_LEG = np.array([0.035, -1.0, 0.0])
_FINGERS = {2: 0.06, 3: 0.0, 4: -0.05, 5: -0.11}  # finger number -> splay, z per unit of x


def rotation_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(S, 3, 3) smallest rotations that turn `start` (S, 3) into the direction `end` (3,)."""
    a = start / np.linalg.norm(start, axis=-1, keepdims=True)
    b = np.broadcast_to(end / np.linalg.norm(end, axis=-1, keepdims=True), a.shape)
    v, c = np.cross(a, b), (a * b).sum(-1)
    k = np.zeros((*v.shape[:-1], 3, 3))
    k[..., 0, 1], k[..., 0, 2], k[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    k -= np.swapaxes(k, -1, -2)
    return np.eye(3) + k + k @ k / (1 + c)[..., None, None]


def rotation_about_x(angle: np.ndarray) -> np.ndarray:
    """(S,) radians -> (S, 3, 3)."""
    out = np.tile(np.eye(3), (*angle.shape, 1, 1))
    out[..., 1, 1] = out[..., 2, 2] = np.cos(angle)
    out[..., 2, 1], out[..., 1, 2] = np.sin(angle), -np.sin(angle)
    return out


def t_pose_rotations(heads: np.ndarray, names: list[str]) -> np.ndarray:
    """Global rotation (S, B, 3, 3) of each bone from the rest pose to the T-pose."""
    index = {name: i for i, name in enumerate(names)}
    turn = np.tile(np.eye(3), (len(heads), len(names), 1, 1))

    def direction(start: str, end: str) -> np.ndarray:
        return heads[:, index[f'{end}.L']] - heads[:, index[f'{start}.L']]

    def apply(rotation: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return np.einsum('sij,sj->si', rotation, vector)

    def put(rotation: np.ndarray, *bones: str) -> None:
        for bone in bones:
            turn[:, index[f'{bone}.L']] = rotation

    x = np.array([1.0, 0.0, 0.0])
    upper = rotation_between(direction('upperarm01', 'lowerarm01'), x)
    put(upper, 'upperarm01', 'upperarm02')
    half = rotation_between(direction('upperarm01', 'lowerarm01'), np.array([1.0, -0.75, 0.0]))
    put(half, 'shoulder01')
    # The forearm unbends about the elbow first, so that it does not twist against the upper arm.
    lower = rotation_between(apply(upper, direction('lowerarm01', 'wrist')), x) @ upper
    put(lower, 'lowerarm01')

    hand = rotation_between(apply(lower, direction('wrist', 'finger3-1')), x) @ lower
    across = apply(hand, direction('finger5-1', 'finger2-1'))  # little -> index: to +z, palm down
    roll = np.arctan2(across[:, 1], across[:, 2])
    twist = rotation_about_x(roll)
    put(rotation_about_x(roll / 2) @ lower, 'lowerarm02')
    hand = twist @ hand
    put(hand, 'wrist', *(f'metacarpal{i}' for i in range(1, 5)))
    put(hand, *(f'finger1-{i}' for i in (1, 2, 3)))
    for finger, splay in _FINGERS.items():
        target = np.array([1.0, 0.0, splay])
        rotation = hand
        for i in (1, 2):
            bone = direction(f'finger{finger}-{i}', f'finger{finger}-{i + 1}')
            rotation = rotation_between(apply(rotation, bone), target) @ rotation
            put(rotation, f'finger{finger}-{i}')
        # Anny has no bone ends: the tip bends a little more than the middle, by as much again.
        put(rotation, f'finger{finger}-3')

    thigh = rotation_between(direction('upperleg01', 'lowerleg01'), _LEG)
    put(thigh, 'upperleg01', 'upperleg02')
    shin = rotation_between(apply(thigh, direction('lowerleg01', 'foot')), _LEG) @ thigh
    put(shin, 'lowerleg01', 'lowerleg02')

    mirror = bone_mirror(names)
    for i, name in enumerate(names):
        if name.endswith('.R'):
            turn[:, i] = _FLIP @ turn[:, mirror[i]] @ _FLIP
    return turn


def to_t_pose(people: People, source: Source) -> People:
    """Skinned vertices and the bone heads that go with them."""
    heads, names = people.bone_heads_m, source.bone_names
    turn = t_pose_rotations(heads, names)
    posed = heads.copy()
    for i, parent in enumerate(source.bone_parents):
        if parent >= 0:
            bone = heads[:, i] - heads[:, parent]
            posed[:, i] = posed[:, parent] + np.einsum('sij,sj->si', turn[:, parent], bone)
    offset = posed - np.einsum('sbij,sbj->sbi', turn, heads)
    vertices = np.empty_like(people.vertices_m)
    for s in range(len(heads)):
        blend = np.einsum('nb,bij->nij', source.weights, turn[s])
        vertices[s] = np.einsum('nij,nj->ni', blend, people.vertices_m[s])
        vertices[s] += source.weights @ offset[s]
    return People(vertices, posed)
