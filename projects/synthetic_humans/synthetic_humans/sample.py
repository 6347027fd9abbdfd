"""One sample of the data set: a function of (seed, split, index) alone."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from i2l_plugin.body_models import BodyModel, build_body_model
from i2l_plugin.visualization.ray_scene import Camera

from .body_subject import BodySubject
from .compose import Layer, compose, photograph
from .framing import Shot
from .hand_subject import HandSubject
from .lighting import draw_lights
from .outdoors import clutter, open_air
from .rooms import room
from .surroundings import Backdrop, Ground

SPLITS = ('train', 'test')
MIN_FLOOR_MM = 100.0  # the camera's height above the floor


class Subject(Protocol):
    """What can be photographed."""

    kind: str
    model: BodyModel

    floor_gaps_mm: tuple[float, ...]  # possible distances of the floor below the subject

    def draw_shot(self, rng: np.random.Generator, image_size: int) -> Shot: ...

    def layers(
        self, rng: np.random.Generator, shot: Shot, ground: Ground, backdrop: Backdrop
    ) -> list[Layer]: ...


def model_kind(kind: str) -> str:
    """Kind of the body model: scenes are of bodies."""
    return 'hand' if kind == 'hand' else 'body'


def build_subject(kind: str) -> Subject:
    """People (also of scenes) or hands of the embedded open body model."""
    kind = model_kind(kind)
    return {'body': BodySubject, 'hand': HandSubject}[kind](build_body_model(kind))


def draw_sample(
    subject: Subject, seed: int, split: str, index: int, image_size: int, picture: bool = True
) -> tuple[dict[str, Any], bytes | None]:
    """The annotation and the JPEG of one sample.

    Args:
        subject: From `build_subject`.
        seed: Of the whole data set.
        split: ``'train'`` or ``'test'``; the two share no sample.
        index: Number of the sample in its split.
        image_size: Side of the square picture in px.
        picture: False leaves the picture out, which is much faster.

    Returns:
        Columns of the annotation record for this sample, without leading dimension; JPEG or None.
    """
    rng, picture_rng = random_streams(seed, split, index)
    shot = subject.draw_shot(rng, image_size)
    row = annotation(shot, split, index)
    return row, render_shot(subject, shot, picture_rng) if picture else None


def random_streams(
    seed: int, split: str, index: int
) -> tuple[np.random.Generator, np.random.Generator]:
    """Random sources of what is annotated and of what is not."""
    streams = np.random.SeedSequence([seed, SPLITS.index(split), index]).spawn(2)
    rng, picture_rng = (np.random.default_rng(stream) for stream in streams)
    return rng, picture_rng


def render_shot(subject: Subject, shot: Shot, rng: np.random.Generator) -> bytes:
    """A photograph of a posed subject with random clothes, light and surroundings."""
    gap = max(rng.choice(subject.floor_gaps_mm), MIN_FLOOR_MM - shot.camera_height_mm())
    ground = Ground.below(shot.up, shot.lowest_mm() - shot.up * gap)
    backdrop = draw_backdrop(rng, shot.camera, ground, shot.vertices_mm)
    lights = draw_lights(rng, ground, backdrop.outdoors)
    layers = subject.layers(rng, shot, ground, backdrop)
    return photograph(rng, compose(layers, backdrop, shot.camera, lights))


def draw_backdrop(
    rng: np.random.Generator, camera: Camera, ground: Ground, subject_mm: np.ndarray
) -> Backdrop:
    """Random surroundings with room for a subject's vertices (V, 3) mm."""
    width, height = camera.image_size_px
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rays = camera.directions(np.stack([x, y], -1)).astype(np.float32)
    kind = rng.choice(3, p=(0.5, 0.36, 0.14))
    if kind == 0:
        return room(rng, rays, ground, subject_mm)
    return open_air(rng, rays, ground) if kind == 1 else clutter(rng, rays)


def annotation(shot: Shot, split: str, index: int) -> dict[str, Any]:
    """The canonical record's columns for one shot."""
    width, height = shot.camera.image_size_px
    limit = np.array([width - 1, height - 1])
    points = shot.camera.project(shot.vertices_mm)
    low, high = np.clip(points.min(0), 0, limit), np.clip(points.max(0), 0, limit)
    joints = shot.joints_mm
    return {
        'image_path': f'images/{split}/{index:06d}.jpg',
        'image_size_px': np.array([width, height]),
        'bbox_px': np.concatenate([low, high]),
        'focal_px': shot.camera.focal_px,
        'princpt_px': shot.camera.princpt_px,
        'pose': shot.pose,
        'betas': shot.betas,
        'transl_m': shot.transl_m,
        'fit_valid': True,
        'joints_cam_mm': joints,
        'joints_px': shot.camera.project(joints),
        'joints_valid': np.ones(len(joints), bool),
        'has_depth': True,
        'root_depth_mm': joints[0, 2],
        'sample_id': index,
        'image_id': index,
        'id_family': shot.family.encode(),
    }
