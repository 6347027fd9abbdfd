"""Result pictures of RootNet: each person's box, root joint and depth, for MMPose's hooks."""

from __future__ import annotations

from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.dist import master_only
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from .panels import MIDDLE_COLOR, SHIFT, fixed_point, put_text


@VISUALIZERS.register_module()
class RootVisualizer(PoseLocalVisualizer):
    """Draw root joints and hand the picture to every vis backend.

    It reads ``bboxes`` (N, 4), ``root_img`` (N, 3) and of it the depth, of `pred_instances`.

    Args:
        name: As in the host.
        panel_height: Height of the picture in px; it is scaled to it.
        **kwargs: Arguments of mmpose's PoseLocalVisualizer (vis_backends, save_dir, ...).
    """

    def __init__(self, name: str = 'visualizer', panel_height: int = 320, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        if panel_height < 32:
            raise ValueError(f'panel_height must be at least 32 px, got {panel_height}')
        self.panel_height = panel_height

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: PoseDataSample,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        **_: Any,
    ) -> np.ndarray:
        """Draw one picture's people and store the picture.

        Args:
            name: Image identifier for the backends.
            image: (H, W, 3) uint8 RGB, the original picture.
            data_sample: With the fields that the class names.
            show: Display the picture in a window.
            wait_time: Seconds that the window stays.
            out_file: Write the picture here instead of to the backends.
            step: Global step for the backends.
            **_: Switches of mmpose's hook that have no meaning here (draw_gt, kpt_thr, ...).

        Returns:
            (panel_height, W', 3) uint8 RGB.
        """
        drawn = self.draw(image, data_sample)
        self.set_image(drawn)
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            mmcv.imwrite(drawn[..., ::-1], out_file)
        else:
            self.add_image(name, drawn, step)
        return drawn

    def draw(self, image: np.ndarray, data_sample: PoseDataSample) -> np.ndarray:
        """The picture of a data sample, see `add_datasample`."""
        people, scale = data_sample.pred_instances, self.panel_height / image.shape[0]
        size = round(image.shape[1] * scale), self.panel_height
        drawn = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        for box_px, root in zip(people.bboxes, people.root_img, strict=True):
            # a pixel's centre is its number, and its border half a pixel away
            points = (np.reshape([*box_px, *root[:2]], (3, 2)) + 0.5) * scale - 0.5
            low, high, middle = fixed_point(points, drawn.shape).tolist()
            cv2.rectangle(drawn, low, high, MIDDLE_COLOR, 1, cv2.LINE_AA, SHIFT)
            cv2.circle(drawn, middle, 5 << SHIFT, (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
            cv2.circle(drawn, middle, 4 << SHIFT, MIDDLE_COLOR, -1, cv2.LINE_AA, SHIFT)
            x, y = low[0] >> SHIFT, (low[1] >> SHIFT) - 4  # over the box, or in it at the top
            place = max(x, 0), y if y > 12 else max(y + 18, 14)  # a grown box may begin outside
            put_text(drawn, f'{root[2] / 1000:.2f} m', place)
        return drawn
