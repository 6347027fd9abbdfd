"""Named joint sets: what joint i is called, how joints connect, mirror, and which are evaluated.

Index tables of the I2L-MeshNet joint sets and of the data sets' own annotations. Joints travel
between sets by NAME (`JointSet.indices_in`), never by position.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class JointSet:
    """Joint names with their skeleton, left/right pairs, root and evaluation joints.

    Args:
        name: Identifier, e.g. ``'body_29'``.
        joint_names: One name a joint.
        skeleton: Pairs of joint indices that a drawing connects.
        mirror_pairs: Pairs of joint indices that a left-right flip exchanges.
        root: Index of the root joint.
        evaluation_joints: Indices that the data set's protocol averages over; all when empty.
    """

    name: str
    joint_names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()
    mirror_pairs: tuple[tuple[int, int], ...] = ()
    root: int = 0
    evaluation_joints: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.joint_names)

    @cached_property
    def mirror_order(self) -> tuple[int, ...]:
        """Permutation with ``mirrored[i] = joints[order[i]]``."""
        order = list(range(len(self)))
        for left, right in self.mirror_pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def index(self, joint_name: str) -> int:
        """Position of a joint by name; ValueError lists the names on a miss."""
        try:
            return self.joint_names.index(joint_name)
        except ValueError:
            raise ValueError(
                f'joint set {self.name!r} has no joint {joint_name!r}; it has {self.joint_names}'
            ) from None

    def indices_in(self, other: JointSet) -> tuple[int, ...]:
        """For each joint here, its index in `other` by name, or -1 where `other` has none."""
        lookup = {joint_name: i for i, joint_name in enumerate(other.joint_names)}
        return tuple(lookup.get(joint_name, -1) for joint_name in self.joint_names)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


BODY_29 = JointSet(
    name='body_29',
    joint_names=_words(
        'Pelvis L_Hip R_Hip Torso L_Knee R_Knee Spine L_Ankle R_Ankle Chest L_Toe R_Toe Neck '
        'L_Thorax R_Thorax Head L_Shoulder R_Shoulder L_Elbow R_Elbow L_Wrist R_Wrist L_Hand '
        'R_Hand Nose L_Eye R_Eye L_Ear R_Ear'
    ),
    skeleton=(
        *((0, 1), (1, 4), (4, 7), (7, 10), (0, 2), (2, 5), (5, 8), (8, 11), (0, 3), (3, 6)),
        *((6, 9), (9, 14), (14, 17), (17, 19), (19, 21), (21, 23), (9, 13), (13, 16), (16, 18)),
        *((18, 20), (20, 22), (9, 12), (12, 24), (24, 15), (24, 25), (24, 26), (25, 27), (26, 28)),
    ),
    mirror_pairs=(
        *((1, 2), (4, 5), (7, 8), (10, 11), (13, 14), (16, 17), (18, 19), (20, 21), (22, 23)),
        *((25, 26), (27, 28)),
    ),
)

HAND_21 = JointSet(
    name='hand_21',
    joint_names=_words(
        'Wrist Thumb1 Thumb2 Thumb3 Thumb4 Index1 Index2 Index3 Index4 Middle1 Middle2 Middle3 '
        'Middle4 Ring1 Ring2 Ring3 Ring4 Pinky1 Pinky2 Pinky3 Pinky4'
    ),
    skeleton=tuple(
        pair
        for finger in range(5)
        for pair in [
            (0, 4 * finger + 1),
            *((4 * finger + i, 4 * finger + i + 1) for i in (1, 2, 3)),
        ]
    ),
)

H36M_17 = JointSet(
    name='h36m_17',
    joint_names=_words(
        'Pelvis R_Hip R_Knee R_Ankle L_Hip L_Knee L_Ankle Torso Neck Nose Head_top L_Shoulder '
        'L_Elbow L_Wrist R_Shoulder R_Elbow R_Wrist'
    ),
    skeleton=(
        *((0, 7), (7, 8), (8, 9), (9, 10), (8, 11), (11, 12), (12, 13), (8, 14), (14, 15)),
        *((15, 16), (0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6)),
    ),
    mirror_pairs=((1, 4), (2, 5), (3, 6), (14, 11), (15, 12), (16, 13)),
    evaluation_joints=(1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16),
)

MUCO_21 = JointSet(
    name='muco_21',
    joint_names=_words(
        'Head_top Thorax R_Shoulder R_Elbow R_Wrist L_Shoulder L_Elbow L_Wrist R_Hip R_Knee '
        'R_Ankle L_Hip L_Knee L_Ankle Pelvis Spine Head R_Hand L_Hand R_Toe L_Toe'
    ),
    skeleton=(
        *((0, 16), (16, 1), (1, 15), (15, 14), (14, 8), (8, 9), (9, 10), (10, 19), (14, 11)),
        *((11, 12), (12, 13), (13, 20), (1, 2), (2, 3), (3, 4), (4, 17), (1, 5), (5, 6), (6, 7)),
        (7, 18),
    ),
    mirror_pairs=((2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13), (17, 18), (19, 20)),
    root=14,
)

COCO_18 = JointSet(
    name='coco_18',
    joint_names=_words(
        'Nose L_Eye R_Eye L_Ear R_Ear L_Shoulder R_Shoulder L_Elbow R_Elbow L_Wrist R_Wrist '
        'L_Hip R_Hip L_Knee R_Knee L_Ankle R_Ankle Pelvis'
    ),
    skeleton=(
        *((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
        *((5, 11), (6, 12), (17, 11), (17, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
    ),
    mirror_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    root=17,
)

SMPL_24 = JointSet(
    name='smpl_24',
    joint_names=BODY_29.joint_names[:24],
    skeleton=(
        *((0, 1), (1, 4), (4, 7), (7, 10), (0, 2), (2, 5), (5, 8), (8, 11), (0, 3), (3, 6)),
        *((6, 9), (9, 12), (12, 15), (9, 13), (13, 16), (16, 18), (18, 20), (20, 22)),
        *((9, 14), (14, 17), (17, 19), (19, 21), (21, 23)),
    ),
    mirror_pairs=BODY_29.mirror_pairs[:9],
)

MANO_16 = JointSet(
    name='mano_16',
    joint_names=_words(
        'Wrist Index1 Index2 Index3 Middle1 Middle2 Middle3 Pinky1 Pinky2 Pinky3 '
        'Ring1 Ring2 Ring3 Thumb1 Thumb2 Thumb3'
    ),
    skeleton=tuple(
        pair
        for finger in range(5)
        for pair in [(0, 3 * finger + 1), *((3 * finger + i, 3 * finger + i + 1) for i in (1, 2))]
    ),
)

JOINT_SETS = {
    joint_set.name: joint_set
    for joint_set in (BODY_29, HAND_21, H36M_17, MUCO_21, COCO_18, SMPL_24, MANO_16)
}


def get_joint_set(name: str) -> JointSet:
    """A joint set by name; ValueError lists the known ones."""
    if name not in JOINT_SETS:
        raise ValueError(f'unknown joint set {name!r}; expected one of {sorted(JOINT_SETS)}')
    return JOINT_SETS[name]
