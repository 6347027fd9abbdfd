"""Writing the data set: in parallel, in an order-free way, and again after being killed.

A sample depends on (seed, split, index) alone, so any number of processes gives the same bytes.
Samples are made in blocks; a block is done when its annotation file exists in ``.blocks/``, and
that file holds the CRC-32 of each picture, so a restart checks finished pictures by reading them
and makes only what is missing or damaged. Files appear by renaming a complete temporary file.
"""

from __future__ import annotations

import io
import json
import os
import signal
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from tqdm import tqdm

from i2l_plugin.body_models import BODY_29, HAND_21, build_body_model
from i2l_plugin.datasets import AnnotationRecord

from .coco_boxes import coco_boxes
from .sample import Subject, build_subject, draw_sample, model_kind
from .scene import draw_scene

BLOCK_SIZE = 16
TEMPORARY = '.unfinished-'
# Raise it when the same seed no longer gives the same bytes.
GENERATOR_VERSION = 1
_subject: Subject  # of a worker process, built once


@dataclass(frozen=True)
class Settings:
    """What decides the content of a sample; a folder holds samples of one of these only."""

    kind: str
    seed: int
    image_size: int | tuple[int, int]  # side px; width and height px of scenes
    generator_version: int = GENERATOR_VERSION
    body_model_crc: int = 0
    people: tuple[int, int] | None = None  # smallest and largest number of people in a scene


@dataclass(frozen=True)
class Block:
    """Consecutive samples of a split that are made together."""

    settings: Settings
    folder: Path
    split: str
    start: int
    stop: int

    @property
    def path(self) -> Path:
        """Annotation file of the block."""
        return self.folder / '.blocks' / self.split / f'{self.start:06d}.npz'


def generate(
    settings: Settings, folder: Path, counts: dict[str, int], workers: int
) -> dict[str, Path]:
    """Make, or complete, a data set.

    Args:
        settings: Content of the data set.
        folder: Made if missing; may hold an unfinished data set of the same settings.
        counts: Number of samples by split.
        workers: Number of processes.

    Returns:
        The annotation record's path by split; its boxes as COCO JSON are beside it.

    Raises:
        ValueError: The folder holds a data set of other settings.
    """
    claim(folder, settings)
    blocks = [
        Block(settings, folder, split, start, min(start + BLOCK_SIZE, count))
        for split, count in counts.items()
        for start in range(0, count, BLOCK_SIZE)
    ]
    for split in counts:
        for name in (f'images/{split}', f'.blocks/{split}'):
            (folder / name).mkdir(parents=True, exist_ok=True)
    for leftover in folder.rglob(f'{TEMPORARY}*'):  # of a process that was killed
        leftover.unlink()
    total = sum(block.stop - block.start for block in blocks)
    with tqdm(total=total, unit='img', smoothing=0.05) as bar:
        for block, made in _run(blocks, settings.kind, workers):
            bar.update(block.stop - block.start)
            bar.set_postfix_str(f'{made} new' if made else 'kept', refresh=False)
    return {split: _merge(settings, folder, split, count) for split, count in counts.items()}


def claim(folder: Path, settings: Settings) -> None:
    """Write the settings into a new folder, or compare them with those of an old one."""
    path = folder / 'settings.json'
    # as a file would give it back; what a kind does not have is left out
    wanted = {name: value for name, value in asdict(settings).items() if value is not None}
    wanted = json.loads(json.dumps(wanted))
    if path.is_file():
        found = json.loads(path.read_text())
        if found != wanted:
            differences = ', '.join(
                f'{name} {found.get(name)!r} instead of {value!r}'
                for name, value in wanted.items()
                if found.get(name) != value
            )
            raise ValueError(
                f'{folder} holds a data set made with {differences}: choose another --out or '
                'remove that folder'
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f'{folder} is neither empty nor a data set of this tool: choose another')
    folder.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(wanted, indent=2).encode())


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or not there at all."""
    temporary = path.with_name(f'{TEMPORARY}{path.name}')
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _run(blocks: list[Block], kind: str, workers: int) -> Iterator[tuple[Block, int]]:
    """(block, number of samples made), in order."""
    if workers == 1:
        _start_process(kind)
        yield from map(_complete, blocks)
        return
    with ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(kind,)) as pool:
        try:
            yield from pool.map(_complete, blocks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _start_worker(kind: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process tells when to stop
    _start_process(kind)


def _start_process(kind: str) -> None:
    global _subject  # one model a process, not one a block
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _subject = build_subject(kind)


def _complete(block: Block) -> tuple[Block, int]:
    """Make what is missing of a block."""
    known = _read_block(block)
    known_crcs = known.pop('crc', np.zeros(0, np.int64))
    parts, crcs, made = [], [], 0
    for position, index in enumerate(range(block.start, block.stop)):
        picture = block.folder / f'images/{block.split}/{index:06d}.jpg'
        if position < len(known_crcs) and _crc(picture) == known_crcs[position]:
            mine = known['image_id'] == index
            parts.append({name: values[mine] for name, values in known.items()})
            crcs.append(known_crcs[position])
            continue
        rows, jpeg = _draw(block.settings, block.split, index)
        write_file(picture, jpeg)
        parts.append({name: np.stack([row[name] for row in rows]) for name in rows[0]})
        crcs.append(zlib.crc32(jpeg))
        made += 1
    if made:
        _write_block(block, parts, crcs)
    return block, made


def _draw(settings: Settings, split: str, index: int) -> tuple[list[dict[str, Any]], bytes]:
    """Annotations, one a person or hand, and JPEG of one picture."""
    source = (_subject, settings.seed, split, index, settings.image_size)
    if settings.kind == 'scenes':
        return draw_scene(*source, settings.people)
    row, jpeg = draw_sample(*source)
    return [row], jpeg


def _crc(path: Path) -> int:
    return zlib.crc32(path.read_bytes()) if path.is_file() else -1


def _read_block(block: Block) -> dict[str, np.ndarray]:
    """Columns of a finished block; nothing if there is none or it is damaged."""
    try:
        with np.load(block.path) as file:
            return dict(file)
    except (FileNotFoundError, zipfile.BadZipFile, ValueError, EOFError):
        return {}


def _write_block(block: Block, parts: list[dict[str, np.ndarray]], crcs: list[int]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, crc=np.array(crcs, np.int64), **_concatenate(parts))
    write_file(block.path, buffer.getvalue())


def _concatenate(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _merge(settings: Settings, folder: Path, split: str, count: int) -> Path:
    """The canonical record of a finished split, and its boxes."""
    blocks = [
        _read_block(Block(settings, folder, split, start, min(start + BLOCK_SIZE, count)))
        for start in range(0, count, BLOCK_SIZE)
    ]
    for block in blocks:
        del block['crc']
    columns = _concatenate(blocks)
    asked = columns['image_id'] < count
    columns = {name: values[asked] for name, values in columns.items()}
    kind = model_kind(settings.kind)
    names = {'body': BODY_29, 'hand': HAND_21}[kind].joint_names
    record = AnnotationRecord.create(kind, names, **columns)
    path = folder / f'{split}.npz'
    record.save(path)
    write_file(folder / f'{split}_coco.json', coco_boxes(record))
    return path


def model_crc(kind: str) -> int:
    """A number that changes with the arrays of a kind's body model."""
    crc = 0
    for name, buffer in sorted(build_body_model(model_kind(kind)).named_buffers()):
        crc = zlib.crc32(name.encode() + np.ascontiguousarray(buffer.numpy()).tobytes(), crc)
    return crc
