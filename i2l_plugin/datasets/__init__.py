"""Annotation records, data sets and transforms; importing this registers them with the host."""

from .annotations import AnnotationRecord
from .mesh_dataset import HandMeshDataset, MeshDataset
from .transforms import ColorScale, PackMeshInputs, RandomMirror

__all__ = [
    'AnnotationRecord',
    'ColorScale',
    'HandMeshDataset',
    'MeshDataset',
    'PackMeshInputs',
    'RandomMirror',
]
