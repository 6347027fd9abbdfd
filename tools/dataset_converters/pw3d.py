"""3DPW (raw download or parsed release files) -> annotation record.

    python tools/dataset_converters/pw3d.py --root data/3DPW --split test \\
        --body-model-male SMPL_MALE.pkl --body-model-female SMPL_FEMALE.pkl \\
        --out data/3DPW/test.npz

Raw: ``sequenceFiles/{split}/*.pkl``, whose people are in the world: joints and fits go into each
frame's camera (formats: `pw3d_files`). Frames whose camera was not aligned (campose_valid 0) are
dropped and counted. Parsed: ``3DPW_{split}.json``, in the camera frame already; its translations
belong to the rest root of the neutral model, so each fit is moved to put its root, with the model
of the person's gender, on the annotated pelvis. Parsed files are preferred where both are there
(--source): RootNet's published results are numbered as they are.
Image paths are relative to ``imageFiles/``. Everyone with a valid camera is kept, 35,515 people in
the published test split. The joints are SMPL's 24. Boxes hold the joints in the picture, grown by
1.2, as in the parsed files; not OpenPose's ``poses2d``, which are missing for some people.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.entries import as_numbers, box_from_xywh, integer, label, numbers, value
from converter_core.files import detect_source, require_files, stream_items
from gendered_bodies import (
    GenderedBodies,
    add_gendered_body_arguments,
    fill_gendered_fit_error_mm,
    gender_of,
)
from joint_boxes import box_around_joints, box_or_picture
from numpy.typing import NDArray
from pw3d_detections import DetectionCheck
from pw3d_files import (
    ParsedImage,
    PW3DSequence,
    image_name,
    picture_size_px,
    read_parsed_images,
    read_sequence,
    sequence_files,
)

from i2l_plugin.body_models import SMPL_24

SPLITS = ('train', 'validation', 'test')
PUBLISHED_TEST = 35515  # people
IMAGES = 'imageFiles'
_PEOPLE = 10  # room for the people of a picture in the numbers of samples


def make_parser() -> argparse.ArgumentParser:
    """Options of the converter."""
    parser = converter_parser(__doc__, splits=SPLITS)
    add_gendered_body_arguments(parser)
    parser.add_argument(
        '--source',
        choices=['auto', 'raw', 'parsed'],
        default='auto',
        help='which files to read; auto: the parsed ones if they are there (default)',
    )
    return parser


def convert(args: argparse.Namespace) -> RecordBuilder:
    """Everyone of the split with a valid camera.

    Raises:
        FileNotFoundError, ValueError: Files are missing or corrupt.
    """
    source = _source(args.root, args.split, args.source)
    bodies = GenderedBodies.from_args(args)
    builder = RecordBuilder.from_args(
        args,
        'body',
        SMPL_24.joint_names,
        optional=('gender', 'fit_error_mm', 'id_sequence', 'id_person', 'id_frame'),
        text_ids=('id_sequence',),
        image_root=args.root / IMAGES,
    )
    builder.note(f'{source} files of the {args.split} split')
    if source == 'parsed':
        _add_parsed(args.root / _parsed_file(args.split), bodies, builder)
    else:
        _add_raw(args.root, args.split, bodies, builder)
    fill_gendered_fit_error_mm(builder, bodies)
    if args.split == 'test' and len(builder) != PUBLISHED_TEST:
        builder.note(f'the published test split has {PUBLISHED_TEST} people, not {len(builder)}')
    return builder


def _parsed_file(split: str) -> str:
    return f'3DPW_{split}.json'


def _source(root: Path, split: str, wanted: str) -> str:
    """``'raw'`` or ``'parsed'``; FileNotFoundError lists what is missing."""
    files = sequence_files(root, split)
    raw = {f'{IMAGES}/{file.stem}': f'folder of the pictures of {file.name}' for file in files}
    if not files:
        raw = {f'sequenceFiles/{split}/*.pkl': 'SMPL and cameras of the sequences', IMAGES: ''}
    sources = {
        'parsed': {
            _parsed_file(split): 'images and annotations, COCO style',
            IMAGES: 'folder of the folders of pictures',
        },
        'raw': {**raw, IMAGES: 'folder of the folders of pictures'},
    }
    if wanted == 'auto':
        return detect_source(root, sources)
    require_files(root, sources[wanted])
    return wanted


class Pictures(NamedTuple):
    """A raw sequence and where its pictures stand in the data set."""

    sequence: PW3DSequence
    path: Path  # of the sequence's file
    size_px: tuple[int, int]
    first_image: int  # image_id of frame 0


def _add_raw(root: Path, split: str, bodies: GenderedBodies, builder: RecordBuilder) -> None:
    files, check, first_image = sequence_files(root, split), DetectionCheck(), 0
    for path in builder.progress.over(files, len(files), 'sequences'):
        sequence = None
        with builder.entry(path, 'the sequence'):
            sequence = read_sequence(path)
            size_px = picture_size_px(root / IMAGES / sequence.name, range(len(sequence)))
        if sequence is not None:
            pictures = Pictures(sequence, path, size_px, first_image)
            for actor in range(len(sequence.actors)):
                _add_actor(pictures, actor, bodies, builder, check)
            first_image += len(sequence)
    check.report(builder)


def _add_actor(
    pictures: Pictures,
    index: int,
    bodies: GenderedBodies,
    builder: RecordBuilder,
    check: DetectionCheck,
) -> None:
    sequence = pictures.sequence
    actor = sequence.actors[index]
    rest_root_m = bodies.rest_root_m(actor.gender, actor.betas)
    for frame in range(len(sequence)):
        key = f'person {index}, frame {frame}'
        if not actor.camera_valid[frame]:
            builder.drop('campose_valid 0', f'{sequence.name}, {key}')
            continue
        with builder.entry(pictures.path, key):
            camera = sequence.camera(frame)
            joints_m = as_numbers(actor.joints_m[frame], 'jointPositions', (len(SMPL_24), 3))
            joints = _joints(camera.points_to_camera(1000 * joints_m), camera, pictures.size_px)
            if joints['root_depth_mm'] <= 0:
                builder.drop('behind the camera', f'{sequence.name}, {key}')
                continue
            pose = as_numbers(actor.poses[frame], 'poses', (24, 3))
            transl_m = as_numbers(actor.transl_m[frame], 'trans', (3,))
            pose, transl_m = camera.fit_to_camera(pose, transl_m, rest_root_m)
            image_id = pictures.first_image + frame
            builder.add(
                sample_id=_PEOPLE * image_id + index,
                image_id=image_id,
                image_path=image_name(sequence.name, frame),
                bbox_px=box_around_joints(
                    joints['joints_px'], joints['joints_valid'], pictures.size_px
                ),
                pose=pose,
                betas=actor.betas,
                transl_m=transl_m,
                gender=actor.gender,
                id_sequence=sequence.name,
                id_person=index,
                id_frame=frame,
                **joints,
            )
            check.add(joints, actor.detections[frame])


def _joints(joints_mm: NDArray, camera: WorldCamera, size_px: tuple[int, int]) -> dict[str, Any]:
    """What the joints (24, 3) in the camera frame say; those behind the camera do not count."""
    in_front = joints_mm[:, 2] > 0
    return {
        'image_size_px': size_px,
        'focal_px': camera.focal_px,
        'princpt_px': camera.princpt_px,
        'joints_cam_mm': joints_mm,
        'joints_px': camera.project(np.where(in_front[:, None], joints_mm, 1)),
        'joints_valid': in_front,
        'root_depth_mm': joints_mm[SMPL_24.root, 2],
    }


def _add_parsed(path: Path, bodies: GenderedBodies, builder: RecordBuilder) -> None:
    images, moved_mm = read_parsed_images(path, builder), []
    for entry in stream_items(path, 'annotations.item', builder.progress):
        with builder.entry(path, f'annotations, id {label(entry)}'):
            person, distance_mm = _parsed_person(entry, images, bodies)
            builder.add(**person)
            moved_mm.append(distance_mm)
    if moved_mm:
        builder.note(
            'fits moved to put their root on the annotated pelvis: by a median of '
            f'{np.median(moved_mm):.1f} mm, at most {np.max(moved_mm):.1f} mm'
        )


def _parsed_person(
    entry: Mapping[str, Any], images: Mapping[int, ParsedImage], bodies: GenderedBodies
) -> tuple[dict[str, Any], float]:
    """One person, and how far (mm) the root of their fit was from the annotated pelvis."""
    image_id, fit = integer(entry, 'image_id'), value(entry, 'smpl_param')
    if image_id not in images:
        raise ValueError(f'image_id: got {image_id}, expected one of the images')
    image = images[image_id]
    gender = gender_of(value(fit, 'gender'))
    betas = as_numbers(np.ravel(value(fit, 'shape'))[:10], 'shape', (10,))
    joints_mm = 1000 * numbers(entry, 'joint_cam', (len(SMPL_24), 3))
    transl_m = joints_mm[SMPL_24.root] / 1000 - bodies.rest_root_m(gender, betas)
    moved_mm = 1000 * np.linalg.norm(transl_m - numbers(fit, 'trans', (3,)))
    person = {
        'sample_id': integer(entry, 'id'),
        'image_id': image_id,
        'image_path': image.path,
        'bbox_px': box_or_picture(box_from_xywh(value(entry, 'bbox')), image.size_px),
        'pose': numbers(fit, 'pose', (24, 3)),
        'betas': betas,
        'transl_m': transl_m,
        'gender': gender,
        'id_sequence': image.sequence,
        'id_person': integer(entry, 'person_id'),
        'id_frame': image.frame,
        **_joints(joints_mm, image.camera, image.size_px),
    }
    return person, float(moved_mm)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the converter."""
    converter_main(convert, make_parser(), argv)


if __name__ == '__main__':
    main()
