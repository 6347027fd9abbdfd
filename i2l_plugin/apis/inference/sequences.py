"""People through the frames of a video: who is who, and smoothed over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby

from mmpose.structures import PoseDataSample

from i2l_plugin.body_models import BodyModel

from .frames import Frame
from .scene import Scene
from .smoothing import METHODS, smooth
from .tracking import track_people

_AUTOMATIC = {'video': 'savgol', 'webcam': 'one-euro'}  # no lag where the future is known


def check_smoothing(method: bool | str) -> None:
    """ValueError if `follow_people` knows no such method."""
    if not isinstance(method, bool) and method not in METHODS:
        raise ValueError(f'smooth: got {method!r}, expected True or one of {list(METHODS)}')


def follow_people(
    scenes: Iterable[Scene], body_model: BodyModel, method: bool | str = False
) -> Iterator[tuple[Frame, PoseDataSample]]:
    """Frames with their scene samples; people of videos and cameras have ``track_ids``.

    Args:
        scenes: Of one or several inputs, in their order.
        body_model: Of the network.
        method: Also smooth the people of videos and cameras over time, by a method of `smooth`;
            True: Savitzky-Golay for videos, the one-euro filter for cameras.
    """
    for source, part in groupby(scenes, key=lambda scene: scene.frame.source):
        frames: deque[Frame] = deque()
        samples = _samples(part, body_model, frames)
        if source.is_sequence:
            samples = track_people(samples)
            if method:
                name = _AUTOMATIC[source.kind] if method is True else method
                samples = smooth(samples, name)
        for sample in samples:
            yield frames.popleft(), sample


def _samples(
    scenes: Iterable[Scene], body_model: BodyModel, frames: deque[Frame]
) -> Iterator[PoseDataSample]:
    """Scene samples, whose frames queue up in `frames`."""
    for scene in scenes:
        frames.append(scene.frame)
        yield scene.to_sample(body_model)
