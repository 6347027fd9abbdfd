"""MuCo-3DHP (parsed release files) -> annotation record.

    python tools/dataset_converters/muco.py --root data/MuCo --split train \\
        --body-model SMPL_NEUTRAL.pkl --h36m-regressor J_regressor_h36m_correct.npy \\
        --out data/MuCo/train.npz

Reads ``data/MuCo-3DHP.json`` and ``data/smpl_param.json`` (camera frame, m); image paths are
relative to ``data/``. Of each image only the person whose pelvis is closest to the camera is taken:
farther ones are hidden by it in these composed images. Training only.
fit_error_mm is over the 14 joints that MuCo-3DHP and Human3.6M both annotate under the same name,
regressed by the Human3.6M regressor, means aligned; it is stored, no threshold applied. MuCo's
Thorax, Spine and Head are other points than Human3.6M's Neck, Torso and Nose and are not compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.entries import box_from_xywh, integer, label, numbers, value
from converter_core.files import require_files, stream_items, stream_pairs
from converter_core.fit_error import (
    JointPoser,
    add_body_model_arguments,
    fill_fit_error_mm,
    h36m_rows,
    load_model_data,
)
from muco_files import Ids, Images, closest_people
from numpy.typing import NDArray

from i2l_plugin.body_models import H36M_17, MUCO_21

ANNOTATIONS, FITS = 'data/MuCo-3DHP.json', 'data/smpl_param.json'
EXPECTED = {
    ANNOTATIONS: 'images, boxes and joints of MuCo-3DHP',
    FITS: 'fitted SMPL by annotation id, camera frame',
    'data/augmented_set': 'images with other backgrounds',
    'data/unaugmented_set': 'images with the original background',
}
SHARED_WITH_H36M = tuple(name for name in H36M_17.joint_names if name in MUCO_21.joint_names)


def make_parser() -> argparse.ArgumentParser:
    """Options of the converter."""
    parser = converter_parser(__doc__, splits=['train'])
    add_body_model_arguments(parser)
    return parser


def convert(args: argparse.Namespace) -> RecordBuilder:
    """The closest person of every image.

    Raises:
        FileNotFoundError, ValueError: Files are missing or corrupt.
    """
    require_files(args.root, EXPECTED)
    data = load_model_data(args)
    rows = h36m_rows(data)[[H36M_17.index(name) for name in SHARED_WITH_H36M]]
    builder = RecordBuilder.from_args(
        args,
        'body',
        MUCO_21.joint_names,
        optional=('fit_error_mm',),
        image_root=args.root / 'data',
    )
    builder.note('parsed files; the closest person of each image')
    people, row_of = _add_people(args.root / ANNOTATIONS, builder)
    _add_fits(args.root / FITS, people, row_of, builder)
    fill_fit_error_mm(builder, JointPoser(data, rows), SHARED_WITH_H36M)
    return builder


def _add_people(path: Path, builder: RecordBuilder) -> tuple[Ids, NDArray[np.int64]]:
    """Add the closest people without their fits; their annotation ids and rows (-1: not added)."""
    closest = closest_people(path, builder.progress)
    images = Images.read(path, builder)
    row_of = np.full(len(closest), -1)
    with_people = np.zeros(len(images.ids), bool)
    for entry in stream_items(path, 'annotations.item', builder.progress):
        with builder.entry(path, f'annotations, id {label(entry)}'):
            image = images.find(integer(entry, 'image_id'))
            with_people[image] = True
            person = closest.find(integer(entry, 'id'))
            if person >= 0:
                row_of[person] = builder.add(**_person(entry), **images.fields(image))
    for image in np.flatnonzero(~with_people):
        builder.drop('image without people', f'id {images.ids.ids[image]}')
    return closest, row_of


def _person(entry: Mapping[str, Any]) -> dict[str, Any]:
    joints_mm = numbers(entry, 'keypoints_cam', (len(MUCO_21), 3))
    return {
        'sample_id': integer(entry, 'id'),
        'image_id': integer(entry, 'image_id'),
        'bbox_px': box_from_xywh(value(entry, 'bbox')),
        'joints_cam_mm': joints_mm,
        'joints_px': numbers(entry, 'keypoints_img', (len(MUCO_21), 2)),
        'root_depth_mm': joints_mm[MUCO_21.root, 2],
    }


def _add_fits(path: Path, people: Ids, row_of: NDArray[np.int64], builder: RecordBuilder) -> None:
    """Give the added people their fits; those of other people are passed over."""
    without = row_of >= 0
    for key, entry in stream_pairs(path, progress=builder.progress):
        person = people.find(int(key)) if key.isdecimal() else -1
        if person < 0 or row_of[person] < 0:
            continue
        without[person] = False
        row = int(row_of[person])
        with builder.entry(path, key, row):
            builder.set_fit(row, *(value(entry, name) for name in ('pose', 'shape', 'trans')))
    for person in np.flatnonzero(without):
        builder.invalid_fit('not in smpl_param', f'annotation {people.ids[person]}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run the converter."""
    converter_main(convert, make_parser(), argv)


if __name__ == '__main__':
    main()
