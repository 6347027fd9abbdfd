"""What a user asks to be read, as a list of pictures, arrays, videos and cameras, nothing opened.

The host's inferencers take a path, a folder, an array, a list or ``webcam:ID``; globs are added.
Everything that can be wrong before a file is opened is said here, before the first picture is read.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jp2', '.ppm', '.pgm')
VIDEO_SUFFIXES = ('.mp4', '.mov', '.m4v', '.avi', '.mkv', '.webm', '.mpg', '.mpeg', '.wmv', '.3gp')

Kind: TypeAlias = Literal['image', 'array', 'video', 'webcam']
Inputs: TypeAlias = (
    str
    | os.PathLike[str]
    | NDArray[np.uint8]
    | Sequence[str | os.PathLike[str] | NDArray[np.uint8]]
)

_FRAME_NAME = re.compile(r'(.+)_\d{6,}')


@dataclass(frozen=True, eq=False)
class Input:
    """One picture, array, video or camera.

    Attributes:
        kind: Which of them.
        name: Unique stem for its output files.
        path: File of a picture or a video, else None.
        images: Of an array, (H, W, 3) or (N, H, W, 3) uint8 BGR.
        camera_id: Of a camera.
    """

    kind: Kind
    name: str
    path: str | None = None
    images: NDArray[np.uint8] | None = None
    camera_id: int = 0

    @property
    def is_numbered(self) -> bool:
        """Whether it may have many frames, each with a number in its name."""
        return self.kind in ('video', 'webcam') or (
            self.images is not None and self.images.ndim == 4
        )


def find_inputs(inputs: Inputs) -> list[Input]:
    """What there is to read.

    Args:
        inputs: Path of an image or a video, a folder (its images, sorted naturally, not those of
            its subfolders), a glob (``**`` for any depth), ``webcam`` or ``webcam:ID``, an array
            (H, W, 3) or (N, H, W, 3) uint8 BGR, or a list of any of these. A path that exists is
            never taken for a glob or a camera.

    Returns:
        At least one input, with unique names.

    Raises:
        FileNotFoundError: A path that does not exist, or a glob that matches nothing.
        OSError: A folder or a path that may not be read.
        ValueError: A URL, an extension or a type that is not supported, a folder without images,
            an array of another type or shape, or an empty list.
    """
    found = list(_find(inputs))
    if not found:
        raise ValueError('inputs: an empty list; give at least one image, video or folder')
    names = _Names()
    return [names.unique(item) for item in found]


def frame_name(name: str, frame_id: int) -> str:
    """Unique stem of one frame of a sequence."""
    return f'{name}_{frame_id:06d}'


def _find(inputs: Inputs) -> Iterator[Input]:
    if isinstance(inputs, np.ndarray):
        yield _array(inputs)
    elif isinstance(inputs, (str, os.PathLike)):
        yield from _text(os.fspath(inputs))
    elif isinstance(inputs, (list, tuple)):
        for item in inputs:
            yield from _find(item)
    else:
        raise ValueError(
            f'inputs: got {type(inputs).__name__}, expected a path, a folder, a glob, webcam:ID, '
            'a numpy array (H, W, 3) uint8 BGR, or a list of these'
        )


def _array(images: NDArray[np.uint8]) -> Input:
    usable = images.ndim in (3, 4) and images.shape[-1] == 3 and images.size > 0
    if not usable or images.dtype != np.uint8:
        raise ValueError(
            f'inputs: got an array of shape {images.shape} and type {images.dtype}, expected '
            '(H, W, 3) or (N, H, W, 3) of type uint8, BGR, not empty; '
            'cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) makes a grey picture one'
        )
    return Input('array', 'array', images=images)


def _text(text: str) -> Iterator[Input]:
    mode = _mode(text)
    if mode is not None:
        if stat.S_ISDIR(mode):
            yield from _folder(text)
        else:
            yield _file(text)
    elif '://' in text:
        raise ValueError(
            f'inputs: {text} is a URL, and nothing is downloaded; save it and give its path'
        )
    elif text.lower().split(':')[0] == 'webcam':
        yield _webcam(text)
    elif glob.has_magic(text):
        yield from _glob(text)
    else:
        raise FileNotFoundError(f'inputs: {text!r} does not exist; check the path')


def _mode(path: str) -> int | None:
    """Type of what is there; None if there is nothing."""
    try:
        return os.stat(path).st_mode
    except PermissionError as error:
        raise PermissionError(f'inputs: {path!r} may not be read: {error.strerror}') from error
    except (OSError, ValueError):  # ValueError: characters that no path may have
        return None


def _folder(folder: str) -> Iterator[Input]:
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.is_dir()]
    except OSError as error:
        raise OSError(f'inputs: cannot list the folder {folder!r}: {error.strerror}') from error
    images = [name for name in names if _suffix(name) in IMAGE_SUFFIXES and name[0] != '.']
    if not images:
        content = f'{len(names)} files but no image' if names else 'no files'
        raise ValueError(
            f'inputs: the folder {folder!r} has {content} ({" ".join(IMAGE_SUFFIXES)}); videos and '
            "the images of subfolders are read by a glob, e.g. 'folder/*.mp4' or 'folder/**/*.jpg'"
        )
    for name in sorted(images, key=natural_key):
        yield _file(os.path.join(folder, name))


def _glob(pattern: str) -> Iterator[Input]:
    paths = [path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path)]
    readable = [path for path in paths if _suffix(path) in IMAGE_SUFFIXES + VIDEO_SUFFIXES]
    if not paths:
        raise FileNotFoundError(f'inputs: no path and no file that matches: {pattern!r}')
    if not readable:
        raise ValueError(
            f'inputs: {pattern!r} matches {len(paths)} files but no image '
            f'({" ".join(IMAGE_SUFFIXES)}) or video ({" ".join(VIDEO_SUFFIXES)})'
        )
    for path in sorted(readable, key=natural_key):
        yield _file(path)


def _file(path: str) -> Input:
    name = os.path.splitext(os.path.basename(path))[0]
    suffix = _suffix(path)
    if suffix in IMAGE_SUFFIXES:
        return Input('image', name, path)
    if suffix in VIDEO_SUFFIXES:
        return Input('video', name, path)
    raise ValueError(
        f'inputs: {path!r} has the extension {suffix!r}, expected an image '
        f'({" ".join(IMAGE_SUFFIXES)}) or a video ({" ".join(VIDEO_SUFFIXES)})'
    )


def _webcam(text: str) -> Input:
    match = re.fullmatch(r'webcam(?::([0-9]+))?', text.lower())
    if not match:
        raise ValueError(f"inputs: got {text!r}, expected 'webcam' or 'webcam:ID', e.g. 'webcam:0'")
    return Input('webcam', 'webcam', camera_id=int(match[1] or 0))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def natural_key(path: str) -> tuple[list[str | int], str]:
    """Sorts 2 before 10, folder by folder, letters of either case together."""
    parts = re.split(r'([0-9]+)', path.casefold().replace(os.sep, '\0'))
    return [int(part) if part.isdigit() else part for part in parts], path


class _Names:
    """Gives every input a name that no other input, and no frame of another one, has.

    Letters of either case count as the same, as they do for some file systems.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._sequences: set[str] = set()
        self._like_frames: set[str] = set()  # X of pictures that are called X_000012
        self._count: Counter[str] = Counter()

    def unique(self, item: Input) -> Input:
        """The input, its name made unique by a number where it has to be."""
        stem, name = item.name, item.name
        while not self._is_free(name.casefold(), item.is_numbered):
            self._count[stem] += 1
            name = f'{stem}_{self._count[stem] + 1}'
        key = name.casefold()
        self._taken.add(key)
        if item.is_numbered:
            self._sequences.add(key)
        elif match := _FRAME_NAME.fullmatch(key):
            self._like_frames.add(match[1])
        return Input(item.kind, name, item.path, item.images, item.camera_id)

    def _is_free(self, key: str, is_numbered: bool) -> bool:
        if key in self._taken:
            return False
        if is_numbered:
            return key not in self._like_frames
        match = _FRAME_NAME.fullmatch(key)
        return not (match and match[1] in self._sequences)
