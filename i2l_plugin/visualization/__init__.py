"""Seeing results: Embree renderer, MMPose visualizer, mesh files."""

from .exporters import export_mesh
from .mesh_visualizer import MeshVisualizer
from .renderer import Mesh, overlay, render_view

__all__ = ['Mesh', 'MeshVisualizer', 'export_mesh', 'overlay', 'render_view']
