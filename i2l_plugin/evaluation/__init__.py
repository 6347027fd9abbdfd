"""Registered metrics: joint errors, vertex errors, F-score, FreiHAND's scores."""

from .f_score import FScore
from .freihand_score import FreiHANDScore
from .mesh_joint_error import MeshJointError
from .mesh_vertex_error import MeshVertexError

__all__ = ['FScore', 'FreiHANDScore', 'MeshJointError', 'MeshVertexError']
