"""Annotation records, data sets and transforms; importing this registers them with the host."""

from .annotations import AnnotationRecord
from .mesh_dataset import HandMeshDataset, MeshDataset
from .seeding import EpochSeedHook, seed_worker_by_epoch
from .transforms import ColorScale, PackMeshInputs, RandomMirror

__all__ = [
    'AnnotationRecord',
    'ColorScale',
    'EpochSeedHook',
    'HandMeshDataset',
    'MeshDataset',
    'PackMeshInputs',
    'RandomMirror',
    'seed_worker_by_epoch',
]
