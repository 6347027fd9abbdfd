"""A video at a steady rate of pictures that come at their own times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .video import VideoWriter


class SteadyVideo:
    """Repeats pictures where others are missing, so that the video stays in step with its source.

    Frames that cannot be read leave gaps; cameras that are slower than they say, too. No picture is
    left out.

    Args:
        writer: The video; who has opened it closes it.
        fps: Its frames per second.
    """

    def __init__(self, writer: VideoWriter, fps: float) -> None:
        self.writer, self.fps = writer, fps
        self._start_s: float | None = None
        self._last: NDArray[np.uint8] | None = None

    def write(self, picture_rgb: NDArray[np.uint8], time_s: float) -> None:
        """Append the picture of a time that grows, in s."""
        if self._start_s is None:
            self._start_s = time_s
        if self._last is not None:
            while self.writer.num_frames < round((time_s - self._start_s) * self.fps):
                self.writer.write(self._last)
        self.writer.write(picture_rgb)
        self._last = picture_rgb
