"""Files in which a detector or RootNet says where people are, other than the annotation.

RootNet (Moon et al., ICCV 2019) writes a list of ``{image_id, bbox, root_cam}``, with ``ann_id``
on 3DPW: its boxes are already grown to the network's aspect and by 1.25, ``root_cam`` is the root
joint in camera space. Detectors write MSCOCO's result format: a list of ``{image_id, category_id,
bbox, score}`` with boxes as detected. Boxes of both are x, y, width, height in px.
Shape legend: M entries of a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOTNET_KEYS = ('image_id', 'bbox', 'root_cam')
DETECTION_KEYS = ('image_id', 'category_id', 'bbox', 'score')
PERSON_CATEGORY = 1  # a person in MSCOCO, the hand in this plugin's FreiHAND files
_FORMATS = (
    f"expected RootNet's list of {{{', '.join(ROOTNET_KEYS)}}} or a detector's of "
    f'{{{", ".join(DETECTION_KEYS)}}}'
)


@dataclass(frozen=True)
class PersonResults:
    """The entries of a file.

    Attributes:
        path: The file.
        grown: Whether the boxes are grown already (RootNet) and must not be grown again.
        image_id: (M,).
        ann_id: (M,), the annotated person that an entry is of; None if the file does not say.
        box_px: (M, 4), x1 y1 x2 y2.
        score: (M,), of the detection; 1 for RootNet.
        root_depth: (M,), z of root_cam > 0 in the unit of the file; None for detections.
    """

    path: str
    grown: bool
    image_id: NDArray[np.int64]
    ann_id: NDArray[np.int64] | None
    box_px: NDArray[np.float64]
    score: NDArray[np.float64]
    root_depth: NDArray[np.float64] | None

    @property
    def source(self) -> str:
        """Who wrote the file, for logs and results."""
        return 'RootNet' if self.grown else 'detector'


def read_person_results(path: str | os.PathLike) -> PersonResults:
    """Read and check a file of either kind.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is neither, is cut short, or has an entry that lacks a key or holds
            something else than finite numbers, a box without area, or a root behind the camera.
    """
    path = os.fspath(path)
    entries = _read_list(path)
    rootnet = 'root_cam' in entries[0]
    keys = ROOTNET_KEYS if rootnet else DETECTION_KEYS
    for i, entry in enumerate(entries):
        missing = [key for key in keys if not isinstance(entry, Mapping) or key not in entry]
        if missing:
            raise ValueError(f'{path}: entry {i} has no {missing}; {_FORMATS}')
    box = _numbers(path, entries, 'bbox', (4,))
    box_px = np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)
    image_id = _integers(path, entries, 'image_id')
    if not rootnet:
        score = _numbers(path, entries, 'score', ())
        return _of_people(path, entries, image_id, box_px, score)
    _refuse(path, (box[:, 2:] <= 0).any(axis=1), 'a bbox without area', 'width and height > 0')
    root_cam = _numbers(path, entries, 'root_cam', (3,))
    _refuse(path, root_cam[:, 2] <= 0, 'a root_cam behind the camera', 'z > 0')
    has_ann_id = 'ann_id' in entries[0]
    return PersonResults(
        path=path,
        grown=True,
        image_id=image_id,
        ann_id=_integers(path, entries, 'ann_id') if has_ann_id else None,
        box_px=box_px,
        score=np.ones(len(entries)),
        root_depth=root_cam[:, 2],
    )


def _read_list(path: str) -> list[Any]:
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{path}: no such file; {_FORMATS}: check bbox_file and root_depth_file'
        )
    try:
        with open(path, encoding='utf-8') as file:
            entries = json.load(file)
    except ValueError as error:  # of JSON and of UTF-8
        raise ValueError(f'{path}: not a complete JSON file ({error}); {_FORMATS}') from error
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], Mapping):
        kind = 'an empty list' if entries == [] else f'a {type(entries).__name__}'
        raise ValueError(f'{path}: got {kind}; {_FORMATS}')
    return entries


def _of_people(
    path: str,
    entries: Sequence[Mapping[str, Any]],
    image_id: NDArray,
    box_px: NDArray,
    score: NDArray,
) -> PersonResults:
    """Detections of the person category."""
    category = _integers(path, entries, 'category_id')
    keep = category == PERSON_CATEGORY
    if not keep.any():
        raise ValueError(
            f'{path}: got category_id {np.unique(category).tolist()[:10]}, expected '
            f'{PERSON_CATEGORY} (person, or hand) among them; write the detections with that number'
        )
    return PersonResults(path, False, image_id[keep], None, box_px[keep], score[keep], None)


def _integers(path: str, entries: Sequence[Mapping[str, Any]], key: str) -> NDArray[np.int64]:
    """(M,) from whole numbers; identifiers that are text or fractions match nothing."""
    values = [entry.get(key) for entry in entries]
    wrong = np.array([type(value) is not int for value in values])
    _refuse(path, wrong, f'{key} that is no whole number', 'the numbers of the annotation')
    return np.array(values, np.int64)


def _numbers(
    path: str, entries: Sequence[Mapping[str, Any]], key: str, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """(M, *shape) of finite numbers."""
    array = np.full((len(entries), *shape), np.nan)
    for i, entry in enumerate(entries):
        try:
            value = np.asarray(entry[key], np.float64)
        except (TypeError, ValueError):
            continue
        if value.shape == shape:
            array[i] = value
    wrong = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    size = f'{shape[0]} finite numbers' if shape else 'a finite number'
    _refuse(path, wrong, f'a {key} that is not {size}', size)
    return array


def _refuse(path: str, wrong: NDArray[np.bool_], got: str, expected: str) -> None:
    if wrong.any():
        first = np.flatnonzero(wrong)[:5].tolist()
        raise ValueError(
            f'{path}: got {got} in {int(wrong.sum())} of {len(wrong)} entries, first {first}; '
            f'expected {expected}'
        )
