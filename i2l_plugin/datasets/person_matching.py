"""Which entry of a result file is which annotated person, and the boxes and depths that follow.

Persons are found by ``ann_id`` where the file has it, else by the overlap of boxes in the same
image: each person gets at most one entry and each entry goes to at most one person, best overlaps
first. A person without an entry is an error unless the caller asks for what is annotated.
Shape legend: N persons, M entries of the file, K pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mmengine.logging import MMLogger
from numpy.typing import NDArray

from i2l_plugin.geometry.crop import clip_box

from .person_results import PersonResults

GROWTH = 1.25  # of the boxes that RootNet saves
UNMATCHED = ('error', 'ground_truth')
_PLAUSIBLE_DEPTH_MM = (100.0, 100_000.0)  # a typical one; metres and mm are a factor 1000 apart


class Persons(NamedTuple):
    """Annotated persons to find in a file: sample_id (N,), image_id (N,), clipped box_px (N, 4)."""

    sample_id: NDArray[np.int64]
    image_id: NDArray[np.int64]
    box_px: NDArray[np.float32]


def match_persons(results: PersonResults, persons: Persons) -> NDArray[np.int64]:
    """Entry (N,) of each person, -1 where there is none.

    Raises:
        ValueError: The file names persons by ``ann_id`` twice, or in other images than annotated.
    """
    if results.ann_id is not None:
        return _match_by_id(results, persons)
    reference = grow_box(persons.box_px) if results.grown else persons.box_px.astype(np.float64)
    person, entry = _pairs_of_one_image(persons.image_id, results.image_id)
    overlap = box_iou(reference[person], results.box_px[entry])
    person, entry, overlap = (array[overlap > 0] for array in (person, entry, overlap))
    order = np.lexsort((entry, -results.score[entry], -overlap))  # best first
    return _take_best_first(person[order], entry[order], len(persons.sample_id))


def grow_box(box_px: NDArray) -> NDArray[np.float64]:
    """Boxes (..., 4) made square and grown about their centres as RootNet does; not clipped."""
    box = np.asarray(box_px, np.float64)
    center = (box[..., :2] + box[..., 2:]) / 2
    half = GROWTH / 2 * (box[..., 2:] - box[..., :2]).max(axis=-1, keepdims=True)
    return np.concatenate([center - half, center + half], axis=-1)


def shrink_box(box_px: NDArray, factor: float) -> NDArray[np.float64]:
    """Boxes (..., 4) that `GetBBoxCenterScale` with ``padding=factor`` grows to `box_px`."""
    box = np.asarray(box_px, np.float64)
    center, half = (box[..., :2] + box[..., 2:]) / 2, (box[..., 2:] - box[..., :2]) / (2 * factor)
    return np.concatenate([center - half, center + half], axis=-1)


def box_iou(one: NDArray, other: NDArray) -> NDArray[np.float64]:
    """Intersection over union of boxes pair by pair, (K, 4) and (K, 4) -> (K,); 0 without area."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    inside = (high - low).clip(min=0).prod(axis=1)
    areas = [(box[:, 2:] - box[:, :2]).clip(min=0).prod(axis=1) for box in (one, other)]
    union = areas[0] + areas[1] - inside
    return np.divide(inside, union, out=np.zeros_like(inside, dtype=np.float64), where=union > 0)


def matched_boxes(
    results: PersonResults, persons: Persons, image_size_px: NDArray, padding: float, unmatched: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes (N, 4) to hand to the pipeline, which grows them by `padding`, and their scores (N,).

    The third result (N,) says which are from the file; the others are annotated. Boxes as detected
    are clipped to the image, grown ones are not: they may reach beyond it.

    Raises:
        ValueError: As `match_persons`; a person has no entry and `unmatched` is ``'error'``.
    """
    entry = match_persons(results, persons)
    found = _check_found(entry >= 0, persons, results.path, 'box', unmatched)
    box_px, score = np.array(persons.box_px, np.float32), np.ones(len(entry), np.float32)
    chosen = results.box_px[entry[found]]
    score[found] = results.score[entry[found]]
    if results.grown:
        box_px[found] = shrink_box(chosen, padding)
    else:
        box_px[found] = clip_box(chosen, image_size_px[found])
    return box_px, score, found


def matched_depths_mm(
    results: PersonResults, persons: Persons, annotated_mm: NDArray, unit_mm: float, unmatched: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Root depths (N,) in mm, and which (N,) are from the file; the others are annotated.

    Args:
        results: From RootNet.
        persons: The persons.
        annotated_mm: (N,), for persons without an entry.
        unit_mm: Unit of the file.
        unmatched: ``'error'`` or ``'ground_truth'``.

    Raises:
        ValueError: As `match_persons`; the file holds no depths, or in another unit; a person has
            no entry and `unmatched` is ``'error'``.
    """
    if results.root_depth is None:
        raise ValueError(
            f"{results.path}: got a detector's results, expected RootNet's list of {{image_id, "
            'bbox, root_cam}; a detector knows no depth: use it as bbox_file'
        )
    entry = match_persons(results, persons)
    found = _check_found(entry >= 0, persons, results.path, 'root depth', unmatched)
    depth_mm = np.array(annotated_mm, np.float32)
    depth_mm[found] = results.root_depth[entry[found]] * unit_mm
    low, high = _PLAUSIBLE_DEPTH_MM
    if found.any() and not low <= np.median(depth_mm[found]) <= high:
        unit = 'mm' if unit_mm == 1 else f'units of {unit_mm:g} mm'
        raise ValueError(
            f'{results.path}: got a median root depth of {np.median(depth_mm[found]):g} mm, read '
            f'in {unit} as RootNet writes it for this data set; expected {low:g} to {high:g} mm: '
            'give the file of this data set'
        )
    return depth_mm, found


def _match_by_id(results: PersonResults, persons: Persons) -> NDArray[np.int64]:
    ids, first, count = np.unique(results.ann_id, return_index=True, return_counts=True)
    if (count > 1).any():
        raise ValueError(
            f'{results.path}: got ann_id {ids[count > 1][:5].tolist()} more than once, expected '
            'each person once'
        )
    place = np.searchsorted(ids, persons.sample_id).clip(max=len(ids) - 1)
    entry = np.where(ids[place] == persons.sample_id, first[place], -1)
    known = np.flatnonzero(entry >= 0)
    elsewhere = results.image_id[entry[known]] != persons.image_id[known]
    if elsewhere.any():
        wrong = persons.sample_id[known[elsewhere]][:5].tolist()
        raise ValueError(
            f'{results.path}: ann_id {wrong} have another image_id than the annotation; expected '
            'the numbers that the data set was converted with'
        )
    return entry


def _pairs_of_one_image(
    person_image: NDArray, entry_image: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs (person, entry) of the same image, (K,) each."""
    order = np.argsort(entry_image, kind='stable')
    start = np.searchsorted(entry_image, person_image, side='left', sorter=order)
    count = np.searchsorted(entry_image, person_image, side='right', sorter=order) - start
    person = np.repeat(np.arange(len(person_image)), count)
    within = np.arange(len(person)) - np.repeat(np.cumsum(count) - count, count)
    return person, order[np.repeat(start, count) + within]


def _take_best_first(person: NDArray, entry: NDArray, num_persons: int) -> NDArray[np.int64]:
    """Entry of each person from pairs (K,), best first; a pair that is taken excludes others."""
    taken = np.full(num_persons, -1)
    while len(person):  # a pair that is the first of its person and of its entry is certain
        index = np.arange(len(person))
        first_of = [np.full(array.max() + 1, len(index)) for array in (person, entry)]
        for first, array in zip(first_of, (person, entry), strict=True):
            np.minimum.at(first, array, index)
        certain = (first_of[0][person] == index) & (first_of[1][entry] == index)
        taken[person[certain]] = entry[certain]
        left = (taken[person] < 0) & ~np.isin(entry, entry[certain])
        person, entry = person[left], entry[left]
    return taken


def _check_found(
    found: NDArray[np.bool_], persons: Persons, path: str, what: str, unmatched: str
) -> NDArray[np.bool_]:
    """`found`; an error or a warning where it is not everyone."""
    if unmatched not in UNMATCHED:
        raise ValueError(f'unmatched: got {unmatched!r}, expected one of {UNMATCHED}')
    if not found.all():
        message = (
            f'{path}: got no {what} for {int((~found).sum())} of {len(found)} persons, sample_id '
            f'{persons.sample_id[~found][:5].tolist()} in image_id '
            f'{persons.image_id[~found][:5].tolist()}'
        )
        if unmatched == 'error':
            raise ValueError(
                f'{message}; expected one for each: check that the file is of this data set and '
                "complete, or take the annotated ones by unmatched='ground_truth'"
            )
        MMLogger.get_current_instance().warning(f'{message}: the annotated {what} is used')
    return found
