"""Persons in generated pictures that are as costly to decode as photographs of their size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from i2l_plugin.body_models import H36M_17, HAND_21
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.annotation_schema import NUM_POSE

IMAGE_SIZE = (1000, 1002)  # of most Human3.6M pictures
_JPEG_QUALITY, _SLOPE = 90, 1.4  # 288 KB; photographs enlarged to this size have 130 to 260
_NUM_IMAGES = 8


def write_persons(folder: Path, kind: str) -> None:
    """``record.npz`` and its pictures: one person in each, half as wide as the picture."""
    rng = np.random.default_rng(0)
    n, width, height = _NUM_IMAGES, *IMAGE_SIZE
    joints = HAND_21 if kind == 'hand' else H36M_17
    joints_cam = rng.normal([0, 0, 5000], 300, (n, len(joints), 3))
    AnnotationRecord.create(
        kind,
        joints.joint_names,
        sample_id=np.arange(n),
        image_id=np.arange(n),
        image_path=[f'{i}.jpg' for i in range(n)],
        image_size_px=np.tile(IMAGE_SIZE, (n, 1)),
        bbox_px=np.tile([width * 0.3, height * 0.2, width * 0.7, height * 0.9], (n, 1)),
        focal_px=np.full((n, 2), 1145.0),
        princpt_px=np.tile([width / 2, height / 2], (n, 1)),
        pose=rng.normal(0, 0.3, (n, NUM_POSE[kind], 3)),
        betas=rng.normal(size=(n, 10)),
        transl_m=np.tile([0.0, 0, 5], (n, 1)),
        fit_valid=np.ones(n, bool),
        joints_cam_mm=joints_cam,
        joints_px=joints_cam[..., :2] / joints_cam[..., 2:] * 1145 + [width / 2, height / 2],
        joints_valid=np.ones((n, len(joints)), bool),
        has_depth=np.ones(n, bool),
        root_depth_mm=np.full(n, 5000.0),
    ).save(folder / 'record.npz')
    for i in range(n):
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        cv2.imwrite(str(folder / f'{i}.jpg'), photograph(IMAGE_SIZE, rng), options)


def photograph(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of uint8 whose spectrum falls like that of photographs."""
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf
    grey = rng.standard_normal((height, width))
    channels = []
    for _ in range(3):
        noise = grey + 0.3 * rng.standard_normal((height, width))
        channel = np.fft.irfft2(np.fft.rfft2(noise) * frequency**-_SLOPE, s=(height, width))
        channels.append(channel / channel.std())
    return np.clip(128 + 50 * np.stack(channels, axis=-1), 0, 255).astype(np.uint8)
