"""Poses of the synthetic people and hands: limits, directions, sides, no arm through the trunk."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from synthetic_humans import arms, body_poses
from synthetic_humans.body_angles import (
    JOINTS,
    LIMITS,
    BodyAngles,
    base_name,
    clip_angles,
    limits_array,
)
from synthetic_humans.body_poses import draw_pose, mirror_angles
from synthetic_humans.hand_poses import (
    FINGER_LIMITS,
    FINGERS,
    THUMB_LIMITS,
    FingerAxes,
    draw_fingers,
)
from synthetic_humans.kinematics import arms_hit_body, forward_kinematics

from i2l_plugin.body_models import MANO_16, build_body_model

INDEX = {name: i for i, name in enumerate(JOINTS)}
X, Y, Z = np.eye(3)


@pytest.fixture(scope='module')
def rest():
    """(24, 3) rest joints of the open body."""
    model = build_body_model('body')
    return (model.j_regressor @ model.v_template).double().numpy()


@pytest.fixture(scope='module')
def body_angles(rest):
    return BodyAngles(rest)


@pytest.fixture(scope='module')
def hand():
    return build_body_model('hand')


def posed(body_angles, rest, **degrees):
    """Joints after setting angles of some joints, e.g. L_Knee=(90, 0, 0)."""
    angles = np.zeros((24, 3))
    for name, xyz in degrees.items():
        angles[INDEX[name]] = xyz
    return forward_kinematics(body_angles.pose(angles), rest)[1]


def test_drawn_poses_keep_the_limits_of_every_joint_and_axis(body_angles, rest):
    """Back from axis-angle to angles by scipy, joint by joint."""
    rng = np.random.default_rng(0)
    poses = np.stack([draw_pose(rng, body_angles, rest).pose for _ in range(150)])
    for i, name in enumerate(JOINTS[1:], 1):
        order, limits = LIMITS[base_name(name)]
        rotations = Rotation.from_rotvec(poses[:, i])
        if base_name(name) == 'Shoulder':  # measured from the hanging arm
            side = 1 if name[0] == 'L' else -1
            arm = rest[INDEX[name[0] + '_Elbow']] - rest[INDEX[name]]
            down, _ = Rotation.align_vectors([-Y, Z], [arm, Z], weights=[1e6, 1e-6])
            rotations = rotations * down.inv()
            assert side * arm[0] > 0
        angles = rotations.as_euler(order, degrees=True)
        slack = 2.0 if base_name(name) == 'Shoulder' else 1e-4
        for column, axis in enumerate(order):
            values = angles[:, column]
            if name.startswith('R_') and axis != 'X':
                values = -values
            low, high = limits['XYZ'.index(axis)]
            assert values.min() >= low - slack, (name, axis)
            assert values.max() <= high + slack, (name, axis)
    np.testing.assert_array_equal(poses[:, 0], 0)


@pytest.mark.parametrize(
    ('joint', 'degrees', 'moved', 'direction'),
    [
        ('Torso', (30, 0, 0), 'Head', Z),
        ('Torso', (0, 0, 14), 'Head', -X),  # leans to the person's right
        ('Neck', (0, 40, 0), None, None),
        ('L_Thorax', (0, 0, 25), 'L_Shoulder', Y),
        ('L_Shoulder', (-90, 0, 0), 'L_Wrist', Z),
        ('L_Shoulder', (0, 0, 80), 'L_Wrist', X),
        ('R_Shoulder', (0, 0, 80), 'R_Wrist', -X),
        ('R_Shoulder', (-160, 0, 0), 'R_Wrist', Y),
        ('L_Elbow', (0, -90, 0), 'L_Hand', Z),
        ('R_Elbow', (0, -90, 0), 'R_Hand', Z),
        ('L_Wrist', (0, 0, 50), 'L_Hand', X),  # bends back, away from the thigh
        ('R_Wrist', (0, 0, 50), 'R_Hand', -X),
        ('L_Hip', (-90, 0, 0), 'L_Knee', Z),
        ('L_Hip', (0, 0, 45), 'L_Ankle', X),
        ('R_Hip', (0, 0, 45), 'R_Ankle', -X),
        ('R_Knee', (90, 0, 0), 'R_Ankle', -Z),
        ('L_Ankle', (40, 0, 0), 'L_Toe', -Y),
    ],
)
def test_positive_angles_move_the_named_side_the_stated_way(
    body_angles, rest, joint, degrees, moved, direction
):
    before, after = posed(body_angles, rest), posed(body_angles, rest, **{joint: degrees})
    if moved is None:  # turning the neck leaves the head's joint on the axis
        np.testing.assert_allclose(after[INDEX['Neck']], before[INDEX['Neck']], atol=1e-9)
        return
    step = after[INDEX[moved]] - before[INDEX[moved]]
    assert step @ direction > 0.02
    assert step @ direction > 0.45 * np.linalg.norm(step)
    if joint[:2] in ('L_', 'R_'):  # the other side stays
        other = {'L_': 'R_', 'R_': 'L_'}[joint[:2]]
        for i, name in enumerate(JOINTS):
            if name.startswith(other) or name == 'Head':
                np.testing.assert_allclose(after[i], before[i], atol=1e-9)


def test_zero_angles_let_the_arms_hang(body_angles, rest):
    joints = posed(body_angles, rest)
    for side in 'LR':
        arm = joints[INDEX[f'{side}_Elbow']] - joints[INDEX[f'{side}_Shoulder']]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), -Y, atol=1e-9)
        np.testing.assert_array_equal(joints[INDEX[f'{side}_Ankle']], rest[INDEX[f'{side}_Ankle']])


def test_mirrored_angles_mirror_the_joints(rest):
    rest = rest.copy()
    for i, name in enumerate(JOINTS):  # an exactly symmetric skeleton
        if name.startswith('L_'):
            rest[INDEX['R_' + name[2:]]] = rest[i] * (-1, 1, 1)
        elif not name.startswith('R_'):
            rest[i, 0] = 0
    angles = clip_angles(np.random.default_rng(0).normal(0, 30, (24, 3)))
    angles[0] = 0
    converter = BodyAngles(rest)
    joints = forward_kinematics(converter.pose(angles), rest)[1]
    mirrored = forward_kinematics(converter.pose(mirror_angles(angles)), rest)[1]
    swap = [INDEX[{'L_': 'R_', 'R_': 'L_'}.get(n[:2], n[:2]) + n[2:]] for n in JOINTS]
    np.testing.assert_allclose(mirrored, joints[swap] * (-1, 1, 1), atol=1e-9)


def test_joints_of_the_kinematics_are_those_of_the_body_model(rest):
    model = build_body_model('body')
    pose = np.random.default_rng(1).normal(0, 0.4, (24, 3))
    expected = model(torch.from_numpy(pose).float()[None]).lbs_joints_m[0].numpy()
    np.testing.assert_allclose(forward_kinematics(pose, rest)[1], expected, atol=1e-5)


def test_families_are_drawn_as_often_as_they_weigh_and_people_are_mostly_upright(body_angles, rest):
    rng = np.random.default_rng(4)
    draws = [draw_pose(rng, body_angles, rest) for _ in range(400)]
    total = sum(weight for weight, _ in body_poses.FAMILIES.values())
    for family, (weight, _) in body_poses.FAMILIES.items():
        share = np.mean([draw.family == family for draw in draws])
        assert share == pytest.approx(weight / total, abs=0.08)
    above = []
    for draw in draws:
        joints = forward_kinematics(draw.pose, rest)[1]
        head, knees = joints[INDEX['Head'], 1], joints[[INDEX['L_Knee'], INDEX['R_Knee']], 1]
        above.append(head > joints[INDEX['Pelvis'], 1] + 0.35 and knees.mean() < rest[0, 1] - 0.2)
        assert not arms_hit_body(draw.pose, rest)
    assert np.mean(above) > 0.75


def test_arm_through_the_trunk_is_found_and_free_arms_are_not(rest):
    assert not arms_hit_body(np.zeros((24, 3)), rest)
    through = np.zeros((24, 3))
    through[INDEX['L_Elbow']] = (0, 0, np.pi)  # folded straight back over the upper arm
    through[INDEX['L_Shoulder']] = (0, np.radians(-20), 0)
    assert arms_hit_body(through, rest)
    crossed = np.zeros((24, 3))
    for side, sign in (('L', 1), ('R', -1)):
        crossed[INDEX[f'{side}_Shoulder']] = (0, sign * np.radians(-112), 0)
    assert arms_hit_body(crossed, rest)


def test_hopeless_families_fall_back_to_a_calm_pose(body_angles, rest, monkeypatch):
    def inside(_):
        angles = np.zeros((24, 3))
        angles[INDEX['L_Shoulder']] = (-30, 0, -20)
        angles[INDEX['L_Elbow']] = (0, -130, 0)
        angles[INDEX['R_Shoulder']] = (-30, 0, -20)
        angles[INDEX['R_Elbow']] = (0, -130, 0)
        return angles, 5.0

    monkeypatch.setattr(body_poses, 'VARIATION', dict.fromkeys(body_poses.VARIATION, 0.0))
    monkeypatch.setattr(body_poses, 'FAMILIES', {'inside': (1.0, inside)})
    monkeypatch.setattr(body_poses, 'arms_hit_body', lambda *_: True)
    pose = draw_pose(np.random.default_rng(0), body_angles, rest)
    np.testing.assert_allclose(pose.angles_deg[INDEX['L_Shoulder']], (0, 0, 14))
    assert pose.lean_deg == 0


def test_arm_postures_lie_within_the_limits_before_clipping():
    for posture in arms.POSTURES.values():
        for (low, high), (least, most) in zip(posture.shoulder, LIMITS['Shoulder'][1], strict=True):
            assert least <= low < high <= most
        for (low, high), (least, most) in zip(posture.elbow, LIMITS['Elbow'][1], strict=False):
            assert least <= low < high <= most
    assert (limits_array()[0] == 0).all()


def test_fingers_keep_their_limits(hand):
    """Bend and spread read back from the rotation vectors that the model really applies."""
    rest = (hand.j_regressor @ hand.v_template).double().numpy()
    mean = hand.mean_pose.double().numpy()
    axes = FingerAxes(rest, mean)
    rng = np.random.default_rng(0)
    for _ in range(100):
        bend, spread, _ = draw_fingers(rng)
        applied = np.degrees(axes.pose(bend, spread) + mean)
        for finger in FINGERS:
            limits = THUMB_LIMITS if finger == 'Thumb' else FINGER_LIMITS
            for i in range(3):
                vector = applied[MANO_16.index(f'{finger}{i + 1}')]
                bent, turned = vector @ axes.bend[finger], vector @ axes.spread[finger]
                np.testing.assert_allclose(
                    vector, bent * axes.bend[finger] + turned * axes.spread[finger], atol=1e-6
                )
                assert limits['bend'][i][0] - 1e-6 <= bent <= limits['bend'][i][1] + 1e-6
                assert limits['spread'][i][0] - 1e-6 <= turned <= limits['spread'][i][1] + 1e-6


def test_bending_a_finger_moves_its_tip_into_the_palm_and_no_other(hand):
    rest = (hand.j_regressor @ hand.v_template).double().numpy()
    axes = FingerAxes(rest, hand.mean_pose.double().numpy())

    def tips(bend, spread):
        pose = torch.from_numpy(axes.pose(bend, spread)).float()
        joints = hand(pose[None]).joints_m[0].numpy()
        names = hand.joint_set.joint_names
        return np.stack([joints[names.index(f'{finger}4')] for finger in FINGERS])

    flat = tips(np.zeros((5, 3)), np.zeros((5, 3)))
    thumb_side = rest[MANO_16.index('Index1')] - rest[MANO_16.index('Pinky1')]
    for f, finger in enumerate(FINGERS):
        bend, spread = np.zeros((5, 3)), np.zeros((5, 3))
        bend[f] = (60, 60, 40)
        step = tips(bend, np.zeros((5, 3))) - flat
        # the thumb bends across the palm, the fingers into it
        toward = -thumb_side / np.linalg.norm(thumb_side) if finger == 'Thumb' else axes.palm
        assert step[f] @ toward > 0.02
        np.testing.assert_allclose(np.delete(step, f, 0), 0, atol=1e-6)
        if finger != 'Thumb':
            spread[f, 0] = 15
            step = tips(np.zeros((5, 3)), spread) - flat
            assert step[f] @ thumb_side > 0.3 * np.linalg.norm(step[f]) * np.linalg.norm(thumb_side)
