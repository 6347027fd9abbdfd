"""Whether the annotated images are there and, if asked, can be decoded and have the right size."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from .progress import SILENT, Progress

_ORIENTATION = 0x0112  # EXIF; from 5 on the picture lies on its side
_AT_ONCE = 256  # images handed to the threads at a time


def find_bad_images(
    root: Path,
    paths: Sequence[str],
    sizes_px: Sequence[tuple[int, int]],
    decode: bool = False,
    progress: Progress = SILENT,
) -> dict[str, str]:
    """What is wrong with each bad image, by its path.

    Args:
        root: Folder that the paths are relative to.
        paths: Each image once.
        sizes_px: Annotated width and height of each.
        decode: Decode every image; else only look whether the file is there (one listing a
            folder).
        progress: Makes the bar.
    """
    known: dict[str, set[str]] = {}
    bad, there = {}, []
    for path, size in zip(paths, sizes_px, strict=True):
        folder, name = os.path.split(path)
        if folder not in known:
            known[folder] = _names(root / folder)
        if name in known[folder]:
            there.append((path, size))
        else:
            bad[path] = 'missing'
    if decode:
        bad.update(_decode_all(root, there, progress))
    return bad


def _names(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()


def _decode_all(
    root: Path, images: Sequence[tuple[str, tuple[int, int]]], progress: Progress
) -> Iterator[tuple[str, str]]:
    """Path and problem of the images that do not decode to their size; decoding frees the GIL."""
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress.bar(len(images), 'images', unit=' images') as bar,
    ):
        for start in range(0, len(images), _AT_ONCE):
            some = images[start : start + _AT_ONCE]
            problems = pool.map(lambda image: _problem(root / image[0], image[1]), some)
            yield from ((image[0], p) for image, p in zip(some, problems, strict=True) if p)
            bar.update(len(some))


def _problem(path: Path, size_px: tuple[int, int]) -> str:
    """Empty if the image is whole and, turned as its EXIF says, has the annotated size."""
    try:
        with Image.open(path) as image:
            image.load()
            got = image.size
            if image.getexif().get(_ORIENTATION, 1) >= 5:
                got = got[::-1]
    except (OSError, ValueError, SyntaxError) as error:
        return f'cannot be decoded ({" ".join(str(error).split())[:100]})'
    if got != tuple(size_px):
        return f'is {got[0]} x {got[1]} px, annotated as {size_px[0]} x {size_px[1]}'
    return ''
