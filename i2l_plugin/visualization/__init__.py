"""Seeing results: Embree renderer, MMPose visualizer, mesh files, pages in 3D."""

from .colors import person_colors
from .exporters import export_mesh
from .mesh_visualizer import PANELS, MeshVisualizer
from .renderer import Mesh, overlay, render_view
from .root_visualizer import RootVisualizer
from .scene_exporters import export_people, export_scene
from .scene_html import write_scene_html
from .scene_overlay import draw_overlay

__all__ = [
    'PANELS',
    'Mesh',
    'MeshVisualizer',
    'RootVisualizer',
    'draw_overlay',
    'export_mesh',
    'export_people',
    'export_scene',
    'overlay',
    'person_colors',
    'render_view',
    'write_scene_html',
]
