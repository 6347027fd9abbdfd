"""The files of SURREAL: clips (mp4) with their ``_info.mat``, lists of clips, and single frames.

``cmu/{train,val,test}/run{0,1,2}/<sequence>/<sequence>_c%04d{.mp4,_info.mat}``, 240 x 320 px. By
the data set's readme an info file holds, for T frames (mostly 100), ``pose`` (72, T), ``shape``
(10, T), ``joints2D`` (2, 24, T) px, ``joints3D`` (3, 24, T) m, ``gender`` (T, 1; 0 female, 1 male),
``zrot`` (T, 1) rad and ``camLoc`` (3, 1) m; a clip of one frame has lost its last axis.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from converter_core.entries import as_numbers
from converter_core.summary import Tally
from numpy.typing import NDArray
from scipy.io import loadmat

from i2l_plugin.files import write_atomically

SIZE_PX = (320, 240)
_INFO = '_info.mat'
_CLIP = re.compile(r'run\d+/[^/\s]+/[^/\s]+?_c\d+(?=\.mp4|_info\.mat|\s|$)')
_VARIABLES = ('pose', 'shape', 'joints2D', 'joints3D', 'gender', 'zrot', 'camLoc')
_JPEG_QUALITY = 95  # the clips are H.264 at crf 23: what they lost is more


@dataclass(frozen=True)
class Clip:
    """One rendered clip."""

    folder: Path  # cmu/train, cmu/val or cmu/test
    name: str  # run0/01_01/01_01_c0001

    @property
    def info(self) -> Path:
        """File of the annotation."""
        return self.folder / f'{self.name}{_INFO}'

    @property
    def video(self) -> Path:
        """File of the pictures."""
        return self.folder / f'{self.name}.mp4'

    def image_name(self, frame: int, extension: str) -> str:
        """Path of an extracted frame below the folder of images."""
        return f'{self.folder.name}/{self.name}_f{frame:04d}.{extension}'


@dataclass(frozen=True, eq=False)
class ClipInfo:
    """What is known of T frames, in SURREAL's own conventions."""

    pose: NDArray[np.float64]  # (T, 24, 3) rad
    betas: NDArray[np.float64]  # (T, 10)
    joints_px: NDArray[np.float64]  # (T, 24, 2), rounded
    joints_m: NDArray[np.float64]  # (T, 24, 3), world
    gender: tuple[str, ...]  # (T,) 'm' or 'f'
    zrot: NDArray[np.float64]  # (T,) rad
    camera_m: NDArray[np.float64]  # (3,) location in the world

    def __len__(self) -> int:
        return len(self.pose)


def find_clips(folder: Path) -> list[Clip]:
    """All clips of a folder that have an info file, sorted by name."""
    found = []
    for run in sorted(path for path in folder.glob('run*') if path.is_dir()):
        for sequence in sorted(path for path in run.iterdir() if path.is_dir()):
            names = sorted(name for name in os.listdir(sequence) if name.endswith(_INFO))
            stem = f'{run.name}/{sequence.name}'
            found += [Clip(folder, f'{stem}/{name.removesuffix(_INFO)}') for name in names]
    return found


def listed_clips(path: Path, folder: Path) -> list[Clip]:
    """The clips that a text file names, one a line, sorted.

    A line may hold more, e.g. an address: what counts is ``run0/01_01/01_01_c0001``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A line names no clip, or none does.
    """
    if not path.is_file():
        raise FileNotFoundError(f'--clips {path}: no such file; expected a list of clips')
    names = set()
    for number, line in enumerate(path.read_text(encoding='utf-8', errors='replace').splitlines()):
        match = _CLIP.search(line)
        if match:
            names.add(match.group())
        elif line.strip():
            raise ValueError(
                f'--clips {path}: line {number + 1} names no clip: {line[:80]!r}; expected '
                'run0/01_01/01_01_c0001.mp4 in it'
            )
    if not names:
        raise ValueError(f'--clips {path}: got an empty list, expected one clip a line')
    return [Clip(folder, name) for name in sorted(names)]


def require_clips(clips: Sequence[Clip]) -> None:
    """FileNotFoundError that counts and names files of clips that are not there."""
    missing = Tally()
    for clip in clips:
        for path in (clip.info, clip.video):
            if not path.is_file():
                missing.add(str(path))
    if missing.count:
        raise FileNotFoundError(
            f'{clips[0].folder}: {missing.count} files of {len(clips)} clips are missing, '
            f'download them:{missing.named("  ")}'
        )


def read_info(path: Path) -> ClipInfo:
    """One info file.

    Raises:
        ValueError: It is cut short, or lacks a variable or holds one of another shape.
    """
    try:
        content = loadmat(path, variable_names=_VARIABLES)
    except Exception as error:  # zlib's, struct's and scipy's own
        raise ValueError(
            f'it cannot be read as a MATLAB 5 file ({type(error).__name__}: '
            f'{" ".join(str(error).split())[:100]})'
        ) from error
    pose = _variable(content, 'pose', (72,))
    number = pose.shape[-1]
    gender = _variable(content, 'gender', (), number)
    if not np.isin(gender, (0, 1)).all():
        raise ValueError(f'gender: got {np.unique(gender)}, expected 0 (female) and 1 (male)')
    return ClipInfo(
        pose=pose.T.reshape(number, 24, 3),
        betas=_variable(content, 'shape', (10,), number).T,
        joints_px=_variable(content, 'joints2D', (2, 24), number).transpose(2, 1, 0),
        joints_m=_variable(content, 'joints3D', (3, 24), number).transpose(2, 1, 0),
        gender=tuple('m' if one else 'f' for one in gender),
        zrot=_variable(content, 'zrot', (), number),
        camera_m=as_numbers(content.get('camLoc'), 'camLoc', (3,)),
    )


def _variable(
    content: Mapping[str, Any], name: str, shape: tuple[int, ...], number: int | None = None
) -> NDArray[np.float64]:
    """(*shape, T); one value counts for all T frames, and axes of length 1 may be missing."""
    if name not in content:
        raise ValueError(f'it has no {name!r}, only {sorted(content)[:20]}')
    array = np.asarray(content[name], np.float64)
    if not array.size or shape not in (array.shape[: len(shape)], np.squeeze(array).shape):
        raise ValueError(f'{name}: got shape {array.shape}, expected {(*shape, number or "T")}')
    array = array.reshape(*shape, -1)
    if number is not None and array.shape[-1] == 1:
        array = np.repeat(array, number, axis=-1)
    if number not in (None, array.shape[-1]):
        raise ValueError(f'{name}: got {array.shape[-1]} frames, expected the {number} of pose')
    return array


def extract_frames(video: Path, targets: Mapping[int, Path]) -> None:
    """Write frames of a clip as pictures, MIRRORED; those that are there already stay.

    The clip is decoded from its start, since seeking is not exact. A picture is whole or not there.

    Args:
        video: The mp4.
        targets: Picture file (.jpg of quality 95, or .png without further loss) by frame number.

    Raises:
        ValueError: The clip cannot be decoded that far, or has another size; names the file.
    """
    targets = {frame: path for frame, path in targets.items() if not path.is_file()}
    if not targets:
        return
    capture = cv2.VideoCapture(str(video))
    try:
        for frame in range(max(targets) + 1):
            if not capture.grab():
                raise ValueError(
                    f'{video.name} ends or breaks before frame {frame}, expected at least '
                    f'{max(targets) + 1} frames; download it again'
                )
            if frame in targets:
                decoded, picture = capture.retrieve()
                if not decoded or picture.shape[1::-1] != SIZE_PX:
                    got = f'{picture.shape[1]} x {picture.shape[0]} px' if decoded else 'nothing'
                    raise ValueError(f'{video.name}: frame {frame}: got {got}, expected 320 x 240')
                _save(targets[frame], picture[:, ::-1])
    finally:
        capture.release()


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == '.jpg' else []
    _, encoded = cv2.imencode(path.suffix, picture, options)
    write_atomically(path, encoded.tobytes())
