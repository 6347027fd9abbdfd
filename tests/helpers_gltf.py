"""What a glTF 2.0 viewer makes of a GLB file."""

import json
import struct

import numpy as np


def gltf_tree(path):
    """The JSON part of the file."""
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack('<I', data[12:16])[0]])


def vertex_srgb(mesh):
    """(V, 3) what a screen shows of the colours of a mesh that trimesh read: they are light."""
    light = mesh.visual.vertex_attributes['color'][:, :3] / 255
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
