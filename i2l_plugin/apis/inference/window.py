"""A window that shows the results, where OpenCV has windows."""

from __future__ import annotations

from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

_ESCAPE, _QUIT = 27, ord('q')


class Window:
    """Context manager of one window.

    Raises:
        ValueError: OpenCV was built without windows, as its headless package is, or there is no
            display.
    """

    name = 'i2l_plugin'

    def __enter__(self) -> Window:
        try:
            cv2.namedWindow(self.name, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise ValueError(
                'show: this OpenCV cannot open a window (the package opencv-python-headless, or no '
                'display); install opencv-python, or leave show out and look at the files of '
                'out_dir (--out)'
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        cv2.destroyWindow(self.name)

    def show(self, picture_rgb: NDArray[np.uint8], wait_ms: int) -> bool:
        """Show a picture; 0 ms waits for a key. -> False if Escape or q was pressed."""
        cv2.imshow(self.name, np.ascontiguousarray(picture_rgb[..., ::-1]))
        return cv2.waitKey(wait_ms) & 0xFF not in (_ESCAPE, _QUIT)
