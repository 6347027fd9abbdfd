"""From pictures of several people to numbers: detector, RootNet and mesh network as one.

The same people are measured with true and with detected boxes, with true and with predicted
depths, so that it shows what each part costs. Shapes: N people, M detections of a picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from i2l_plugin.apis.inference.scene import ROOTNET
from i2l_plugin.body_models import BodyModel
from i2l_plugin.datasets import AnnotationRecord

from .people_matching import MIN_IOU, match_boxes
from .scene_errors import People, mean_errors, person_errors

TRUE_ALL = 'true boxes, true depth'
TRUE_FOUND = 'true boxes, true depth, people found'
DETECTED_TRUE = 'detected boxes, true depth'
DETECTED_ROOTNET = 'detected boxes, RootNet depth'
DETECTED_BOX_SIZE = 'detected boxes, box-size depth'
Inferencer = Callable[..., Iterator[Mapping[str, list]]]


class Picture(NamedTuple):
    """A picture and the truth about it."""

    path: str
    camera: dict[str, np.ndarray]
    boxes_px: np.ndarray  # (N, 4)
    root_depth_mm: np.ndarray  # (N,)
    people: People


def pictures_of(record: AnnotationRecord, folder: Path, model: BodyModel) -> Iterator[Picture]:
    """The pictures of a record with all their people.

    Args:
        record: Of scenes; all fits count.
        folder: That the image paths are relative to.
        model: Of the fits.
    """
    for image_id in np.unique(record['image_id']):
        rows = np.flatnonzero(record['image_id'] == image_id)
        pose, betas, transl_m = (
            torch.from_numpy(np.array(record[name][rows])) for name in ('pose', 'betas', 'transl_m')
        )
        with torch.no_grad():
            vertices, joints = model.pose_cam_mm(pose, betas, transl_m * 1000)
        yield Picture(
            str(folder / record['image_path'][rows[0]].decode()),
            {name: np.array(record[name][rows[0]]) for name in ('focal_px', 'princpt_px')},
            np.array(record['bbox_px'][rows]),
            np.array(record['root_depth_mm'][rows]),
            People(vertices.numpy(), joints.numpy()),
        )


def evaluate_scenes(
    pictures: Iterable[Picture],
    detecting: Inferencer,
    by_box_size: Inferencer,
    bbox_thr: float = 0.3,
) -> dict[str, Any]:
    """Recall and precision of the detector, and mean errors in mm of the people.

    Args:
        pictures: With the truth.
        detecting: A `MeshInferencer` with a detector, and with a RootNet if there is one.
        by_box_size: One with the same mesh network and no RootNet.
        bbox_thr: Detections with a lower score are dropped.

    Returns:
        ``pictures``, ``people``, ``detections``, ``found`` (people with a detection of their own
        whose box overlaps with theirs by `MIN_IOU` or more), ``recall``, ``precision``, and
        ``errors``: for each source of boxes and depths `mean_errors`. All but the first are of the
        people found.
    """
    errors: dict[str, list[dict[str, np.ndarray]]] = {}
    count = Counter(pictures=0, people=0, detections=0, found=0)
    for picture in pictures:
        detected = _run(detecting, picture, bbox_thr=bbox_thr)
        boxes_px = np.asarray(detected.pred_instances.bboxes)
        entry, person = match_boxes(boxes_px, picture.boxes_px)
        count.update(
            pictures=1, people=len(picture.boxes_px), detections=len(boxes_px), found=len(person)
        )
        for name, row in _errors(picture, detected, entry, person, by_box_size).items():
            errors.setdefault(name, []).append(row)
    return {
        'unit': 'mm',
        'min_iou': MIN_IOU,
        'bbox_thr': bbox_thr,
        **count,
        'recall': count['found'] / count['people'],
        'precision': count['found'] / count['detections'] if count['detections'] else None,
        'errors': {name: mean_errors(_joined(rows)) for name, rows in errors.items()},
    }


def _errors(
    picture: Picture, detected: Any, entry: np.ndarray, person: np.ndarray, by_box_size: Inferencer
) -> dict[str, dict[str, np.ndarray]]:
    """Errors of a picture's people, by source of boxes and depths.

    Args:
        picture: The picture.
        detected: Its scene sample.
        entry: Which detections (K,) are of
        person: which people (K,).
        by_box_size: As in `evaluate_scenes`.
    """
    depth_mm = picture.root_depth_mm
    sample = _run(by_box_size, picture, bboxes=[picture.boxes_px], root_depths=[depth_mm])
    with_truth = person_errors(_people(sample), picture.people)
    errors = {
        TRUE_ALL: with_truth,
        TRUE_FOUND: {name: values[person] for name, values in with_truth.items()},
    }
    if len(person) == 0:
        return errors
    true, boxes = picture.people.take(person), [np.asarray(detected.pred_instances.bboxes)[entry]]
    sample = _run(by_box_size, picture, bboxes=boxes, root_depths=[depth_mm[person]])
    errors[DETECTED_TRUE] = person_errors(_people(sample), true)
    if detected.metainfo['root_depth_source'] == ROOTNET:
        errors[DETECTED_ROOTNET] = person_errors(_people(detected).take(entry), true)
    sample = _run(by_box_size, picture, bboxes=boxes)
    errors[DETECTED_BOX_SIZE] = person_errors(_people(sample), true)
    return errors


def _run(inferencer: Inferencer, picture: Picture, **options: Any) -> Any:
    """The scene sample of a picture."""
    (result,) = inferencer(picture.path, return_datasamples=True, camera=picture.camera, **options)
    return result['predictions'][0]


def _people(sample: Any) -> People:
    instances = sample.pred_instances
    return People(np.asarray(instances.vertices_cam), np.asarray(instances.joints_cam))


def _joined(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
