"""A scene's people drawn over its picture: one camera, the nearer surface wins at every pixel.

Pictures are RGB. Shapes: N people, V vertices, F faces, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

from .panels import draw_color_bar
from .person_tags import draw_boxes, draw_tags
from .ray_scene import Camera
from .renderer import Mesh, overlay
from .scene_people import ScenePeople, required_meta


class SceneView(NamedTuple):
    """A picture at any scale, with its camera."""

    image: np.ndarray  # (H, W, 3) uint8
    scale: np.ndarray  # (2,) its px per px of the original picture
    camera: Camera  # at this scale

    @classmethod
    def of(cls, image: np.ndarray, sample: PoseDataSample, height: int | None = None) -> SceneView:
        """The picture of a sample, scaled to `height` px or as it is.

        Raises:
            ValueError: `focal_px` or `princpt_px` is missing in the metainfo.
        """
        focal, princpt = (required_meta(sample, name) for name in ('focal_px', 'princpt_px'))
        height = height or image.shape[0]
        size = (max(1, round(image.shape[1] * height / image.shape[0])), height)
        scale = np.array(size) / image.shape[1::-1]
        if height != image.shape[0]:
            method = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_LINEAR
            image = cv2.resize(image, size, interpolation=method)
        return cls(image, scale, Camera(focal * scale, _rescale(princpt, scale), size))

    def to_view(self, points_px: np.ndarray) -> np.ndarray:
        """Px of the original picture to px of this one. (..., 2) -> (..., 2)."""
        return _rescale(np.asarray(points_px, np.float64), self.scale)

    def overlay(
        self, meshes: Sequence[Mesh], opacity: float = 1.0, supersample: int = 3
    ) -> np.ndarray:
        """A new picture with the meshes over it."""
        camera = self.camera
        return overlay(self.image, meshes, camera.focal_px, camera.princpt_px, opacity, supersample)

    def draw_people(self, picture: np.ndarray, people: ScenePeople) -> np.ndarray:
        """A new picture with each one's box, number and depth; as it was if nobody has a box."""
        if people.boxes_px is None:
            return picture
        order = people.near_first()
        boxes = self.to_view(people.boxes_px[order].reshape(-1, 2, 2))
        labels, colors = people.labels(), people.colors[order]
        picture = draw_boxes(picture, boxes.reshape(-1, 4), colors)
        return draw_tags(picture, boxes[:, 0], [labels[i] for i in order], colors)


def _rescale(points_px: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """cv2.resize aligns outer borders, not first pixels' centres."""
    return (points_px + 0.5) * scale - 0.5


def draw_overlay(
    image: np.ndarray,
    sample: PoseDataSample,
    faces: np.ndarray,
    opacity: float = 0.9,
    draw_bbox: bool = False,
    uncertainty: bool = False,
    spread_range_mm: tuple[float, float] | None = None,
    supersample: int = 3,
) -> np.ndarray:
    """The picture with its people's meshes, as large as it came: for video frames and files.

    Args:
        image: (H, W, 3) uint8 RGB.
        sample: Scene sample: `pred_instances` of N >= 0 people and the camera in its metainfo.
        faces: (F, 3) of every person.
        opacity: Of the meshes over the picture.
        draw_bbox: Also boxes with each one's number (track id) and depth.
        uncertainty: Colour vertices by their spread, with a colour bar, instead of by person.
        spread_range_mm: Ends of those colours; None takes the sample's own percentiles, which
            would make a video flicker.
        supersample: Rays along each side of an edge pixel; 1 is faster and has jagged edges.

    Returns:
        (H, W, 3) uint8 RGB; the picture itself where nobody is.

    Raises:
        ValueError: The camera, the vertices or (with `uncertainty`) the spread is missing.
    """
    people, view = ScenePeople.of(sample), SceneView.of(image, sample)
    if uncertainty and people.names:
        picture = draw_spread(view, people, faces, spread_range_mm, opacity, supersample)
    else:
        picture = view.overlay(people.meshes(faces), opacity, supersample)
    return view.draw_people(picture, people) if draw_bbox else picture


def draw_spread(
    view: SceneView,
    people: ScenePeople,
    faces: np.ndarray,
    spread_range_mm: tuple[float, float] | None = None,
    opacity: float = 1.0,
    supersample: int = 3,
) -> np.ndarray:
    """The view's picture with people in the colours of their uncertainty, and a colour bar."""
    low, high = spread_range_mm or people.spread_range_mm()
    picture = view.overlay(people.spread_meshes(faces, low, high), opacity, supersample)
    return draw_color_bar(picture, low, high, 'mm')
