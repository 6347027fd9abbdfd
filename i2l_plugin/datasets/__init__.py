"""Annotation records, data sets and transforms; importing this registers them with the host."""

from .annotations import AnnotationRecord
from .benchmarks import (
    COCOMeshDataset,
    FreiHANDMeshDataset,
    Human36MMeshDataset,
    MuCo3DHPMeshDataset,
    PW3DMeshDataset,
    SURREALMeshDataset,
)
from .mesh_dataset import HandMeshDataset, MeshDataset
from .seeding import EpochSeedHook, seed_worker_by_epoch
from .transforms import ColorScale, PackMeshInputs, RandomMirror

__all__ = [
    'AnnotationRecord',
    'COCOMeshDataset',
    'ColorScale',
    'EpochSeedHook',
    'FreiHANDMeshDataset',
    'HandMeshDataset',
    'Human36MMeshDataset',
    'MeshDataset',
    'MuCo3DHPMeshDataset',
    'PW3DMeshDataset',
    'PackMeshInputs',
    'RandomMirror',
    'SURREALMeshDataset',
    'seed_worker_by_epoch',
]
