"""Pictures, folders, globs, arrays, videos and cameras as one stream of frames.

One frame is held at a time. A file or a frame that cannot be read is reported and skipped, and the
rest goes on; only if there was nothing at all to read is that an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from .inputs import Input, Inputs, Kind, find_inputs, frame_name
from .video_reader import VideoReader

OnSkip = Callable[[str, str], None]


@dataclass(frozen=True)
class Source:
    """What a frame comes from; the same object for all frames of a video.

    Attributes:
        kind: ``'image'``, ``'array'``, ``'video'`` or ``'webcam'``.
        path: File of an image or a video, else None.
        fps: Frames per second of a video or a camera, None if unknown.
        num_frames: As its header says, None if unknown.
        name: Unique stem for output files of the whole source.
    """

    kind: Kind
    path: str | None
    fps: float | None
    num_frames: int | None
    name: str

    @property
    def is_sequence(self) -> bool:
        """Whether its frames follow each other in time."""
        return self.kind in ('video', 'webcam')


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        image_bgr: (H, W, 3) uint8, upright (EXIF orientation and a video's rotation applied).
        name: Unique stem for its output files.
        path: File of the image or of the video; None for arrays and cameras.
        frame_id: Number in a video, a camera's stream or an array (N, H, W, 3), else 0.
        time_s: In a video, or since the first frame of a camera; it grows. None for the others.
        source: Where it is from.
    """

    image_bgr: NDArray[np.uint8]
    name: str
    path: str | None
    frame_id: int
    time_s: float | None
    source: Source


def read_frames(inputs: Inputs, on_skip: OnSkip | None = None) -> Iterator[Frame]:
    """Frames one by one; mistakes in `inputs` are raised by this call, not by the first frame.

    Args:
        inputs: See `find_inputs`.
        on_skip: Told the name and the reason of whatever cannot be read; None: a line in the log.

    Raises:
        FileNotFoundError, OSError, ValueError: As `find_inputs`; a ValueError at the end of the
            stream if nothing could be read.
    """
    return _read(find_inputs(inputs), on_skip or log_skip)


def count_frames(inputs: Inputs) -> int | None:
    """How many frames `read_frames` gives if all can be read, for progress bars.

    None if a camera is among the inputs or a video does not say. The headers of videos are read.
    """
    counts = [_count(item) for item in find_inputs(inputs)]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def log_skip(name: str, reason: str) -> None:
    """Report as a warning in the host's log."""
    print_log(f'skipped {name}: {reason}', logger='current', level=logging.WARNING)


def read_image(path: str) -> NDArray[np.uint8]:
    """An image file as (H, W, 3) uint8 BGR, upright as its EXIF orientation says.

    16 bits become 8, grey and palettes colours, and transparency is dropped, as everywhere in the
    host. Bytes are decoded, not the file: `cv2.imread` fills what a cut JPEG lacks with grey.

    Raises:
        ValueError: Why it cannot be read.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f'the file cannot be read: {error.strerror}') from error
    if not data.size:
        raise ValueError('the file is empty (0 bytes)')
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:  # e.g. more pixels than OpenCV allows
        raise ValueError(f'the file cannot be decoded: {error.err}') from error
    if image is None:
        raise ValueError('the file is damaged or not an image')
    return image.astype(np.uint8, copy=False)


def _read(inputs: list[Input], on_skip: OnSkip) -> Iterator[Frame]:
    first_reason = ''

    def report(name: str, reason: str) -> None:
        nonlocal first_reason
        first_reason = first_reason or f'{name}: {reason}'
        on_skip(name, reason)

    has_read = False
    for item in inputs:
        for frame in _READERS[item.kind](item, report):
            has_read = True
            yield frame
    if not has_read:
        raise ValueError(f'inputs: nothing could be read; {first_reason}')


def _read_image(item: Input, report: OnSkip) -> Iterator[Frame]:
    assert item.path is not None
    try:
        image = read_image(item.path)
    except ValueError as error:
        report(item.path, str(error))
        return
    yield Frame(
        image, item.name, item.path, 0, None, Source('image', item.path, None, 1, item.name)
    )


def _read_array(item: Input, report: OnSkip) -> Iterator[Frame]:  # noqa: ARG001 - arrays are whole
    assert item.images is not None
    images = item.images if item.is_numbered else item.images[None]
    source = Source('array', None, None, len(images), item.name)
    for index, image in enumerate(images):
        name = frame_name(item.name, index) if item.is_numbered else item.name
        yield Frame(np.ascontiguousarray(image), name, None, index, None, source)


def _read_video(item: Input, report: OnSkip) -> Iterator[Frame]:
    label = item.path or f'webcam:{item.camera_id}'
    try:
        reader = VideoReader(item.camera_id if item.path is None else item.path)
    except ValueError as error:
        report(label, str(error))
        return
    with reader:
        source = Source(item.kind, item.path, reader.fps, reader.num_frames, item.name)
        for frame_id, time_s, image in reader:
            name = frame_name(item.name, frame_id)
            if image is None:
                report(name, 'the frame is damaged')
            else:
                yield Frame(image, name, item.path, frame_id, time_s, source)
    if missing := reader.missing():
        report(label, missing)


def _count(item: Input) -> int | None:
    if item.kind == 'webcam':
        return None
    if item.kind == 'video':
        assert item.path is not None
        try:
            with VideoReader(item.path) as reader:
                return reader.num_frames
        except ValueError:
            return 0
    return len(item.images) if item.is_numbered and item.images is not None else 1


_READERS = {
    'image': _read_image,
    'array': _read_array,
    'video': _read_video,
    'webcam': _read_video,
}
