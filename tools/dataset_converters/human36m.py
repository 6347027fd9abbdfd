"""Human3.6M (parsed release files) -> annotation record.

    python tools/dataset_converters/human36m.py --root data/Human36M --split train \\
        --body-model SMPL_NEUTRAL.pkl --h36m-regressor J_regressor_h36m_correct.npy \\
        --out data/Human36M/train.npz

Reads ``annotations/Human36M_subject{S}_{data,camera,joint_3d,smpl_param}.json``; image paths are
relative to ``images/``. By default --split train takes every 5th frame of subjects 1, 5, 6, 7 and 8
in all four cameras, and --split test every 64th frame of subjects 9 and 11 in camera 4 (the paper's
protocol; frontal camera). "Protocol 1" of other papers is --frame-step 5 --cameras 1 2 3 4,
"protocol 2" --frame-step 5; one record with all of them: --frame-step 5 64 --cameras 1 2 3 4. What
was selected stands in id_subject, id_action, id_subaction, id_camera and id_frame.
Joints and fits go from the world into each camera; fit_error_mm is stored, no threshold applied.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.entries import box_from_xywh, integer, value
from converter_core.files import require_files
from converter_core.fit_error import (
    JointPoser,
    add_body_model_arguments,
    fill_fit_error_mm,
    h36m_rows,
    load_model_data,
)
from human36m_files import Fit, Frame, FrameKey, SubjectFiles, expected_files

from i2l_plugin.body_models import H36M_17
from i2l_plugin.protocols import Protocol, get_protocol

DEFAULTS = {'train': 'h36m/train', 'test': 'h36m/paper'}
ALL_CAMERAS = (1, 2, 3, 4)
IDS = ('id_subject', 'id_action', 'id_subaction', 'id_camera', 'id_frame')


def make_parser() -> argparse.ArgumentParser:
    """Options of the converter."""
    parser = converter_parser(__doc__, splits=list(DEFAULTS))
    add_body_model_arguments(parser)
    parser.add_argument(
        '--frame-step',
        type=int,
        nargs='+',
        metavar='N',
        help='frames whose number is divisible by N (by one of them, if there are several); '
        'default: 5 for train, 64 for test',
    )
    parser.add_argument(
        '--cameras',
        type=int,
        nargs='+',
        choices=ALL_CAMERAS,
        help='default: all for train, 4 for test',
    )
    parser.add_argument(
        '--subjects', type=int, nargs='+', help='default: 1 5 6 7 8 for train, 9 11 for test'
    )
    return parser


def convert(args: argparse.Namespace) -> RecordBuilder:
    """All people of the selected subjects, frames and cameras.

    Raises:
        FileNotFoundError, ValueError: Files are missing or corrupt, or options make no sense.
    """
    default: Protocol = get_protocol(DEFAULTS[args.split])
    steps = tuple(args.frame_step or [default.frame_step])
    cameras = tuple(sorted(set(args.cameras or default.cameras or ALL_CAMERAS)))
    subjects = tuple(sorted(set(args.subjects or default.subjects)))
    _check_selection(steps, subjects, args.split)
    require_files(args.root, expected_files(subjects))
    data = load_model_data(args)
    poser = JointPoser(data, h36m_rows(data))
    builder = RecordBuilder.from_args(
        args,
        'body',
        H36M_17.joint_names,
        optional=(*IDS, 'fit_error_mm'),
        image_root=args.root / 'images',
    )
    builder.note(
        f'parsed files; subjects {list(subjects)}, frames divisible by '
        f'{" or ".join(map(str, steps))}, cameras {list(cameras)}'
    )

    def is_wanted(frame: int, camera: int) -> bool:
        return camera in cameras and any(frame % step == 0 for step in steps)

    for subject in subjects:
        files = SubjectFiles(args.root, subject, builder)
        _add_subject(files, files.cameras(cameras), files.images(is_wanted), poser)
    fill_fit_error_mm(builder, poser, H36M_17.joint_names)
    return builder


def _check_selection(steps: tuple[int, ...], subjects: tuple[int, ...], split: str) -> None:
    if min(steps) < 1:
        raise ValueError(f'--frame-step: got {min(steps)}, expected 1 or more')
    other = 'test' if split == 'train' else 'train'
    foreign = sorted(set(subjects) & set(get_protocol(DEFAULTS[other]).subjects))
    if foreign:
        raise ValueError(
            f'--subjects: got {foreign} for --split {split}, but they are subjects of the '
            f'{other} split; expected some of {get_protocol(DEFAULTS[split]).subjects}'
        )


def _add_subject(
    files: SubjectFiles,
    cameras: Mapping[int, WorldCamera],
    images: Mapping[int, Frame],
    poser: JointPoser,
) -> None:
    builder, without = files.builder, set(images)
    wanted = {frame.key for frame in images.values()}
    joints, fits = files.joints(wanted), files.fits(wanted)
    roots_m = _rest_roots_m(fits, poser)
    for number, entry in files.annotations():
        with builder.entry(files.path('data'), f'annotations, id {number}'):
            image_id = integer(entry, 'image_id')
            if image_id not in images:
                continue
            without.discard(image_id)
            frame = images[image_id]
            person = _person(frame, cameras[frame.camera], joints, fits, roots_m)
            sample_id = integer(entry, 'id')
            builder.add(
                sample_id=sample_id,
                image_id=image_id,
                bbox_px=box_from_xywh(value(entry, 'bbox')),
                id_subject=files.subject,
                **person,
            )
            if 'pose' not in person:
                action, subaction, number = frame.key
                key = f'subject {files.subject} [{action}][{subaction}][{number}]'
                builder.invalid_fit('not in smpl_param', f'{key}, annotation {sample_id}')
    for image_id in without:
        builder.drop('image without annotation', f'{files.path("data").name}: {image_id}')


def _rest_roots_m(fits: Mapping[FrameKey, Any], poser: JointPoser) -> dict[FrameKey, np.ndarray]:
    """Root joint of each fit's shape, about which it turns."""
    betas = {key: fit.betas for key, fit in fits.items() if isinstance(fit, Fit)}
    roots = poser.rest_root_m(np.stack([np.zeros(10), *betas.values()]))[1:]
    return dict(zip(betas, roots, strict=True))


def _person(
    frame: Frame, camera: WorldCamera, joints: Mapping, fits: Mapping, roots_m: Mapping
) -> dict[str, Any]:
    """What a frame says of its person, in one camera; ValueError if an entry is corrupt."""
    action, subaction, number = frame.key
    for entries in (joints, fits):
        if isinstance(entries.get(frame.key), ValueError):
            raise entries[frame.key]
    if frame.key not in joints:
        raise ValueError(f'joint_3d has no [{action}][{subaction}][{number}]')
    joints_mm = camera.points_to_camera(joints[frame.key])
    person = {
        'image_path': frame.file_name,
        'image_size_px': frame.size_px,
        'focal_px': camera.focal_px,
        'princpt_px': camera.princpt_px,
        'joints_cam_mm': joints_mm,
        'joints_px': camera.project(joints_mm),
        'root_depth_mm': joints_mm[H36M_17.root, 2],
        'id_action': action,
        'id_subaction': subaction,
        'id_camera': frame.camera,
        'id_frame': number,
    }
    fit: Fit | None = fits.get(frame.key)
    if fit is not None:
        root_m = roots_m[frame.key]
        person['pose'], person['transl_m'] = camera.fit_to_camera(fit.pose, fit.transl_m, root_m)
        person['betas'] = fit.betas
    return person


def main(argv: Sequence[str] | None = None) -> None:
    """Run the converter."""
    converter_main(convert, make_parser(), argv)


if __name__ == '__main__':
    main()
