"""What a scene's page carries for its viewer: JSON with arrays as base64 of little-endian numbers.

Positions are float32 metres in the frame of the mesh files (`camera_to_file`: y up, camera at the
origin); the uncertainty is one byte a vertex, an index into 256 colours. A person of 6,890 vertices
takes 90 kB, 120 kB as base64; the faces are there once. Colours are RGB in [0, 1].
Shapes: N people, V vertices, F faces.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from .exporters import camera_to_file
from .panels import colorize
from .renderer import AMBIENT, FILL, FILL_LIGHT, KEY, KEY_LIGHT
from .scene_page import ScenePage

# How far behind the last vertex the picture stands: a share of all people's range of depths, and
# at least this much.
_BEHIND_SHARE, _BEHIND_MM = 0.25, 200.0
_EMPTY_DEPTH_MM = 3000.0  # of the picture where nobody is before the camera


def scene_payload(page: ScenePage, file_name: str) -> dict[str, Any]:
    """What the viewer (tools/html_viewer) reads, ready for JSON.

    Args:
        page: The scene.
        file_name: Under which the browser saves the meshes.
    """
    # 65,535 itself is no index for WebGL: it restarts a strip
    faces = page.faces.astype('<u2' if page.faces.max(initial=0) < 0xFFFF else '<u4')
    positions = camera_to_file(page.vertices_mm).astype('<f4')
    people = [
        {'name': name, 'color': color.tolist(), 'positions': _base64(points)}
        for name, color, points in zip(page.names, page.colors, positions, strict=True)
    ]
    height, width = page.image_rgb.shape[:2]
    return {
        'file_name': file_name,
        'camera': {
            'focal_px': page.camera.focal_px.tolist(),
            'princpt_px': page.camera.princpt_px.tolist(),
        },
        'picture': {
            'width': width,
            'height': height,
            'depth_m': _picture_depth_mm(page.vertices_mm[..., 2]) / 1000,
        },
        'lights': {
            'ambient': AMBIENT,
            'directed': [
                {'direction': direction.tolist(), 'strength': strength}
                for direction, strength in ((KEY_LIGHT, KEY), (FILL_LIGHT, FILL))
            ],
        },
        'index_bytes': faces.itemsize,
        'faces': _base64(faces),
        'people': people,
        'spread': _add_levels(people, page),
    }


def _add_levels(people: list[dict[str, Any]], page: ScenePage) -> dict[str, str] | None:
    """Give every person its vertices' colour indices. -> The colours; None without uncertainty."""
    if page.spread_range_mm is None:
        return None
    low, high = page.spread_range_mm
    share = (page.spread_mm - low) / max(high - low, 1e-9)
    levels = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    for person, values in zip(people, levels, strict=True):
        person['levels'] = _base64(values)
    colors = np.rint(255 * colorize(np.arange(256), 0, 255)).astype(np.uint8)
    return {'colors': _base64(colors)}


def _picture_depth_mm(depths_mm: np.ndarray) -> float:
    """Behind everybody, so that the picture hides nothing of them."""
    if depths_mm.size == 0 or depths_mm.max() <= 0:
        return _EMPTY_DEPTH_MM
    return float(depths_mm.max() + max(_BEHIND_SHARE * np.ptp(depths_mm), _BEHIND_MM))


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
