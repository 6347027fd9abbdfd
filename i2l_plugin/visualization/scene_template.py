"""The skeleton of a scene's page; the viewer (tools/html_viewer) brings its controls to life.

Every word from outside is escaped here. The content security policy lets nothing be loaded, and
only the one script and the one style sheet run that are named by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import Any

import numpy as np

from .panels import colorize
from .scene_page import ScenePage

_KEYS = (
    ('turn', 'drag; one finger; arrow keys'),
    ('move', 'drag with Shift or the right button; two fingers; Shift and arrow keys'),
    ('come nearer', 'wheel; two fingers; + and -'),
    ('back to the camera', 'Home or 0'),
)


def page_html(
    page: ScenePage,
    payload: dict[str, Any],
    picture_jpeg: bytes,
    title: str,
    caption: str,
    style: str,
    script: str,
) -> str:
    """The whole page.

    Args:
        page: The scene.
        payload: Of `scene_payload`.
        picture_jpeg: The picture of `page` as a JPEG file.
        title: Heading, any text.
        caption: Lines below it, any text; may be empty.
        style: Style sheet.
        script: The viewer.
    """
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f'style-src {_hash(style)}; script-src {_hash(script)}'
    )
    picture = base64.b64encode(picture_jpeg).decode()
    height, width = page.image_rgb.shape[:2]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{f'<p>{escape(caption)}</p>' if caption else ''}
</header>
<main>
<div id="view">
<img id="picture" width="{width}" height="{height}" alt="The picture"
 src="data:image/jpeg;base64,{picture}">
<canvas id="canvas" tabindex="0" role="application" aria-describedby="help"
 aria-label="Meshes of {len(page.names)} people in 3D, before their picture"></canvas>
<p id="message" role="alert" hidden></p>
<noscript><p class="message">The people are drawn by a script, and scripts are switched
off.</p></noscript>
</div>
<form><fieldset id="panel" disabled>
{_people(page)}
<fieldset>
<legend>Seen from</legend>
<button type="button" id="camera">camera</button>
<button type="button" id="side">side</button>
<button type="button" id="top">top</button>
</fieldset>
{_look(page)}
<p><button type="button" id="download">download GLB of shown people</button></p>
<details id="help"><summary>Mouse, touch and keys</summary>
<dl>{''.join(f'<dt>{what}</dt><dd>{how}</dd>' for what, how in _KEYS)}</dl></details>
</fieldset></form>
</main>
<script type="application/json" id="scene">{_json(payload)}</script>
<script>{script}</script>
</body>
</html>
"""


def download_name(title: str) -> str:
    """A title as the name of a GLB file that every system takes."""
    return (re.sub(r'[^\w-]+', '_', title, flags=re.ASCII).strip('_')[:60] or 'scene') + '.glb'


def _people(page: ScenePage) -> str:
    """One box a person; two buttons where there are several."""
    rows = ''.join(
        f'<li><label>{_input("checkbox", "checked")} {_chip(color)} <span>{escape(name)}</span> '
        f'<span class="depth">{depth / 1000:.2f} m</span></label></li>\n'
        for name, color, depth in zip(page.names, page.colors, page.depths_mm, strict=True)
    )
    rows = f'<ul id="people">\n{rows}</ul>' if rows else '<p>nobody</p>'
    buttons = (
        '<button type="button" id="all">all</button> <button type="button" id="none">none</button>'
    )
    return f"""<fieldset>
<legend>People, and their distance</legend>
{rows}
{buttons * (len(page.names) > 1)}
</fieldset>"""


def _look(page: ScenePage) -> str:
    """Picture, wireframe, opacity; colours where there is a choice."""
    colors = ''
    if page.spread_range_mm is not None:
        low, high = page.spread_range_mm
        person = _input('radio', 'name="colors" value="person" checked')
        spread = _input('radio', 'name="colors" value="spread"')
        colors = f"""<p role="radiogroup" aria-label="colours">
<label>{person} person colours</label>
<label>{spread} uncertainty</label></p>
<p id="bar" hidden>{_bar()}<span>{low:.1f} mm</span> <span>spread of a vertex (standard
deviation)</span> <span>{high:.1f} mm</span></p>"""
    return f"""<fieldset id="look">
<legend>Show</legend>
<label>{_input('checkbox', 'id="show-picture" checked')} picture</label>
<label>{_input('checkbox', 'id="wireframe"')} wireframe</label>
<label>opacity {_input('range', 'id="opacity" min="0.1" max="1" step="0.05" value="1"')}</label>
{colors}
</fieldset>"""


def _input(kind: str, attributes: str) -> str:
    """An input that starts as written, also when the page is loaded again."""
    return f'<input type="{kind}" {attributes} autocomplete="off">'


def _chip(color: np.ndarray) -> str:
    return (
        '<svg class="chip" viewBox="0 0 1 1" aria-hidden="true">'
        f'<rect width="1" height="1" fill="{_hex(color)}"/></svg>'
    )


def _bar(steps: int = 17) -> str:
    """The uncertainty's colours from low to high; attributes, since the policy takes no styles."""
    stops = ''.join(
        f'<stop offset="{share:.4f}" stop-color="{_hex(color)}"/>'
        for share, color in zip(
            np.linspace(0, 1, steps), colorize(np.linspace(0, 1, steps), 0, 1), strict=True
        )
    )
    return (
        '<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<linearGradient id="spread-colors">{stops}</linearGradient>'
        '<rect width="100" height="6" fill="url(#spread-colors)"/></svg>'
    )


def _hex(color: np.ndarray) -> str:
    red, green, blue = np.rint(np.clip(color, 0, 1) * 255).astype(int)
    return f'#{red:02x}{green:02x}{blue:02x}'


def _json(value: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(value, allow_nan=False, separators=(',', ':')).replace('<', '\\u003c')


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
