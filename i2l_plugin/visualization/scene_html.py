"""One picture's people as one HTML file that needs nothing else, not even a network.

The page shows the meshes before their picture, from the picture's own camera at first; readers turn
them, hide people or the picture, colour them by uncertainty and save them as GLB. It is drawn by
WebGL with three.js; the viewer is built by tools/html_viewer and ships in `data/`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2l_plugin.files import write_atomically

from .dataset_sheet import encode
from .scene_page import ScenePage
from .scene_payload import scene_payload
from .scene_template import download_name, page_html

VIEWER = Path(__file__).parent / 'data'
MAX_SIDE_PX = 1280


def write_scene_html(
    path: str | os.PathLike,
    image_rgb: np.ndarray,
    vertices_cam: np.ndarray,
    faces: np.ndarray,
    focal_px: np.ndarray,
    princpt_px: np.ndarray,
    vertex_spread_mm: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    title: str = 'Scene',
    caption: str = '',
    *,
    colors: np.ndarray | None = None,
    max_side_px: int = MAX_SIDE_PX,
) -> Path:
    """Write the page of `scene_html`; nothing half-written is ever left.

    Args:
        path: File to write, ``.html`` or ``.htm``; its folder is made if missing.

    Returns:
        The path written.
    """
    path = Path(path)
    if path.suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'path must end in .html, got {path.name!r}')
    text = scene_html(
        image_rgb,
        vertices_cam,
        faces,
        focal_px,
        princpt_px,
        vertex_spread_mm,
        names,
        title,
        caption,
        colors=colors,
        max_side_px=max_side_px,
    )
    write_atomically(path, text.encode())
    return path


def scene_html(
    image_rgb: np.ndarray,
    vertices_cam: np.ndarray,
    faces: np.ndarray,
    focal_px: np.ndarray,
    princpt_px: np.ndarray,
    vertex_spread_mm: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    title: str = 'Scene',
    caption: str = '',
    *,
    colors: np.ndarray | None = None,
    max_side_px: int = MAX_SIDE_PX,
) -> str:
    """The page of one picture's people.

    Args:
        image_rgb: (H, W, 3) uint8, the picture.
        vertices_cam: (N, V, 3) mm in the camera frame (x right, y down, z forward); N may be 0.
        faces: (F, 3) vertex indices.
        focal_px: (2,) px, of the picture as given.
        princpt_px: (2,) px; need not be in the middle.
        vertex_spread_mm: (N, V) standard deviation in space of each vertex (`spread_mm`), which
            the page can show as colours. None: it offers no such view.
        names: N names, e.g. ``'track_7'``. None: ``'person_0'`` and so on.
        title: Heading, and name of the GLB file.
        caption: A line below the heading.
        colors: (N, 3) RGB in [0, 1], e.g. ``person_colors(track_ids)``. None: by the order.
        max_side_px: The picture is shrunk until its long side has at most so many px.

    Raises:
        ValueError: An array has the wrong shape or type, or numbers that are not finite.
    """
    page = ScenePage.of(
        image_rgb, vertices_cam, faces, focal_px, princpt_px, vertex_spread_mm, names, colors
    ).scaled_to(max_side_px)
    style, script = (
        (VIEWER / f'scene_viewer{suffix}').read_text('utf-8') for suffix in ('.css', '.js')
    )
    payload = scene_payload(page, download_name(title))
    jpeg = encode(page.image_rgb, '.jpg')
    return page_html(page, payload, jpeg, title, caption, style, script)
