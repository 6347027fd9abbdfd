"""Annotation records, data sets and transforms; importing this registers them with the host."""

from .annotations import AnnotationRecord
from .augmentations import ColorScale, RandomScaleRotate
from .benchmarks import (
    COCOMeshDataset,
    FreiHANDMeshDataset,
    Human36MMeshDataset,
    MuCo3DHPMeshDataset,
    PW3DMeshDataset,
    SURREALMeshDataset,
)
from .mesh_dataset import HandMeshDataset, MeshDataset
from .mixing import EqualShareDataset
from .seeding import EpochSeedHook, seed_worker_by_epoch
from .transforms import PackMeshInputs, RandomMirror

__all__ = [
    'AnnotationRecord',
    'COCOMeshDataset',
    'ColorScale',
    'EpochSeedHook',
    'EqualShareDataset',
    'FreiHANDMeshDataset',
    'HandMeshDataset',
    'Human36MMeshDataset',
    'MeshDataset',
    'MuCo3DHPMeshDataset',
    'PW3DMeshDataset',
    'PackMeshInputs',
    'RandomMirror',
    'RandomScaleRotate',
    'SURREALMeshDataset',
    'seed_worker_by_epoch',
]
