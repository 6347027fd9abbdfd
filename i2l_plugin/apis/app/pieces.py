"""The page's pieces of HTML. Every word from outside is escaped here."""

from __future__ import annotations

import math
from html import escape

from .engine import Findings, Progress
from .limits import MB, Limits
from .storage import Job

_ACCEPT = 'image/jpeg,image/png,image/webp,image/bmp,video/mp4,video/quicktime,video/webm,.mkv,.avi'
_SURE_FRAMES = 3  # after which the time that is left can be told
_MANY_SECONDS = 100  # after which it is told in minutes


def introduction(limits: Limits) -> str:
    """What the page is for."""
    return f"""<h1>People in 3D</h1>
<p>Give a picture or a short clip: every person in it becomes a 3D mesh, to turn and to save.
Nothing leaves this server, no other visitor can reach your files, and they are deleted soon after
you close the page, or {limits.keep_minutes:g} minutes after you last used them.</p>"""


def upload_zone(limits: Limits) -> str:
    """Where a file is chosen or dropped; `data/upload.js` brings it to life."""
    return f"""<label id="zone" data-max-bytes="{limits.max_bytes}" data-max-mb="{limits.max_mb:g}">
<input id="file" type="file" accept="{_ACCEPT}" aria-describedby="zone-limits">
<b>Choose a picture or a short clip</b><span>or drop it here</span>
<small id="zone-limits">{escape(limits.sentence())}</small></label>"""


def waiting(before: int, name: str) -> str:
    """Whose turn it is."""
    if not before:
        return _status(f'“{escape(name)}” is next.')
    uploads = 'one other upload came' if before == 1 else f'{before} other uploads came'
    return _status(f'“{escape(name)}” waits its turn: {uploads} before it.')


def progress(step: Progress, name: str) -> str:
    """What is going on."""
    if not step.done or step.total == 1:
        return _status(f'Looking for people in “{escape(name)}” …')
    if step.total is None:
        return _status(f'“{escape(name)}”: frame {step.done} is done …')
    left = f', about {_duration(step.left_s)} left' if step.done >= _SURE_FRAMES else ''
    bar = f'<progress max="{step.total}" value="{min(step.done, step.total)}"></progress>'
    return _status(f'“{escape(name)}”: frame {step.done} of {step.total}{left} …', bar)


def refusal(text: str) -> str:
    """One clear message."""
    return f'<p class="message refused" role="alert">{escape(text)}</p>'


def summary(findings: Findings, name: str) -> str:
    """What was found, in a line, and what was left out."""
    most = max(findings.people)
    people = {0: 'nobody', 1: '1 person'}.get(most, f'{most} people')
    where = f'“{escape(name)}”'
    if findings.kind == 'clip':
        people = f'up to {people} at a time' if most > 1 else people
        where = f'{where} ({len(findings.people)} frame{"s" * (len(findings.people) > 1)})'
    lines = [f'Found {people} in {where}.', *map(escape, findings.notices)]
    if not most:
        lines.append('Try one where people are larger, less hidden, or seen in better light.')
    return f'<p class="message found" role="status">{"<br>".join(lines)}</p>'


def overlay(job: Job, findings: Findings) -> str:
    """The people over their picture, and the files to save that do not hang on a frame."""
    if findings.kind == 'clip':
        name, json, what = 'overlay.mp4', 'people.jsonl', 'joints, boxes and camera of each frame'
        shown = (
            f'<video src="{_address(job, name)}" controls loop autoplay muted playsinline '
            'aria-label="The clip with the meshes over it"></video>'
        )
    else:
        name, json, what = 'overlay.jpg', 'people.json', 'joints, vertices, boxes and camera'
        shown = (
            f'<a href="{_address(job, name)}" target="_blank" title="open in full size">'
            f'<img src="{_address(job, name)}" alt="The picture with the meshes over it"></a>'
        )
    save = f'{_save(job, json, f"JSON: {what}")} {_save(job, name, "overlay")}'
    return f'<h2>Overlay</h2><div class="shown">{shown}</div><p class="save">{save}</p>'


def scene(job: Job, index: int) -> str:
    """The 3D view of a frame, and its meshes to save."""
    save = '<p class="save">Nobody in this frame, so there is no mesh to save.</p>'
    if f'mesh_{index}.glb' in job.files:
        save = f'<p class="save">{_save(job, f"mesh_{index}.glb", "GLB: all meshes")}</p>'
    return (
        f'<iframe src="{_address(job, f"scene_{index}.html")}" title="The people in 3D" '
        f'sandbox="allow-scripts allow-downloads"></iframe>{save}'
    )


def _status(text: str, bar: str = '') -> str:
    return f'<div class="message busy" role="status">{text}{bar}</div>'


def _duration(seconds: float) -> str:
    return f'{seconds / 60:.0f} min' if seconds > _MANY_SECONDS else f'{max(1, seconds):.0f} s'


def _address(job: Job, name: str) -> str:
    return f'/files/{job.id}/{name}'


def _size(num_bytes: int) -> str:
    is_small = num_bytes < MB
    return f'{math.ceil(num_bytes / 1000)} kB' if is_small else f'{num_bytes / MB:.1f} MB'


def _save(job: Job, name: str, what: str) -> str:
    served = job.files[name]
    size = served.path.stat().st_size
    return (
        f'<a class="button" href="{_address(job, name)}" download="{served.save_as}">Save '
        f'{escape(what)} <small>({_size(size)})</small></a>'
    )
