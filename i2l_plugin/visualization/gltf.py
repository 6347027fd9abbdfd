"""GLB files of painted meshes that viewers show as they were painted.

glTF 2.0 takes vertex colours as linear light, not as sRGB, and a mesh without a material for a
polished metal, which is black where nothing is reflected in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh
from trimesh.exchange.gltf import export_glb

from .colors import linear_rgb
from .ray_scene import Camera

_ROUGHNESS = 0.8
# Both sides are seen, as in pictures: a hand's mesh is open at the wrist.
_MATERIAL = {
    'name': 'matte',
    'doubleSided': True,
    'pbrMetallicRoughness': {'metallicFactor': 0.0, 'roughnessFactor': _ROUGHNESS},
}


def glb_bytes(scene: trimesh.Scene, camera: Camera | None = None) -> bytes:
    """The file of a scene of meshes with sRGB vertex colours or none, and of their camera."""
    scene = scene.copy()
    for mesh in scene.geometry.values():
        if mesh.visual.kind == 'vertex':
            rgba = mesh.visual.vertex_colors / 255.0
            rgba[:, :3] = linear_rgb(rgba[:, :3])
            mesh.visual.vertex_colors = np.rint(255 * rgba).astype(np.uint8)

    def complete(tree: dict[str, Any]) -> None:
        tree['materials'] = [_MATERIAL]
        for mesh in tree['meshes']:
            for primitive in mesh['primitives']:
                primitive['material'] = 0
        if camera is not None:
            _add_camera(tree, camera)

    return export_glb(scene, include_normals=True, tree_postprocessor=complete)


def _add_camera(tree: dict[str, Any], camera: Camera) -> None:
    """A camera node at the origin; glTF's cameras look along -z with y up, as the file does."""
    width, height = camera.image_size_px / camera.focal_px  # at depth 1
    lens = {'yfov': 2 * np.arctan(height / 2), 'aspectRatio': width / height, 'znear': 0.01}
    tree['cameras'] = [{'name': 'camera', 'type': 'perspective', 'perspective': lens}]
    tree['nodes'].append({'name': 'camera', 'camera': 0})
    tree['scenes'][0]['nodes'].append(len(tree['nodes']) - 1)
