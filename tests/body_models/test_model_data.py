"""Checks of the arrays of a body model: each wrong array is named."""

import dataclasses

import numpy as np
import pytest
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import get_joint_set


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'kind': 'face'}, "'body' or 'hand', got 'face'"),
        ({'shapedirs': np.zeros((192, 3, 9))}, r'shapedirs of a body .*\(192, 3, 10\).*got'),
        ({'weights': np.zeros((192, 16))}, r'weights of a body .*\(192, 24\)'),
        ({'hands_mean': np.zeros(6)}, 'hands_mean'),
        ({'regressors': {'h36m_17': np.zeros((17, 5))}}, r"'h36m_17' must be \(R, 192\)"),
        ({'v_template': np.full((192, 3), np.inf)}, 'v_template holds NaN or infinite'),
        ({'faces': np.array([[0, 1, 192]])}, r'faces refers to vertices 0\.\.192'),
        ({'vertex_ids': {'Nose': -1}}, r'Nose refers to vertices -1\.\.-1'),
        ({'vertex_mirror': np.full(192, 500)}, r'vertex_mirror refers to vertices 500'),
        ({'parents': np.zeros(24, int)}, 'parents must be -1 for joint 0'),
        ({'parents': np.array([-1, 2, 1] + [0] * 21)}, 'come before their children'),
        ({'parents': np.array([-1, -1] + [0] * 22)}, 'only joint 0 may be without a parent'),
    ],
)
def test_a_wrong_array_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(toy_body_data(), **change)


def test_smpl_and_mano_names_lead_the_regressed_joint_sets():
    body, smpl = get_joint_set('body_29'), get_joint_set('smpl_24')
    assert body.indices_in(smpl) == (*range(24), -1, -1, -1, -1, -1)
    # The order in which the published hand joints take MANO's rows; -1 are the finger tips.
    order = get_joint_set('hand_21').indices_in(get_joint_set('mano_16'))
    assert order == (0, 13, 14, 15, -1, 1, 2, 3, -1, 4, 5, 6, -1, 10, 11, 12, -1, 7, 8, 9, -1)
    assert all(
        smpl.joint_names[a].replace('L_', 'R_') == smpl.joint_names[b] for a, b in smpl.mirror_pairs
    )


def test_every_skeleton_is_a_tree_over_all_joints():
    for name in ('body_29', 'hand_21', 'h36m_17', 'smpl_24', 'mano_16'):
        joint_set = get_joint_set(name)
        reached, edges = {joint_set.root}, list(joint_set.skeleton)
        assert len(edges) == len(joint_set) - 1
        for _ in edges:
            reached |= {j for edge in edges if reached & set(edge) for j in edge}
        assert reached == set(range(len(joint_set)))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown joint set 'coco'.*body_29"):
        get_joint_set('coco')
    with pytest.raises(ValueError, match=r"no joint 'Tail'.*Pelvis"):
        get_joint_set('body_29').index('Tail')
