"""Small records for each of the six data set classes, and building those classes."""

import numpy as np
from helpers_records import save_toy_record
from mmpose.registry import DATASETS

from i2l_plugin.body_models.joint_sets import (
    BODY_29,
    COCO_18,
    H36M_17,
    HAND_21,
    MUCO_21,
    SMPL_24,
)

TEST_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(64, 64)),
    dict(type='PackMeshInputs'),
]
CLASSES = {  # name: (annotated joints, model joints, key of its protocols, unit of RootNet's files)
    'Human36MMeshDataset': (H36M_17, BODY_29, 'h36m', 1),
    'MuCo3DHPMeshDataset': (MUCO_21, BODY_29, 'muco', 1),
    'COCOMeshDataset': (COCO_18, BODY_29, 'coco', 1),
    'PW3DMeshDataset': (SMPL_24, BODY_29, '3dpw', 1000),
    'SURREALMeshDataset': (SMPL_24, BODY_29, 'surreal', 1),
    'FreiHANDMeshDataset': (HAND_21, HAND_21, 'freihand', 1000),
}
NO_LIMIT = {
    'Human36MMeshDataset': {'max_fit_error_mm': None},
    'MuCo3DHPMeshDataset': {'max_fit_error_mm': None},
    'COCOMeshDataset': {'max_fit_error_lixel': None},
}


def save(folder, name, n=3, **changes):
    """A record with the joints of the data set, anywhere, and what `changes` says."""
    annotated, model, *_ = CLASSES[name]
    rng = np.random.default_rng(0)
    joints = {
        'joint_names': annotated.joint_names,
        'joints_cam_mm': rng.normal([0, 0, 3000], 300, (n, len(annotated), 3)),
        'joints_px': rng.uniform(0, 200, (n, len(annotated), 2)),
        'joints_valid': np.ones((n, len(annotated)), bool),
    }
    kind = 'hand' if model == HAND_21 else 'body'
    return save_toy_record(folder, {**joints, **changes}, kind=kind, n=n)


def build(folder, name, **options):
    cfg = dict(type=name, ann_file='record.npz', data_root=str(folder))
    return DATASETS.build({**cfg, **NO_LIMIT.get(name, {}), **options})
