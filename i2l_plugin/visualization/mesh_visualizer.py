"""Result pictures of predicted meshes, for MMPose's hooks and inferencers.

One row of panels of one picture with any number of people, whatever is chosen of: the picture,
meshes over it, meshes from the side and from above, joints, per-vertex uncertainty (the spread of
the 1D heatmaps that the lixel representation models, paper section 4). It reads only
`pred_instances` (keypoints, vertices_cam, vertex_spread, bboxes, track_ids, root_depth_mm) and the
metainfo (focal_px, princpt_px). A row's size depends on the picture alone, so rows make videos.
Shapes: N people, J joints, V vertices, F faces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mmcv
import numpy as np
from mmengine.dist import master_only
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from i2l_plugin.body_models import build_body_model

from .panels import add_caption, draw_skeleton, side_by_side
from .scene_overlay import SceneView, draw_spread
from .scene_people import ScenePeople
from .scene_sides import draw_side

PANELS = ('image', 'mesh', 'side', 'top', 'joints', 'uncertainty')
PERSON_PANELS = ('image', 'mesh', 'side', 'joints', 'uncertainty')


@VISUALIZERS.register_module()
class MeshVisualizer(PoseLocalVisualizer):
    """Draw mesh predictions and hand the picture to every vis backend.

    Use it with ``PoseVisualizationHook(enable=True)`` and any of MMEngine's backends.

    Args:
        body_model: Arguments of `build_body_model`, e.g. ``dict(kind='body', path='open')``; gives
            the faces. None: the data set's metainfo must hold ``faces`` (F, 3).
        panel_height: Height of the row in px; pictures are scaled to it.
        opacity: Of the mesh over the picture.
        panels: What a row shows, of `PANELS` in any order. 'top' is worth its place where there
            are several people.
        spread_range_mm: Ends of the uncertainty's colours, e.g. ``(20, 120)``, for videos and
            comparisons. None takes percentiles of each picture's own values.
        **kwargs: Arguments of mmpose's PoseLocalVisualizer (name, vis_backends, save_dir, ...).
    """

    def __init__(
        self,
        name: str = 'visualizer',
        body_model: Mapping[str, Any] | None = None,
        panel_height: int = 320,
        opacity: float = 0.9,
        panels: Sequence[str] = PERSON_PANELS,
        spread_range_mm: tuple[float, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if panel_height < 32:
            raise ValueError(f'panel_height must be at least 32 px, got {panel_height}')
        unknown = [panel for panel in panels if panel not in PANELS]
        if unknown or not panels or isinstance(panels, str):
            raise ValueError(f'panels must be some of {PANELS}, got {panels!r}')
        self.panels = tuple(panels)
        self.spread_range_mm = spread_range_mm
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
        draw_bbox: bool = False,
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
            draw_bbox: Add boxes with each one's number (track id) and depth to the panels 'image'
                and 'mesh'.
            **_: Switches of mmpose's hook that have no meaning here (draw_gt, draw_heatmap, ...).

        Returns:
            The row, (panel_height, W', 3) uint8 RGB.
        """
        row = self.draw(image, data_sample, kpt_thr, draw_bbox)
        self.set_image(row)
        if show:
            self.show(row, win_name=name, wait_time=wait_time)
        if out_file is not None:
            mmcv.imwrite(row[..., ::-1], out_file)
        else:
            self.add_image(name, row, step)
        return row

    def draw(
        self,
        image: np.ndarray,
        data_sample: PoseDataSample,
        kpt_thr: float = 0.3,
        draw_bbox: bool = False,
    ) -> np.ndarray:
        """The row of panels of one picture, see `add_datasample`."""
        people = ScenePeople.of(data_sample)
        view = SceneView.of(image, data_sample, self.panel_height)
        panels = []
        for name in self.panels:
            caption = name
            if not people.names:
                panel, caption = self._empty_panel(view, name), f'{name}: nobody'
            elif name == 'joints':
                panel = self._draw_joints(view, data_sample.pred_instances, kpt_thr)
            elif name in ('side', 'top'):
                panel = self._draw_side(view, people, name)
            elif name == 'uncertainty' and people.spread_mm is None:
                panel, caption = view.image, 'uncertainty: not estimated'
            elif name == 'uncertainty':
                panel = draw_spread(view, people, self.faces, self.spread_range_mm)
            else:
                panel = view.image
                if name == 'mesh':
                    panel = view.overlay(people.meshes(self.faces), self.opacity)
                panel = view.draw_people(panel, people) if draw_bbox else panel
            panels.append(add_caption(panel, caption))
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

    def _empty_panel(self, view: SceneView, name: str) -> np.ndarray:
        blank = name in ('side', 'top')
        return draw_side([], view.camera.image_size_px, name) if blank else view.image

    def _draw_side(self, view: SceneView, people: ScenePeople, name: str) -> np.ndarray:
        meshes = people.meshes(self.faces)
        labels = [str(number) for number in people.numbers] if len(meshes) > 1 else None
        return draw_side(meshes, view.camera.image_size_px, name, view.camera, labels)

    def _draw_joints(self, view: SceneView, people: Any, kpt_thr: float) -> np.ndarray:
        for field in ('keypoints', 'keypoint_scores'):
            if field not in people:
                raise ValueError(f'pred_instances has no {field!r}; it has {list(people.keys())}')
        id_to_name = (self.dataset_meta or {}).get('keypoint_id2name', {})
        image = view.image
        for points, scores in zip(people.keypoints, people.keypoint_scores, strict=True):
            names = [id_to_name.get(i, '') for i in range(len(points))]
            visible = np.asarray(scores) >= kpt_thr
            image = draw_skeleton(image, view.to_view(points), visible, self.skeleton or [], names)
        return image
