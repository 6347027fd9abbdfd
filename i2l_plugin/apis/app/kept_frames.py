"""Frames with their meshes, kept on the disk until somebody wants to turn them.

Pictures are RGB, at a size for the screen. Shapes: N people, V vertices, F faces.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from i2l_plugin.files import write_atomically
from i2l_plugin.visualization.dataset_sheet import encode
from i2l_plugin.visualization.ray_scene import Camera
from i2l_plugin.visualization.scene_exporters import export_scene
from i2l_plugin.visualization.scene_html import MAX_SIDE_PX, write_scene_html
from i2l_plugin.visualization.scene_overlay import SceneView
from i2l_plugin.visualization.scene_people import ScenePeople


def view_of(
    image_rgb: NDArray[np.uint8], sample: PoseDataSample, min_side_px: int, max_side_px: int
) -> SceneView:
    """A sample's picture with its camera, its long side between two limits."""
    height, width = image_rgb.shape[:2]
    side_px = min(max(height, width, min_side_px), max_side_px)
    return SceneView.of(image_rgb, sample, max(1, round(height * side_px / max(height, width))))


class KeptFrame(NamedTuple):
    """A picture, its camera and its people."""

    image_rgb: NDArray[np.uint8]  # (H, W, 3)
    focal_px: NDArray[np.float64]  # (2,), of that picture
    princpt_px: NDArray[np.float64]  # (2,)
    vertices_cam: NDArray[np.float32]  # (N, V, 3) mm
    spread_mm: NDArray[np.float32]  # (N, V)
    names: NDArray[np.str_]  # (N,)
    colors: NDArray[np.float64]  # (N, 3)

    @classmethod
    def of(cls, image_rgb: NDArray[np.uint8], sample: PoseDataSample) -> KeptFrame:
        """From a frame and its scene sample."""
        view, people = view_of(image_rgb, sample, 0, MAX_SIDE_PX), ScenePeople.of(sample)
        spread = np.zeros(people.vertices_mm.shape[:2]) if people.spread_mm is None else None
        return cls(
            view.image,
            view.camera.focal_px,
            view.camera.princpt_px,
            people.vertices_mm.astype(np.float32),
            (people.spread_mm if spread is None else spread).astype(np.float32),
            np.array(people.names, dtype=np.str_),
            people.colors,
        )

    def save(self, path: Path) -> None:
        """Write it as one .npz file."""
        fields = self._asdict()
        jpeg = encode(fields.pop('image_rgb'), '.jpg', quality=95)
        file = io.BytesIO()
        np.savez(file, jpeg=np.frombuffer(jpeg, np.uint8), **fields)
        write_atomically(path, file.getvalue())

    @classmethod
    def load(cls, path: Path) -> KeptFrame:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            fields = dict(arrays)
        image = cv2.imdecode(fields.pop('jpeg'), cv2.IMREAD_COLOR)[..., ::-1]
        return cls(image_rgb=np.ascontiguousarray(image), **fields)

    def write_html(self, path: Path, faces: NDArray[np.int64], title: str, caption: str) -> None:
        """Write the page on which the people can be turned."""
        write_scene_html(
            path,
            self.image_rgb,
            self.vertices_cam,
            faces,
            self.focal_px,
            self.princpt_px,
            self.spread_mm,
            self.names.tolist(),
            title,
            caption,
            colors=self.colors,
        )

    def write_glb(self, path: Path, faces: NDArray[np.int64]) -> None:
        """Write N >= 1 people as one GLB file."""
        camera = Camera(self.focal_px, self.princpt_px, self.image_rgb.shape[1::-1])
        names = self.names.tolist()
        export_scene(path, self.vertices_cam, faces, self.colors, names, self.spread_mm, camera)
