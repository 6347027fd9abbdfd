"""A record's boxes as MSCOCO's JSON, which MMDetection's data sets and metrics read."""

from __future__ import annotations

import json

import numpy as np

from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.person_results import PERSON_CATEGORY

NAMES = {'body': 'person', 'hand': 'hand'}


def coco_boxes(record: AnnotationRecord) -> bytes:
    """Images, boxes and the one category.

    A box is the record's: of the whole body within the picture, whatever hides part of it, as a
    network that sees a crop needs it. MSCOCO's own boxes are of what can be seen. Nobody is a
    crowd or left out, since scenes hide nobody altogether. The area is the box's.

    Image ids are the record's and begin anew in each split. Annotation ids are its sample ids
    plus 1, since COCO's evaluation takes annotation 0 for none; each entry names its sample id,
    too.
    """
    first = np.unique(record['image_id'], return_index=True)[1]
    images = [
        {
            'id': int(record['image_id'][row]),
            'file_name': record['image_path'][row].decode(),
            'width': int(record['image_size_px'][row, 0]),
            'height': int(record['image_size_px'][row, 1]),
        }
        for row in first
    ]
    low, high = record['bbox_px'][:, :2].astype(float), record['bbox_px'][:, 2:].astype(float)
    boxes = np.round(np.concatenate([low, high - low], axis=1), 3)
    annotations = [
        {
            'id': int(sample_id) + 1,
            'sample_id': int(sample_id),
            'image_id': int(image_id),
            'category_id': PERSON_CATEGORY,
            'bbox': box.tolist(),
            'area': round(float(box[2] * box[3]), 3),
            'iscrowd': 0,
        }
        for sample_id, image_id, box in zip(
            record['sample_id'], record['image_id'], boxes, strict=True
        )
    ]
    category = {'id': PERSON_CATEGORY, 'name': NAMES[record.kind], 'supercategory': 'person'}
    content = {'images': images, 'annotations': annotations, 'categories': [category]}
    return (json.dumps(content) + '\n').encode()
