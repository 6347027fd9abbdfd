"""Writing videos that browsers play: H.264 in MP4, at the frame rate of what was read.

OpenCV's own writer has no H.264 encoder; PyAV brings one (x264) in its wheel.
"""

from __future__ import annotations

import math
import os
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

_OPTIONS = {'preset': 'veryfast', 'crf': '18'}  # visually lossless, several times real time
_BT709 = 1


class VideoWriter:
    """Context manager: `write` the pictures one by one; the file appears when it is left.

    Until then the video is a hidden file beside its place. Ctrl-C finishes the part written so far
    into a valid video; any other error leaves no file. Without a picture there is no file either.

    Args:
        path: Of the video, ``.mp4``; its folder is made if missing, an old file replaced.
        fps: Frames per second, e.g. `Source.fps`. Rates of television (29.97, 30000 / 1001) are
            written as the fraction that they are.

    Raises:
        ValueError: Another extension, or a rate outside (0, 1000].
    """

    def __init__(self, path: str | os.PathLike[str], fps: float) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(f'path: got {str(path)!r}, expected a name that ends in .mp4')
        if not (math.isfinite(fps) and 0 < fps <= 1000):
            raise ValueError(f'fps: got {fps}, expected frames per second in (0, 1000]')
        self.num_frames = 0
        self._rate = Fraction(fps).limit_denominator(1001)
        self._size_px = (0, 0)
        self._temporary = ''

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._temporary:
            return
        try:
            is_usable = kind is None or issubclass(kind, (KeyboardInterrupt, GeneratorExit))
            if is_usable and self.num_frames:
                self._container.mux(self._stream.encode(None))
                self._container.close()
                os.chmod(self._temporary, 0o644)
                os.replace(self._temporary, self.path)
        finally:
            Path(self._temporary).unlink(missing_ok=True)

    def write(self, image_rgb: NDArray[np.uint8]) -> None:
        """Append a picture.

        Args:
            image_rgb: (H, W, 3) uint8, all of one size. H.264 stores colours at half the
                resolution, so an odd side grows by one pixel, a copy of its neighbour.

        Raises:
            ValueError: Another type, shape, or size than the first picture's.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
            raise ValueError(
                f'image_rgb: got {image_rgb.dtype} of shape {image_rgb.shape}, '
                'expected uint8 of shape (H, W, 3)'
            )
        height, width = image_rgb.shape[:2]
        if not self._temporary:
            self._open(width, height)
        if (width, height) != self._size_px:
            raise ValueError(
                f'image_rgb: frame {self.num_frames} has {width} x {height} px, but the video has '
                f'{self._size_px[0]} x {self._size_px[1]} px; all frames must have one size'
            )
        even = np.pad(image_rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format='rgb24').reformat(
            format='yuv420p', dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts = self.num_frames
        self._container.mux(self._stream.encode(frame))
        self.num_frames += 1

    def _open(self, width: int, height: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, self._temporary = tempfile.mkstemp(
            dir=self.path.parent, prefix=f'.{self.path.name}.'
        )
        os.close(handle)
        self._size_px = width, height
        # the table of contents goes to the front: browsers start before they have the whole file
        self._container = av.open(
            self._temporary, 'w', format='mp4', options={'movflags': 'faststart'}
        )
        self._stream = self._container.add_stream('libx264', rate=self._rate, options=_OPTIONS)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = 'yuv420p'
        codec = self._stream.codec_context
        codec.time_base = 1 / self._rate
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        codec.color_range = ColorRange.MPEG
