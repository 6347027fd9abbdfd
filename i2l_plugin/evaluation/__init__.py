"""Registered metrics: joint errors, vertex errors, F-score."""

from .f_score import FScore
from .mesh_joint_error import MeshJointError
from .mesh_vertex_error import MeshVertexError

__all__ = ['FScore', 'MeshJointError', 'MeshVertexError']
