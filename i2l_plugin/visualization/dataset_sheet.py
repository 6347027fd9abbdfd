"""Pictures of training samples: crop | true mesh over it | annotated joints | from the side.

`draw_sample` makes the four panels, `ContactSheets` puts samples with their words onto PNG files.
All pictures are uint8 RGB.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from i2l_plugin.files import write_atomically

from .crop_truth import CropCamera, CropTruth, NamedPoints
from .panels import FONT, SHIFT, add_caption, draw_skeleton, fixed_point, side_by_side
from .ray_scene import Camera
from .renderer import Mesh, frame_view, overlay
from .sample_report import SampleReport

OPACITY = 0.75
MESH_JOINT_COLOR = (255, 40, 200)
_SUSPICIOUS, _NOTE, _TEXT = (200, 20, 20), (110, 110, 110), (30, 30, 30)
_TEXT_WIDTH, _TEXT_SCALE, _LINE_PX, _CHARACTERS = 420, 0.4, 15, 53


class SamplePanels(NamedTuple):
    """Pictures of one sample, all (panel_height, W', 3)."""

    crop: np.ndarray
    mesh: np.ndarray
    joints: np.ndarray
    side: np.ndarray


def draw_sample(truth: CropTruth, panel_height: int = 256) -> SamplePanels:
    """The panels of one sample, scaled to a height in px.

    The mesh wears the colours of its joints (`joint_color`), so that exchanged sides show. In the
    panel of joints thin lines lead from annotated joints to the mesh's. From the side, what is far
    is on the left; heights are the crop's.
    """
    height, width = truth.crop.shape[:2]
    scale = panel_height / height
    size = (max(1, round(width * scale)), panel_height)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    crop = cv2.resize(truth.crop, size, interpolation=method)
    camera = _scaled(truth.camera, np.array(size) / (width, height), size)
    mesh = crop
    if truth.mesh is not None:
        turned = camera.turn(truth.mesh.vertices_mm)
        body = Mesh(turned, truth.mesh.faces, truth.mesh.colors)
        pinhole = camera.camera
        mesh = overlay(crop, [body], pinhole.focal_px, pinhole.princpt_px, OPACITY)
    return SamplePanels(crop, mesh, _joints(truth, crop), _side(truth, size))


def _scaled(camera: CropCamera, scale: np.ndarray, size: tuple[int, int]) -> CropCamera:
    """The camera of a resized crop; cv2.resize aligns outer borders, not first pixels' centres."""
    pinhole = camera.camera
    princpt = (pinhole.princpt_px + 0.5) * scale - 0.5
    return CropCamera(camera.linear, Camera(pinhole.focal_px * scale, princpt, size))


def _joints(truth: CropTruth, panel: np.ndarray) -> np.ndarray:
    """Annotated joints with lines to the mesh's, over the paled crop."""
    scale = np.array(panel.shape[1::-1]) / truth.crop.shape[1::-1]

    def to_panel(points: np.ndarray) -> np.ndarray:
        return (points + 0.5) * scale - 0.5

    image = (0.6 * panel + 0.4 * 255).astype(np.uint8)
    annotated = truth.annotated_px
    if truth.mesh is not None:
        names = annotated.shared_with(truth.mesh.joints_px)
        pairs = (to_panel(points.take(names)) for points in (annotated, truth.mesh.joints_px))
        for start, end in zip(*pairs, strict=True):
            ends = fixed_point(np.stack([start, end]), panel.shape)
            cv2.line(image, *ends, MESH_JOINT_COLOR, 1, cv2.LINE_AA, SHIFT)
            cv2.circle(image, ends[1], 3 << SHIFT, MESH_JOINT_COLOR, 1, cv2.LINE_AA, SHIFT)
    return _skeleton(image, NamedPoints(annotated.names, to_panel(annotated.points)), truth)


def _skeleton(image: np.ndarray, joints: NamedPoints, truth: CropTruth) -> np.ndarray:
    index = {name: i for i, name in enumerate(joints.names)}
    links = [(index[a], index[b]) for a, b in truth.links if a in index and b in index]
    visible = np.ones(len(joints.names), bool)
    return draw_skeleton(image, joints.points, visible, links, joints.names)


def _side(truth: CropTruth, size: tuple[int, int]) -> np.ndarray:
    """Mesh and annotated 3D joints from the side."""
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    vertices = np.zeros((0, 3)) if truth.mesh is None else truth.mesh.vertices_mm
    vertices, joints = (
        truth.camera.turn(points) for points in (vertices, truth.annotated_mm.points)
    )
    points = np.concatenate([vertices, joints])
    if len(points) == 0:
        return add_caption(image, 'no depth')
    view = frame_view(points, size, azimuth_deg=90.0)
    if truth.mesh is not None:
        body = Mesh(view.turn(vertices), truth.mesh.faces, truth.mesh.colors)
        image = overlay(image, [body], view.camera.focal_px, view.camera.princpt_px)
    projected = view.camera.project(view.turn(joints))
    return _skeleton(image, NamedPoints(truth.annotated_mm.names, projected), truth)


class ContactSheets:
    """PNG files ``sheet_001.png``, ... of samples in rows, written as they fill.

    Args:
        folder: Made if missing.
        rows: Samples a sheet.
    """

    def __init__(self, folder: Path, rows: int = 8) -> None:
        self.folder = folder
        self.rows = rows
        self.files: list[Path] = []
        self._pending: list[np.ndarray] = []

    def add(self, report: SampleReport, panels: SamplePanels) -> None:
        """One more row."""
        captions = (f'crop {report.sample_id}', 'mesh', 'joints', 'side')
        pictures = [add_caption(panel, text) for panel, text in zip(panels, captions, strict=True)]
        words = _words(report, panels.crop.shape[0])
        self._pending.append(side_by_side([*pictures, words]))
        if len(self._pending) == self.rows:
            self._write()

    def close(self) -> list[Path]:
        """Write the last sheet and remove higher-numbered ones of an earlier run. -> the files."""
        if self._pending:
            self._write()
        for path in self.folder.glob('sheet_*.png'):
            number = re.fullmatch(r'sheet_(\d{3,})\.png', path.name)
            if number and int(number[1]) > len(self.files):
                path.unlink()
        return self.files

    def _write(self) -> None:
        width = max(row.shape[1] for row in self._pending)  # mixed sets may crop differently
        gap = np.full((4, width, 3), 255, np.uint8)
        parts = []
        for row in self._pending:
            padding = ((0, 0), (0, width - row.shape[1]), (0, 0))
            parts += [np.pad(row, padding, constant_values=255), gap]
        path = self.folder / f'sheet_{len(self.files) + 1:03d}.png'
        write_atomically(path, encode(np.concatenate(parts[:-1]), '.png'))
        self.files.append(path)
        self._pending = []


def _words(report: SampleReport, height: int) -> np.ndarray:
    """A white panel with the report's text."""
    image = np.full((height, _TEXT_WIDTH, 3), 255, np.uint8)
    lines = [(f'#{report.index}  sample_id {report.sample_id}', _TEXT)]
    for finding in report.findings:
        color = _SUSPICIOUS if finding.suspicious else _NOTE
        lines += [(line, color) for line in textwrap.wrap(finding.text, _CHARACTERS)]
    for name, text in report.facts:
        color = _SUSPICIOUS if text.startswith('NO') else _TEXT
        lines += [(line, color) for line in textwrap.wrap(f'{name}: {text}', _CHARACTERS)]
    room = (height - 4) // _LINE_PX
    if len(lines) > room:
        lines[room - 1 :] = [('...', _NOTE)]
    for i, (line, color) in enumerate(lines):
        origin = (8, _LINE_PX * (i + 1))
        cv2.putText(image, line, origin, FONT, _TEXT_SCALE, color, 1, cv2.LINE_AA)
    return image


def encode(image: np.ndarray, suffix: str, quality: int = 90) -> bytes:
    """An RGB picture as a file's bytes, ``'.png'`` or ``'.jpg'``."""
    options = []
    if suffix == '.jpg':  # thin coloured lines want colours at full resolution
        sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling]
    return cv2.imencode(suffix, image[..., ::-1], options)[1].tobytes()
