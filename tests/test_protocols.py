"""The table of protocols against what the data sets' papers and index tables say."""

import pytest

from i2l_plugin.body_models import SMPL_24, get_joint_set
from i2l_plugin.protocols import PROTOCOLS, get_protocol


@pytest.mark.parametrize('protocol', PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_protocol_is_consistent(protocol):
    assert protocol.name.startswith(f'{protocol.dataset}/')
    assert protocol.train_only == (protocol.split == 'train')
    assert protocol.source.endswith('.')
    assert protocol.describe().startswith(f'{protocol.name} ({protocol.split}')
    if not protocol.train_only:
        joints = get_joint_set(protocol.joint_set)
        assert protocol.root == joints.joint_names[joints.root]
        assert set(protocol.evaluation_joints) <= set(joints.joint_names)
        assert protocol.truth in {'fitted', 'annotated'}
        assert not (protocol.gendered and protocol.truth == 'annotated')


def test_human36m_evaluates_the_14_joints_by_name():
    paper = get_protocol('h36m/paper')
    assert set(paper.evaluation_joints) == {
        *('R_Hip', 'R_Knee', 'R_Ankle', 'L_Hip', 'L_Knee', 'L_Ankle', 'Neck', 'Head_top'),
        *('L_Shoulder', 'L_Elbow', 'L_Wrist', 'R_Shoulder', 'R_Elbow', 'R_Wrist'),
    }
    assert (paper.subjects, paper.frame_step, paper.cameras) == ((9, 11), 64, (4,))
    assert (paper.truth, paper.regressor) == ('annotated', 'h36m_17')
    assert get_protocol('3dpw/paper').evaluation_joints == paper.evaluation_joints
    training = get_protocol('h36m/train')
    assert (training.subjects, training.frame_step) == ((1, 5, 6, 7, 8), 5)
    assert not set(training.subjects) & set(paper.subjects)


def test_the_protocols_of_other_papers_differ_by_cameras_and_frames():
    one, two = get_protocol('h36m/protocol1'), get_protocol('h36m/protocol2')
    assert (one.cameras, two.cameras) == ((1, 2, 3, 4), (4,))
    assert one.frame_step == two.frame_step == 5
    names = ('h36m/paper', 'h36m/paper-4cameras', 'h36m/protocol1', 'h36m/protocol2')
    assert len({get_protocol(name).selection for name in names}) == 4


def test_smpl_joints_are_the_24_of_the_body_model():
    for name in ('3dpw/smpl-joints', 'surreal/507', 'surreal/493'):
        protocol = get_protocol(name)
        assert protocol.evaluation_joints == SMPL_24.joint_names
        assert protocol.gendered
    assert get_protocol('3dpw/smpl-joints').selection == get_protocol('3dpw/paper').selection
    assert get_protocol('surreal/493').selection != get_protocol('surreal/507').selection


def test_known_numbers_of_samples():
    known = {
        '3dpw/paper': 35515,
        'freihand/paper': 3960,
        'freihand/train': 4 * 32560,
        'surreal/493': 493,
        'surreal/507': 507,
    }
    assert {name: get_protocol(name).expected_n for name in known} == known


def test_a_protocol_says_what_it_takes():
    text = get_protocol('h36m/paper').describe()
    assert text == 'h36m/paper (test; S9, S11; every 64th frame; camera 4)'
    assert 'cameras 1, 2, 3, 4' in get_protocol('h36m/protocol1').describe()
    assert get_protocol('surreal/493').describe() == 'surreal/493 (test; persons in view)'


def test_an_unknown_protocol_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'h36m/p2'.*'h36m/paper'.*'freihand/paper'"):
        get_protocol('h36m/p2')
