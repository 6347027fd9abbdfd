"""The files of 3DPW: raw sequences (Python 2 pickles), and the release's parsed JSON.

Raw, by the readme of the data set: ``sequenceFiles/{train,validation,test}/<sequence>.pkl`` holds
for each of one or two actors ``poses`` (N, 72), ``trans`` (N, 3) m and ``jointPositions`` (N, 72) m
in the WORLD frame, ``betas`` (10 or 300), ``genders``, ``campose_valid`` (N) and ``poses2d``
(N, 3, 18), and for all ``cam_poses`` (N, 4, 4), world to camera, and ``cam_intrinsics`` (3, 3). All
of these are at the pictures' 30 Hz: row i is of ``imageFiles/<sequence>/image_{i:05d}.jpg``;
``img_frame_ids`` finds the rows of the 60 Hz arrays, which are not read.
Shape legend: N frames of a sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.entries import as_numbers, integer, label, numbers, text, value
from converter_core.files import stream_items
from gendered_bodies import gender_of
from numpy.typing import NDArray
from PIL import Image
from pw3d_detections import DETECTED

from i2l_plugin.body_models import SMPL_24
from i2l_plugin.body_models.safe_pickle import as_array, restricted_load

_ORIENTATION = 0x0112  # EXIF; from 5 on the picture lies on its side


@dataclass(frozen=True, eq=False)
class Actor:
    """One person of a sequence, in the world frame."""

    gender: str  # 'm' or 'f'
    betas: NDArray[np.float64]  # (10,)
    poses: NDArray[np.float64]  # (N, 24, 3) rad
    transl_m: NDArray[np.float64]  # (N, 3)
    joints_m: NDArray[np.float64]  # (N, 24, 3), SMPL's
    detections: NDArray[np.float64]  # (N, 3, 18): x px, y px, score (0: not detected)
    camera_valid: NDArray[np.bool_]  # (N,)


@dataclass(frozen=True, eq=False)
class PW3DSequence:
    """One raw file."""

    name: str
    actors: tuple[Actor, ...]
    world_to_camera: NDArray[np.float64]  # (N, 4, 4), m
    focal_px: NDArray[np.float64]  # (2,)
    princpt_px: NDArray[np.float64]  # (2,)

    def __len__(self) -> int:
        return len(self.world_to_camera)

    def camera(self, frame: int) -> WorldCamera:
        """Camera of a frame; ValueError if it is none."""
        matrix = as_numbers(self.world_to_camera[frame], 'cam_poses', (4, 4))
        rotation, translation_mm = matrix[:3, :3], 1000 * matrix[:3, 3]
        return WorldCamera(rotation, translation_mm, self.focal_px, self.princpt_px)


def sequence_files(root: Path, split: str) -> list[Path]:
    """The raw files of a split by name; none if there is no such folder."""
    return sorted((root / 'sequenceFiles' / split).glob('*.pkl'))


def image_name(sequence: str, frame: int) -> str:
    """Path of a picture below ``imageFiles``."""
    return f'{sequence}/image_{frame:05d}.jpg'


def read_sequence(path: Path) -> PW3DSequence:
    """One sequence; nothing that the pickle names is run.

    Raises:
        ValueError: The pickle names anything but arrays, is cut short, or lacks an entry or holds
            one of another shape. Rows without a valid camera may hold anything.
    """
    with path.open('rb') as file:
        content = restricted_load(file, path)
    if not isinstance(content, Mapping):
        raise ValueError(f'got a {type(content).__name__}, expected a dict of the sequence')
    content = {str(key): entry for key, entry in content.items()}
    cameras = as_array(value(content, 'cam_poses')).astype(np.float64)
    if cameras.ndim != 3 or cameras.shape[1:] != (4, 4):
        raise ValueError(f'cam_poses: got shape {cameras.shape}, expected (N, 4, 4)')
    intrinsics = numbers(content, 'cam_intrinsics', (3, 3))
    people = range(len(value(content, 'poses')))
    return PW3DSequence(
        name=path.stem,
        actors=tuple(_actor(content, i, len(cameras)) for i in people),
        world_to_camera=cameras,
        focal_px=intrinsics[[0, 1], [0, 1]],
        princpt_px=intrinsics[:2, 2],
    )


def _actor(content: Mapping[str, Any], index: int, number: int) -> Actor:
    joints = (number, len(SMPL_24), 3)
    detections = np.zeros((number, 3, len(DETECTED)))
    if 'poses2d' in content:
        detections = _of_actor(content, 'poses2d', index, detections.shape)
    valid = _of_actor(content, 'campose_valid', index, (number,))
    betas = np.ravel(as_array(_entry(content, 'betas', index)))[:10]  # of 10 or 300
    return Actor(
        gender=gender_of(_entry(content, 'genders', index)),
        betas=as_numbers(betas, 'betas', (10,)),
        poses=_of_actor(content, 'poses', index, joints),
        transl_m=_of_actor(content, 'trans', index, (number, 3)),
        joints_m=_of_actor(content, 'jointPositions', index, joints),
        detections=detections,
        camera_valid=valid > 0,
    )


def _entry(content: Mapping[str, Any], key: str, index: int) -> Any:
    entries = value(content, key)
    if not hasattr(entries, '__len__') or len(entries) <= index:
        raise ValueError(f'{key}: got no entry of person {index}, expected one for each person')
    return entries[index]


def _of_actor(
    content: Mapping[str, Any], key: str, index: int, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Rows of one person, not looked at yet."""
    array = as_array(_entry(content, key, index)).astype(np.float64)
    if array.shape[:1] != shape[:1] or array.size != np.prod(shape):
        raise ValueError(
            f'{key}: got shape {array.shape} of person {index}, expected {shape}: one row for '
            'each of cam_poses'
        )
    return array.reshape(shape)


def picture_size_px(folder: Path, frames: Sequence[int]) -> tuple[int, int]:
    """Width and height of a sequence's pictures, from the first one that is there.

    Raises:
        ValueError: None is there, or it is no picture.
    """
    for frame in frames:
        path = folder / f'image_{frame:05d}.jpg'
        if path.is_file():
            try:
                with Image.open(path) as image:
                    lies = image.getexif().get(_ORIENTATION, 1) >= 5
                    return image.size[::-1] if lies else image.size
            except OSError as error:
                raise ValueError(f'{path} cannot be decoded ({error})') from error
    raise ValueError(f'{folder}: got no pictures, expected image_%05d.jpg of {len(frames)} frames')


class ParsedImage(NamedTuple):
    """One picture of the parsed files."""

    path: str  # below imageFiles
    sequence: str
    frame: int
    size_px: tuple[int, int]
    camera: WorldCamera  # the world being its own frame


def read_parsed_images(path: Path, builder: RecordBuilder) -> dict[int, ParsedImage]:
    """The pictures of ``3DPW_{split}.json`` by id."""
    images = {}
    for entry in stream_items(path, 'images.item', builder.progress):
        with builder.entry(path, f'images, id {label(entry)}'):
            intrinsics, sequence = value(entry, 'cam_param'), text(entry, 'sequence')
            focal_px, princpt_px = (numbers(intrinsics, key, (2,)) for key in ('focal', 'princpt'))
            images[integer(entry, 'id')] = ParsedImage(
                path=f'{sequence}/{text(entry, "file_name")}',
                sequence=sequence,
                frame=integer(entry, 'frame_idx'),
                size_px=(integer(entry, 'width'), integer(entry, 'height')),
                camera=WorldCamera(np.eye(3), np.zeros(3), focal_px, princpt_px),
            )
    return images
