"""Smoothing the people of a video over time: scene samples in, scene samples out, in order.

What is measured in camera space is filtered, each person for himself, and the image points are
projected from it anew, so the picture and the space stay one. Boxes, scores and spreads stay.
Shape legend: N people of a frame, V vertices, J joints, D filtered coordinates of a person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from i2l_plugin.geometry.camera import project

from .one_euro import OneEuroFilter
from .savgol import SavitzkyGolayFilter

FILTERED = ('vertices_cam', 'joints_cam', 'posenet_joints_cam', 'root_depth_mm')


class _Filter(Protocol):
    def push(
        self, time_s: float, people: Mapping[int, NDArray[np.floating]]
    ) -> list[dict[int, NDArray[np.floating]]]: ...

    def finish(self) -> list[dict[int, NDArray[np.floating]]]: ...


METHODS: dict[str, type[_Filter]] = {'one-euro': OneEuroFilter, 'savgol': SavitzkyGolayFilter}


def smooth(
    samples: Iterable[PoseDataSample], method: str, fps: float = 30.0, **options: Any
) -> Iterator[PoseDataSample]:
    """Smooth the scene samples of ONE video over time, with no more of them held than a window.

    Args:
        samples: In the order of the video, with ``track_ids``. Each is changed and handed on.
        method: ``'one-euro'``: at once, with little lag; ``'savgol'``: smoother and without lag,
            but frames come half a window later (a window, where somebody comes into sight).
        fps: Frames per second of samples without ``time_s`` in their metainfo.
        options: Arguments of `OneEuroFilter` or `SavitzkyGolayFilter`.

    Raises:
        ValueError: An unknown method, an option outside its range, samples without ``track_ids``,
            or times that do not grow.
    """
    if method not in METHODS:
        raise ValueError(f'method: got {method!r}, expected one of {list(METHODS)}')
    return _smooth(samples, METHODS[method](**options), fps)


def _smooth(samples: Iterable[PoseDataSample], people: _Filter, fps: float) -> Iterator[Any]:
    waiting: deque[PoseDataSample] = deque()
    last_s = -np.inf
    for sample in samples:
        time_s = _time_s(sample, fps)
        if not time_s > last_s:
            raise ValueError(
                f'samples: frame {sample.metainfo.get("frame_id")} is at {time_s} s, not after the '
                f'one before it at {last_s} s; smooth one video at a time, in its order'
            )
        last_s = time_s
        waiting.append(sample)
        for smoothed in people.push(time_s, _people(sample)):
            yield _replace(waiting.popleft(), smoothed)
    for smoothed in people.finish():
        yield _replace(waiting.popleft(), smoothed)


def _time_s(sample: PoseDataSample, fps: float) -> float:
    time_s = sample.metainfo.get('time_s')
    return float(sample.metainfo['frame_id'] / fps if time_s is None else time_s)


def _people(sample: PoseDataSample) -> dict[int, NDArray[np.floating]]:
    """(D,) of each person by track id."""
    instances = sample.pred_instances
    if 'track_ids' not in instances:
        raise ValueError('samples: there are no track_ids; pass them through track_people first')
    ids = [int(track) for track in instances.track_ids]
    if not ids:
        return {}
    fields = [instances[name].reshape(len(ids), -1) for name in _filtered(instances)]
    return dict(zip(ids, np.concatenate(fields, axis=1), strict=True))


def _replace(sample: PoseDataSample, people: Mapping[int, NDArray[np.floating]]) -> PoseDataSample:
    """The sample with its filtered fields, and the image points that follow from them."""
    instances = sample.pred_instances
    if not people:
        return sample
    rows = np.stack([people[int(track)] for track in instances.track_ids])
    start = 0
    for name in _filtered(instances):
        former = instances[name]
        size = former[0].size
        instances[name] = rows[:, start : start + size].reshape(former.shape).astype(former.dtype)
        start += size
    if 'vertices_cam' in instances:
        instances.vertices_img = _project(sample, instances.vertices_cam)
    instances.keypoints = _project(sample, instances.joints_cam)[..., :2]
    return sample


def _filtered(instances: InstanceData) -> list[str]:
    return [name for name in FILTERED if name in instances]


def _project(sample: PoseDataSample, points_cam_mm: NDArray[np.floating]) -> NDArray[np.floating]:
    points = torch.from_numpy(points_cam_mm)
    camera = (sample.metainfo[name] for name in ('focal_px', 'princpt_px'))
    return project(
        points, *(torch.as_tensor(value, dtype=points.dtype) for value in camera)
    ).numpy()
