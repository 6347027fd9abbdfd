"""Body and hand models: files, named joints, posing."""

from .body_model import BodyModel, BodyModelOutput, build_body_model
from .files import load_body_model, load_body_model_file
from .gendered import BodyModelsByGender, build_body_models_by_gender
from .joint_sets import (
    BODY_29,
    COCO_18,
    H36M_17,
    HAND_21,
    MANO_16,
    MUCO_21,
    SMPL_24,
    JointSet,
    get_joint_set,
)
from .model_data import BodyModelData

__all__ = [
    'BODY_29',
    'COCO_18',
    'H36M_17',
    'HAND_21',
    'MANO_16',
    'MUCO_21',
    'SMPL_24',
    'BodyModel',
    'BodyModelData',
    'BodyModelOutput',
    'BodyModelsByGender',
    'JointSet',
    'build_body_model',
    'build_body_models_by_gender',
    'get_joint_set',
    'load_body_model',
    'load_body_model_file',
]
