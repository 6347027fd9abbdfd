"""Meshes of one picture without a class: `init_model`, then `infer_meshes`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample
from numpy.typing import ArrayLike, NDArray
from torch import nn

from .boxes import PerPicture
from .cameras import CameraFinder
from .crops import PersonCrops
from .estimation import PeopleEstimator, estimate_scenes
from .frames import read_frames
from .scene_maker import BOX_NUMBERS, SceneMaker


def infer_meshes(
    model: nn.Module,
    image: str | os.PathLike | NDArray[np.uint8],
    bboxes: Sequence[ArrayLike] | None = None,
    root_depths: Sequence[float] | None = None,
    camera: ArrayLike | Mapping[str, Any] | str | os.PathLike | None = None,
    fov: float | None = None,
    batch_size: int = 8,
) -> PoseDataSample:
    """The meshes of the people of one picture.

    Args:
        model: Of `init_model`.
        image: File, or (H, W, 3) uint8 BGR.
        bboxes: N boxes x1 y1 x2 y2 in px, not grown; the whole image by default.
        root_depths: N depths of the root joints in mm; from the boxes' sizes by default.
        camera: Intrinsics, as `CameraFinder` takes them.
        fov: Horizontal field of view in degrees instead.
        batch_size: People at a time.

    Returns:
        The scene sample, see `Scene.to_sample`: ``pred_instances`` of N people with
        ``vertices_cam`` (N, V, 3) mm, ``joints_cam``, ``vertex_spread`` ..., and a metainfo that
        says which camera, boxes and depths were used.

    Raises:
        FileNotFoundError: No such picture.
        ValueError: It cannot be read, or what is given for it is wrong.
    """
    estimate = PeopleEstimator(model, PersonCrops(model.cfg, model.body_model))
    make_scene = SceneMaker(
        CameraFinder(camera, fov),
        estimate.root_depth_source,
        bboxes=None if bboxes is None else PerPicture('bboxes', [bboxes], BOX_NUMBERS),
        root_depths=None if root_depths is None else PerPicture('root_depths', [root_depths]),
    )
    frames = read_frames([image], on_skip=_refuse)
    scenes = (make_scene(frame, 0) for frame in frames)
    (scene,) = estimate_scenes(scenes, estimate, batch_size)
    return scene.to_sample(model.body_model)


def _refuse(name: str, reason: str) -> None:
    raise ValueError(f'{name}: {reason}')
