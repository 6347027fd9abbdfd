"""Named evaluation protocols: which samples are taken and what they are compared with.

The one table that the data set classes (which samples) and the metrics (which truth, regressor,
joints and root) both read, so that a number cannot come from one choice here and another there.
A data set that applies a protocol puts its name into the metainfo of every data sample, under
`PROTOCOL_KEY`; a metric with a named protocol refuses samples that another one selected.

Sources: paper, Tables 4-7, 12 and 14; Human3.6M's other protocols as HMR and SPIN report them
(Kanazawa et al., CVPR 2018; Kolotouros et al., ICCV 2019); BodyNet (Varol et al., ECCV 2018) for
SURREAL; Zimmermann et al., ICCV 2019 for FreiHAND.
"""

from __future__ import annotations

from dataclasses import dataclass

from i2l_plugin.body_models.joint_sets import BODY_29, H36M_17, SMPL_24, JointSet, get_joint_set

PROTOCOL_KEY = 'protocol'  # metainfo of a data sample: name of the protocol that selected it


@dataclass(frozen=True)
class Protocol:
    """One protocol. What selects samples is applied by the data set, the rest by the metrics.

    Args:
        name: Identifier, ``'{dataset}/...'``.
        dataset: ``'h36m'``, ``'muco'``, ``'coco'``, ``'3dpw'``, ``'freihand'`` or ``'surreal'``.
        split: ``'train'`` or ``'test'``: which of the data set's own splits.
        source: Where the protocol is from, and what is known to go wrong.
        frame_step: Take a frame if its number (``id_frame``) is divisible by this.
        cameras: Numbers (``id_camera``) to take; all if empty.
        subjects: Numbers (``id_subject``) to take; all if empty.
        only_in_view: Take only persons whose middle is in the picture (SURREAL; how BodyNet's
            loader finds it: `person_selection.middle_in_view`).
        truth: What joints are compared with: ``'annotated'``, the data set's own joints;
            ``'fitted'``, the same regressor on the fitted mesh; None if the protocol is for
            training alone. Vertices are always compared with the fitted mesh.
        joint_set: Name of the compared joint set.
        regressor: Name of the body model's regressor that gives this joint set.
        gendered: The fitted mesh is of the model of the person's own gender.
        root: Joint that root alignment takes to the origin.
        evaluation_joints: Joints to average over.
        expected_n: Number of samples, where it is known.
    """

    name: str
    dataset: str
    split: str
    source: str
    frame_step: int = 1
    cameras: tuple[int, ...] = ()
    subjects: tuple[int, ...] = ()
    only_in_view: bool = False
    truth: str | None = None
    joint_set: str | None = None
    regressor: str | None = None
    gendered: bool = False
    root: str | None = None
    evaluation_joints: tuple[str, ...] = ()
    expected_n: int | None = None

    @property
    def train_only(self) -> bool:
        """Whether nothing is evaluated on these samples."""
        return self.truth is None

    @property
    def selection(self) -> tuple:
        """What decides which samples are taken; protocols may differ in the rest alone."""
        frames = self.frame_step, self.cameras, self.subjects
        return self.dataset, self.split, *frames, self.only_in_view

    def describe(self) -> str:
        """Name and selection in one line of text, for logs and result files."""
        parts = [self.split]
        if self.subjects:
            parts.append(', '.join(f'S{subject}' for subject in self.subjects))
        if self.frame_step > 1:
            parts.append(f'every {self.frame_step}th frame')
        if self.cameras:
            plural = 's' if len(self.cameras) > 1 else ''
            parts.append(f'camera{plural} {", ".join(map(str, self.cameras))}')
        if self.only_in_view:
            parts.append('persons in view')
        return f'{self.name} ({"; ".join(parts)})'


def _names(joint_set: JointSet) -> tuple[str, ...]:
    """The joints that a joint set's protocol averages over."""
    indices = joint_set.evaluation_joints or range(len(joint_set))
    return tuple(joint_set.joint_names[i] for i in indices)


_H36M_TEST: dict = {
    'dataset': 'h36m',
    'split': 'test',
    'subjects': (9, 11),
    'truth': 'annotated',
    'joint_set': H36M_17.name,
    'regressor': H36M_17.name,
    'root': 'Pelvis',
    'evaluation_joints': _names(H36M_17),
}
_FRONTAL_CAMERA, _ALL_CAMERAS = (4,), (1, 2, 3, 4)
_GENDERED_FIT: dict = {'split': 'test', 'truth': 'fitted', 'gendered': True, 'root': 'Pelvis'}
_SMPL_JOINTS: dict = {
    'joint_set': BODY_29.name,  # its first 24 rows are SMPL's own regressor
    'regressor': BODY_29.name,
    'evaluation_joints': SMPL_24.joint_names,
}
_HAND: dict = {
    'joint_set': 'hand_21',
    'regressor': 'hand_21',
    'root': 'Wrist',
    'evaluation_joints': _names(get_joint_set('hand_21')),
}

_TABLE = (
    Protocol(
        name='h36m/train',
        dataset='h36m',
        split='train',
        frame_step=5,
        subjects=(1, 5, 6, 7, 8),
        source='Paper and release: training subjects, every fifth frame, all cameras.',
    ),
    Protocol(
        name='h36m/paper',
        frame_step=64,
        cameras=_FRONTAL_CAMERA,
        source='Paper, Table 4: 55.7 / 41.7 mm. Truth is annotated, not the fitted mesh.',
        **_H36M_TEST,
    ),
    Protocol(
        name='h36m/paper-4cameras',
        frame_step=64,
        cameras=_ALL_CAMERAS,
        source="As 'h36m/paper' with every camera; not a published number of this paper.",
        **_H36M_TEST,
    ),
    Protocol(
        name='h36m/protocol1',
        frame_step=5,
        cameras=_ALL_CAMERAS,
        source='HMR, SPIN: "protocol 1", four cameras, every fifth frame; usually MPJPE.',
        **_H36M_TEST,
    ),
    Protocol(
        name='h36m/protocol2',
        frame_step=5,
        cameras=_FRONTAL_CAMERA,
        source='HMR, SPIN: "protocol 2", frontal camera, every fifth frame; usually PA-MPJPE.',
        **_H36M_TEST,
    ),
    Protocol(
        name='3dpw/paper',
        dataset='3dpw',
        joint_set=H36M_17.name,
        regressor=H36M_17.name,
        evaluation_joints=_names(H36M_17),
        expected_n=35515,
        source='Paper, Tables 4 and 6: 93.2 / 57.7 mm. Human3.6M regressor, gendered mesh.',
        **_GENDERED_FIT,
    ),
    Protocol(
        name='3dpw/smpl-joints',
        dataset='3dpw',
        expected_n=35515,
        source="SMPL's own 24 joints of the gendered mesh; other numbers than '3dpw/paper'.",
        **_GENDERED_FIT,
        **_SMPL_JOINTS,
    ),
    Protocol(
        name='surreal/train',
        dataset='surreal',
        split='train',
        source='Clips at one frame a second; clips of one frame are skipped.',
    ),
    Protocol(
        name='surreal/507',
        dataset='surreal',
        expected_n=507,
        source="BodyNet's split: the middle frame of each sequence's middle clip. In 14 of them "
        'the person is out of the picture, for the most part at least.',
        **_GENDERED_FIT,
        **_SMPL_JOINTS,
    ),
    Protocol(
        name='surreal/493',
        dataset='surreal',
        only_in_view=True,
        expected_n=493,
        source="Paper, Table 14: 44.7 / 37.7 mm. 'surreal/507' without those that BodyNet's loader "
        'leaves out.',
        **_GENDERED_FIT,
        **_SMPL_JOINTS,
    ),
    Protocol(
        name='freihand/train',
        dataset='freihand',
        split='train',
        expected_n=130240,
        source='32,560 hands on four backgrounds each; never mirrored.',
    ),
    Protocol(
        name='freihand/paper',
        dataset='freihand',
        split='test',
        truth='annotated',
        expected_n=3960,
        source="Paper, Table 7: PA 7.4 and 7.6 mm, F 0.681 and 0.973. FreiHAND's own finger tips.",
        **_HAND,
    ),
    Protocol(
        name='muco/train',
        dataset='muco',
        split='train',
        source='Closest person of each picture; for training alone.',
    ),
    Protocol(
        name='coco/train',
        dataset='coco',
        split='train',
        source='Fitted meshes without known depth; for training alone.',
    ),
)

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _TABLE}


def get_protocol(name: str) -> Protocol:
    """A protocol by name; ValueError lists the known ones."""
    if name not in PROTOCOLS:
        raise ValueError(f'unknown protocol {name!r}; expected one of {list(PROTOCOLS)}')
    return PROTOCOLS[name]
