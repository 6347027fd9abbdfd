"""A joint set as the host's pose meta information, for its visualizer, wrappers and inferencer."""

from __future__ import annotations

from dataclasses import asdict

from i2l_plugin.body_models.joint_sets import JointSet

ANNOTATED_KEY = 'annotated_joints'  # the data set's own joints, as the fields of a JointSet
_LEFT, _RIGHT, _MIDDLE = (0, 200, 80), (255, 110, 40), (60, 140, 255)  # RGB
_FINGERS = {
    'Thumb': (240, 140, 20),
    'Index': (220, 90, 220),
    'Middle': (70, 150, 250),
    'Ring': (235, 60, 60),
    'Pinky': (40, 190, 70),
}
_LEGS = ('Hip', 'Knee', 'Ankle', 'Toe')


def pose_metainfo(dataset_name: str, joint_set: JointSet) -> dict:
    """Literal meta information, in the form that the host's `parse_pose_metainfo` reads.

    Sigmas and joint weights are uniform: nothing here is scored by object keypoint similarity.
    """
    names, order = joint_set.joint_names, joint_set.mirror_order
    return {
        'dataset_name': dataset_name,
        'keypoint_info': {
            i: {
                'name': name,
                'id': i,
                'color': list(_color(name)),
                'type': 'lower' if name.endswith(_LEGS) else 'upper',
                'swap': names[order[i]] if order[i] != i else '',
            }
            for i, name in enumerate(names)
        },
        'skeleton_info': {
            i: {'link': (names[start], names[end]), 'id': i, 'color': list(_color(names[end]))}
            for i, (start, end) in enumerate(joint_set.skeleton)
        },
        'joint_weights': [1.0] * len(names),
        'sigmas': [0.05] * len(names),
    }


def benchmark_metainfo(dataset_name: str, model_joints: JointSet, annotated: JointSet) -> dict:
    """Meta information of a published data set.

    Samples and predictions hold the model's joints, so these are what the host's entries name and
    its tools draw; the data set's own joints with their skeleton, mirror pairs, root and evaluation
    joints are the entry ``annotated_joints``.
    """
    return {**pose_metainfo(dataset_name, model_joints), ANNOTATED_KEY: asdict(annotated)}


def _color(joint_name: str) -> tuple[int, int, int]:
    for side, color in (('L_', _LEFT), ('R_', _RIGHT), *_FINGERS.items()):
        if joint_name.startswith(side):
            return color
    return _MIDDLE
