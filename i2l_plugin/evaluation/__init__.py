"""Registered metrics: joint, vertex and root errors, F-score, FreiHAND's scores; result files."""

from .f_score import FScore
from .freihand_score import FreiHANDScore
from .mesh_joint_error import MeshJointError
from .mesh_vertex_error import MeshVertexError
from .root_position_error import RootPositionError
from .root_result_file import RootResultFile

__all__ = [
    'FScore',
    'FreiHANDScore',
    'MeshJointError',
    'MeshVertexError',
    'RootPositionError',
    'RootResultFile',
]
