"""Body and hand models: files, named joints, posing."""

from .joint_sets import BODY_29, H36M_17, HAND_21, MANO_16, SMPL_24, JointSet, get_joint_set
from .model_data import BodyModelData

__all__ = [
    'BODY_29',
    'H36M_17',
    'HAND_21',
    'MANO_16',
    'SMPL_24',
    'BodyModelData',
    'JointSet',
    'get_joint_set',
]
