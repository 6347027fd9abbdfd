"""Frames of a video file or a camera, decoded by OpenCV one at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

# Containers whose header counts the frames; of others OpenCV takes duration times rate.
_COUNTED = ('.mp4', '.mov', '.m4v', '.avi', '.3gp')
_UNCOUNTED_TOLERANCE = 0.02
# How many frames in a row may be damaged. Headers can claim years, which would be tried for hours.
_UNCOUNTED_TRIES, _COUNTED_TRIES = 100, 10_000
_MAX_FPS = 1000.0  # more is the clock of a container without a frame rate


class VideoReader:
    """Iterate once over (frame_id, time_s, image (H, W, 3) uint8 BGR or None if damaged).

    Pictures are turned upright as the video's rotation says. `time_s` grows from frame to frame; it
    is the video's own, so rates may vary, or of a camera the time since its first frame.

    Args:
        source: Path of a video, or number of a camera.

    Attributes:
        fps: Mean frames per second, None if unknown.
        num_frames: As the header says, None if unknown.

    Raises:
        ValueError: Why it cannot be opened.
    """

    def __init__(self, source: str | int) -> None:
        self._path = source if isinstance(source, str) else None
        if self._path is not None:
            _check_file(self._path)
        self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            self._capture.release()
            raise ValueError(
                'the file is damaged, not a video, or of a codec that OpenCV cannot decode'
                if self._path is not None
                else f'camera {source} cannot be opened; is it there, free and permitted?'
            )
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else None
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.num_frames = int(count) if self._path is not None and 0 < count < 2**31 else None
        self._num_decoded = self._num_damaged = 0

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[int, float, NDArray[np.uint8] | None]]:
        frame_id, last_s, start, failures = 0, -1.0, 0.0, 0
        while True:
            if not self._capture.grab():
                failures += 1
                if failures > self._left(frame_id):
                    return
                continue  # a damaged packet, with good ones behind it, or the end of a cut file
            frames_on, failures = failures + 1, 0
            for _ in range(frames_on - 1):
                self._num_damaged += 1
                yield frame_id, last_s, None
                frame_id += 1
            decoded, image = self._capture.retrieve()
            if self._path is not None:
                time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            else:
                now = time.monotonic()
                start = now if frame_id == 0 else start
                time_s = now - start
            if frame_id and time_s <= last_s:  # a container without usable time stamps
                time_s = last_s + frames_on / (self.fps or 25)
            self._num_decoded += decoded
            self._num_damaged += not decoded
            yield frame_id, time_s, image.astype(np.uint8, copy=False) if decoded else None
            frame_id, last_s = frame_id + 1, time_s

    def _left(self, frame_id: int) -> int:
        """How many frames may still come from this one on, where one could not be read."""
        if self._path is None:
            return 0  # a camera that is gone
        if self.num_frames is None:
            return _UNCOUNTED_TRIES
        return min(self.num_frames - frame_id, _COUNTED_TRIES)

    def missing(self) -> str:
        """After the last frame: what the header promised but did not come, even damaged; or ''."""
        if not self._num_decoded:
            return 'not one frame could be decoded'
        if self._path is None or self.num_frames is None:
            return ''
        counted = os.path.splitext(self._path)[1].lower() in _COUNTED
        allowed = 0 if counted else 1 + _UNCOUNTED_TOLERANCE * self.num_frames
        if self.num_frames - self._num_decoded - self._num_damaged <= allowed:
            return ''
        return (
            f'{self._num_decoded} of {self.num_frames} frames decoded; the rest is cut or damaged'
        )


def _check_file(path: str) -> None:
    try:
        with open(path, 'rb') as file:
            is_empty = not file.read(1)
    except OSError as error:
        raise ValueError(f'the file cannot be read: {error.strerror}') from error
    if is_empty:
        raise ValueError('the file is empty (0 bytes)')
