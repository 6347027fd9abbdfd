"""Result pictures of predicted meshes, for MMPose's hooks and inferencers.

One row: picture | meshes over it | meshes from the side | joints | per-vertex uncertainty (the
spread of the 1D heatmaps that the lixel representation models, paper section 4). It reads only
`pred_instances` (keypoints, vertices_cam, vertex_spread) and the metainfo (focal_px, princpt_px).
Shapes: N people, J joints, V vertices, F faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import cv2
import mmcv
import numpy as np
from mmengine.dist import master_only
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from i2l_plugin.body_models import build_body_model

from .panels import (
    add_caption,
    colorize,
    draw_color_bar,
    draw_skeleton,
    side_by_side,
    spread_mm,
)
from .renderer import PALETTE, Mesh, overlay, render_view


@VISUALIZERS.register_module()
class MeshVisualizer(PoseLocalVisualizer):
    """Draw mesh predictions and hand the picture to every vis backend.

    Use it with ``PoseVisualizationHook(enable=True)`` and any of MMEngine's backends.

    Args:
        body_model: Arguments of `build_body_model`, e.g. ``dict(kind='body', path='open')``; gives
            the faces. None: the data set's metainfo must hold ``faces`` (F, 3).
        panel_height: Height of the row in px; pictures are scaled to it.
        opacity: Of the mesh over the picture.
        **kwargs: Arguments of mmpose's PoseLocalVisualizer (name, vis_backends, save_dir, ...).
    """

    def __init__(
        self,
        name: str = 'visualizer',
        body_model: Mapping[str, Any] | None = None,
        panel_height: int = 320,
        opacity: float = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if panel_height < 32:
            raise ValueError(f'panel_height must be at least 32 px, got {panel_height}')
        self.body_model = body_model
        self.panel_height = panel_height
        self.opacity = opacity
        self._faces: np.ndarray | None = None

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: PoseDataSample,
        kpt_thr: float = 0.3,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        **_: Any,
    ) -> np.ndarray:
        """Draw one picture's predictions and store the row.

        Args:
            name: Image identifier for the backends.
            image: (H, W, 3) uint8 RGB, the original picture.
            data_sample: With pred_instances of N people (see the module) and metainfo.
            kpt_thr: Joints with a lower score are left out.
            show: Display the row in a window.
            wait_time: Seconds that the window stays.
            out_file: Write the row here instead of to the backends.
            step: Global step for the backends.
            **_: Switches of mmpose's hook that have no meaning here (draw_gt, draw_heatmap, ...).

        Returns:
            The row, (panel_height, W', 3) uint8 RGB.
        """
        row = self.draw(image, data_sample, kpt_thr)
        self.set_image(row)
        if show:
            self.show(row, win_name=name, wait_time=wait_time)
        if out_file is not None:
            mmcv.imwrite(row[..., ::-1], out_file)
        else:
            self.add_image(name, row, step)
        return row

    def draw(
        self, image: np.ndarray, data_sample: PoseDataSample, kpt_thr: float = 0.3
    ) -> np.ndarray:
        """The row of panels of one picture, see `add_datasample`."""
        people = data_sample.pred_instances
        for field in ('vertices_cam', 'keypoints', 'keypoint_scores'):
            if field not in people:
                raise ValueError(f'pred_instances has no {field!r}; it has {list(people.keys())}')
        view = _View.of(image, data_sample.metainfo, self.panel_height)
        vertices = np.asarray(people.vertices_cam, dtype=np.float64)  # N, V, 3
        meshes = [Mesh(v, self.faces, PALETTE[i % len(PALETTE)]) for i, v in enumerate(vertices)]
        panels = [
            add_caption(view.image, 'image'),
            add_caption(view.overlay(meshes, self.opacity), 'mesh'),
            add_caption(render_view(meshes, view.image.shape[1::-1]), 'side'),
            add_caption(self._draw_joints(view, people, kpt_thr), 'joints'),
        ]
        if 'vertex_spread' in people:
            spread = spread_mm(np.asarray(people.vertex_spread), vertices[..., 2], view.focal_px)
            low, high = np.percentile(spread, [2, 98]) if spread.size else (0.0, 1.0)
            meshes = [
                Mesh(v, self.faces, colorize(s, low, high))
                for v, s in zip(vertices, spread, strict=True)
            ]
            panel = draw_color_bar(view.overlay(meshes), low, high, 'mm')
            panels.append(add_caption(panel, 'uncertainty'))
        return side_by_side(panels)

    @property
    def faces(self) -> np.ndarray:
        """(F, 3) faces, of the configured body model or else of the data set's metainfo."""
        if self.body_model is None:
            faces = (self.dataset_meta or {}).get('faces')
            if faces is None:
                raise ValueError(
                    'no mesh faces: give the visualizer body_model=dict(kind=..., path=...), or '
                    "the data set a metainfo with 'faces'"
                )
            return np.asarray(faces)
        if self._faces is None:
            self._faces = build_body_model(**self.body_model).faces.cpu().numpy()
        return self._faces

    def _draw_joints(self, view: _View, people: Any, kpt_thr: float) -> np.ndarray:
        id_to_name = (self.dataset_meta or {}).get('keypoint_id2name', {})
        image = view.image
        for points, scores in zip(people.keypoints, people.keypoint_scores, strict=True):
            names = [id_to_name.get(i, '') for i in range(len(points))]
            visible = np.asarray(scores) >= kpt_thr
            image = draw_skeleton(image, view.to_panel(points), visible, self.skeleton or [], names)
        return image


class _View(NamedTuple):
    """The picture at the panel's height, with its camera."""

    image: np.ndarray  # (panel_height, W', 3)
    scale: np.ndarray  # (2,) panel px per picture px
    focal_px: np.ndarray  # (2,) of the picture
    princpt_px: np.ndarray  # (2,) of the picture

    @classmethod
    def of(cls, image: np.ndarray, metainfo: Mapping[str, Any], panel_height: int) -> _View:
        for field in ('focal_px', 'princpt_px'):
            if field not in metainfo:
                raise ValueError(
                    f'the data sample has no {field!r} in its metainfo: add it to the meta keys '
                    'of the packing transform'
                )
        height, width = image.shape[:2]
        size = (max(1, round(width * panel_height / height)), panel_height)
        method = cv2.INTER_AREA if panel_height < height else cv2.INTER_LINEAR
        focal, princpt = (np.asarray(metainfo[k], np.float64) for k in ('focal_px', 'princpt_px'))
        return cls(
            cv2.resize(image, size, interpolation=method),
            np.array(size) / (width, height),
            focal,
            princpt,
        )

    def to_panel(self, points_px: np.ndarray) -> np.ndarray:
        """Picture px to panel px. cv2.resize aligns outer borders, not first pixels' centres."""
        return (np.asarray(points_px, np.float64) + 0.5) * self.scale - 0.5

    def overlay(self, meshes: list[Mesh], opacity: float = 1.0) -> np.ndarray:
        focal = self.focal_px * self.scale
        return overlay(self.image, meshes, focal, self.to_panel(self.princpt_px), opacity)
