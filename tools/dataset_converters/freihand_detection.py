"""Hands of a record as COCO JSON, to train detectors from: boxes and masks of the fitted meshes.

The silhouette is drawn 4 times finer than the image. Coordinates are the project's: the centre of
the first pixel is (0, 0). Shape legend: V vertices, F faces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
from converter_core.progress import Progress
from freihand_fits import HandPoser
from numpy.typing import NDArray

from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.person_results import PERSON_CATEGORY
from i2l_plugin.files import replacing

CATEGORY = {'id': PERSON_CATEGORY, 'name': 'hand', 'supercategory': 'person'}
_FINER = 4
_MIN_AREA_PX2 = 1.0  # of one polygon: smaller pieces are left out
_AT_ONCE = 64  # hands posed together


def silhouette(
    points_px: NDArray, faces: NDArray, size_px: tuple[int, int]
) -> tuple[list[list[float]], float]:
    """Outline of a projected mesh within the image, and its area.

    Args:
        points_px: (V, 2).
        faces: (F, 3).
        size_px: Width and height of the image.

    Returns:
        Polygons, each x1 y1 x2 y2 ... in px, and the area in px^2; none and 0 outside the image.
    """
    width, height = size_px
    mask = np.zeros((_FINER * (height - 1) + 1, _FINER * (width - 1) + 1), np.uint8)
    corners = np.rint(_FINER * points_px[faces]).astype(np.int32)  # (F, 3, 2)
    for triangle in corners:  # one by one: where triangles of one call overlap, holes stay
        cv2.fillConvexPoly(mask, triangle, 1)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygons, area = [], 0.0
    for outline in outlines:
        polygon = cv2.approxPolyDP(outline, 1.0, closed=True)[:, 0]
        area_px2 = cv2.contourArea(polygon) / _FINER**2
        if area_px2 >= _MIN_AREA_PX2:
            polygons.append((polygon / _FINER).ravel().tolist())
            area += area_px2
    return polygons, area


def write_detection_json(
    record: AnnotationRecord, poser: HandPoser, out: Path, progress: Progress
) -> str:
    """Write the hands with a fit and the images of a record; return a line that counts them.

    Args:
        record: With the column ``id_hand``: rows of the same number show the same hand.
        poser: The model of the fits.
        out: File that appears when it is complete.
        progress: Makes the bar.
    """
    num_hands = 0
    with replacing(out) as temporary, temporary.open('w', encoding='utf-8') as file:
        file.write('{"annotations": [')
        for row, shape in _silhouettes(record, poser, progress):
            annotation = {
                'id': num_hands + 1,  # COCO's own evaluation takes annotation 0 for none
                'image_id': int(record['image_id'][row]),
                'category_id': CATEGORY['id'],
                'iscrowd': 0,
                **shape,
            }
            _append(file, annotation, num_hands)
            num_hands += 1
        file.write('],\n"images": [')
        first = np.unique(record['image_id'], return_index=True)[1]
        for i, row in enumerate(first):
            width, height = record['image_size_px'][row].tolist()
            image = {
                'id': int(record['image_id'][row]),
                'file_name': record['image_path'][row].decode(),
                'width': width,
                'height': height,
            }
            _append(file, image, i)
        file.write(f'],\n"categories": {json.dumps([CATEGORY])}}}\n')
    return f'{out}: {num_hands} hands in {len(first)} images, {len(record) - num_hands} not in view'


def _append(file: TextIO, item: dict[str, Any], i: int) -> None:
    file.write((',\n' if i else '\n') + json.dumps(item))


def _silhouettes(
    record: AnnotationRecord, poser: HandPoser, progress: Progress
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with box, area and polygons of their hand; each hand is drawn once."""
    fitted = np.flatnonzero(record['fit_valid'])
    by_hand = fitted[np.argsort(record['id_hand'][fitted], kind='stable')]
    _, first = np.unique(record['id_hand'][by_hand], return_index=True)
    groups = np.split(by_hand, first[1:])
    with progress.bar(len(groups), 'silhouettes', unit=' hands') as bar:
        for start in range(0, len(groups), _AT_ONCE):
            some = groups[start : start + _AT_ONCE]
            rows = [group[0] for group in some]
            parts = (record[name][rows] for name in ('pose', 'betas', 'transl_m'))
            vertices_mm, _ = poser.pose_mm(*parts)
            for group, vertices in zip(some, vertices_mm, strict=True):
                shape = _shape(record, group[0], vertices, poser.model.faces.numpy())
                if shape is not None:
                    yield from ((int(row), shape) for row in group)
            bar.update(len(some))


def _shape(
    record: AnnotationRecord, row: int, vertices_mm: NDArray, faces: NDArray
) -> dict[str, Any] | None:
    """Box, area and polygons, within the image; None if nothing is in view."""
    points_px = vertices_mm[:, :2] / vertices_mm[:, 2:] * record['focal_px'][row]
    points_px += record['princpt_px'][row]
    width, height = record['image_size_px'][row].tolist()
    polygons, area = silhouette(points_px, faces, (width, height))
    if not polygons:
        return None
    low = points_px.min(axis=0).clip(0, [width - 1, height - 1])
    high = points_px.max(axis=0).clip(0, [width - 1, height - 1])
    box = np.concatenate([low, high - low]).round(3)
    return {'bbox': box.tolist(), 'area': area, 'segmentation': polygons}
