"""SURREAL (raw download) -> annotation record and pictures.

    python tools/dataset_converters/surreal.py --root SURREAL/data --split train \\
        --body-model-male SMPL_MALE.pkl --body-model-female SMPL_FEMALE.pkl \\
        --images-out data/SURREAL/images --out data/SURREAL/train.npz

Reads ``cmu/{train,val,test}/run*/<sequence>/*_info.mat`` and ``.mp4``. --split train: all clips of
cmu/train at 1 frame a second (frames 0, 30, 60, ... at 30 fps); clips of one frame and frames
without anyone in the picture are dropped. --split test: the middle frame of each clip of cmu/val,
which holds the middle clips of the test sequences, 507 of them, that BodyNet is tested on (with
only cmu/test at hand, name the list of these clips by --clips). People out of the picture are kept
there: the protocol surreal/493 of the data set class leaves those out whose middle is outside, as
BodyNet's loader does, and the summary counts them. (Where the number of frames is even there is
another middle one, the next; I2L-MeshNet's script takes that.)
In both splits people behind the camera and frames without joints are dropped and counted.

The pictures are extracted to --images-out as JPEG of quality 95 (the clips are already
compressed), or as larger PNG without further loss (--image-format png); what is there already is
not decoded again. They are MIRRORED: SURREAL's Blender camera is a reflection,
so its clips show mirror images in which left and right seem swapped; see `surreal_geometry`.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.entries import as_numbers
from converter_core.files import require_files
from gendered_bodies import (
    GenderedBodies,
    add_gendered_body_arguments,
    fill_gendered_fit_error_mm,
)
from joint_boxes import box_around_joints, joints_in_view
from surreal_files import (
    SIZE_PX,
    Clip,
    ClipInfo,
    extract_frames,
    find_clips,
    listed_clips,
    read_info,
    require_clips,
)
from surreal_geometry import annotated_px, camera_of, fit_in_world

from i2l_plugin.body_models import SMPL_24
from i2l_plugin.datasets.person_selection import middle_in_view

FOLDERS = {'train': ('cmu/train',), 'test': ('cmu/val', 'cmu/test')}
STEP = 30  # frames a second
PUBLISHED_TEST = 507  # clips
MAX_MEDIAN_PX = 1.0  # joints2D are rounded
_FRAMES = 1000  # room for the frames of a clip in the numbers of samples
_AHEAD = 64  # clips that are read before they are needed


class ClipPeople(NamedTuple):
    """What a clip gives: people by frame, and how far joints2D are from the projected joints."""

    people: dict[int, dict[str, Any]]  # columns
    dropped: list[tuple[str, str]]  # reason, key
    distances_px: list[float]
    in_view: list[bool]  # as the protocol surreal/493 has it


def make_parser() -> argparse.ArgumentParser:
    """Options of the converter."""
    parser = converter_parser(__doc__, splits=list(FOLDERS))
    add_gendered_body_arguments(parser)
    parser.add_argument(
        '--images-out', type=Path, required=True, help='folder for the extracted pictures'
    )
    parser.add_argument('--image-format', choices=['jpg', 'png'], default='jpg')
    parser.add_argument(
        '--clips', type=Path, metavar='FILE', help='text file that names the clips to take'
    )
    parser.add_argument('--workers', type=int, help='threads; default: one a core')
    return parser


def convert(args: argparse.Namespace) -> RecordBuilder:
    """The chosen frames of all clips of the split.

    Raises:
        FileNotFoundError, ValueError: Files are missing or corrupt.
    """
    clips = _clips(args)
    bodies = GenderedBodies.from_args(args)
    args.images_out.mkdir(parents=True, exist_ok=True)
    builder = RecordBuilder.from_args(
        args,
        'body',
        SMPL_24.joint_names,
        optional=('gender', 'fit_error_mm', 'id_clip', 'id_frame'),
        text_ids=('id_clip',),
        image_root=args.images_out,
    )
    chosen = 'the middle frame' if args.split == 'test' else f'every {STEP}th frame'
    builder.note(f'raw files: {chosen} of {len(clips)} clips of {clips[0].folder}')

    def read(clip: Clip) -> ClipPeople:
        return _read(clip, args.split, args.image_format, args.images_out, bodies)

    distances_px, in_view = [], 0
    with closing(_in_threads(read, clips, args.workers)) as read_clips:
        steps = enumerate(builder.progress.over(read_clips, len(clips), 'clips'))
        for number, (clip, future) in steps:
            with builder.entry(clip.info, 'the clip'):
                found = future.result()
                for frame, person in found.people.items():
                    sample_id = _FRAMES * number + frame
                    builder.add(sample_id=sample_id, image_id=sample_id, **person)
                for reason, key in found.dropped:
                    builder.drop(reason, key)
                distances_px += found.distances_px
                in_view += sum(found.in_view)
    _report(builder, distances_px, in_view, args.split)
    fill_gendered_fit_error_mm(builder, bodies)
    return builder


def _clips(args: argparse.Namespace) -> list[Clip]:
    """The clips to read, all of whose files are there."""
    folders = FOLDERS[args.split]
    there = [name for name in folders if (args.root / name).is_dir()]
    if not there or (there[0] == 'cmu/test' and args.clips is None):
        files = {folders[0]: 'folder of run0, run1, run2 with clips (.mp4 and _info.mat)'}
        if args.split == 'test':
            files[folders[0]] += '; or cmu/test and, by --clips, the list of its clips to take'
        require_files(args.root, files)
    folder = args.root / there[0]
    clips = listed_clips(args.clips, folder) if args.clips else find_clips(folder)
    if not clips:
        raise FileNotFoundError(f'{folder}: got no run*/<sequence>/*_info.mat, expected clips')
    require_clips(clips)
    return clips


def _in_threads(
    work: Callable[[Clip], ClipPeople], clips: Iterable[Clip], workers: int | None
) -> Iterator[tuple[Clip, Future]]:
    """Clips in order with what became of them, a few ahead; decoding frees the GIL."""
    pool, pending = ThreadPoolExecutor(workers), deque()
    try:
        for clip in clips:
            pending.append((clip, pool.submit(work, clip)))
            if len(pending) > _AHEAD:
                yield pending.popleft()
        while pending:
            yield pending.popleft()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(
    clip: Clip, split: str, image_format: str, images_out: Path, bodies: GenderedBodies
) -> ClipPeople:
    info = read_info(clip.info)
    if split == 'train' and len(info) == 1:
        return ClipPeople({}, [('clip of one frame', clip.name)], [], [])
    frames = range(0, len(info), STEP) if split == 'train' else [(len(info) + 1) // 2 - 1]
    found = ClipPeople({}, [], [], [])
    for frame in frames:
        key = f'{clip.name}, frame {frame}'
        if not info.joints_m[frame].any():  # as BodyNet's loader, too, leaves out
            found.dropped.append(('joints3D are all 0', key))
            continue
        person, distance_px = _person(info, frame, bodies)
        if person['root_depth_mm'] <= 0:
            found.dropped.append(('behind the camera', key))
            continue
        inside = joints_in_view(person['joints_px'], person['joints_valid'], SIZE_PX).any()
        if split == 'train' and not inside:
            found.dropped.append(('nobody in the picture', key))
            continue
        name = clip.image_name(frame, image_format)
        found.people[frame] = dict(person, id_clip=clip.name, id_frame=frame, image_path=name)
        found.distances_px.append(distance_px)
        parts = (person[name][None] for name in ('joints_px', 'joints_valid'))
        found.in_view.append(bool(middle_in_view(SMPL_24.joint_names, *parts, SIZE_PX)[0]))
    targets = {f: images_out / person['image_path'] for f, person in found.people.items()}
    extract_frames(clip.video, targets)
    return found


def _person(info: ClipInfo, frame: int, bodies: GenderedBodies) -> tuple[dict[str, Any], float]:
    """Columns of a person, and the median distance (px) of joints2D from the projected joints."""
    camera, gender = camera_of(info.camera_m), info.gender[frame]
    joints_m = as_numbers(info.joints_m[frame], 'joints3D', (24, 3))
    joints_mm = camera.points_to_camera(1000 * joints_m)
    in_front = joints_mm[:, 2] > 0
    joints_px = camera.project(np.where(in_front[:, None], joints_mm, 1))
    rest_root_m = bodies.rest_root_m(gender, info.betas[frame])
    pose = as_numbers(info.pose[frame], 'pose', (24, 3))
    world = fit_in_world(pose, info.zrot[frame], joints_m[0], rest_root_m)
    pose, transl_m = camera.fit_to_camera(*world, rest_root_m)
    joints2d = as_numbers(info.joints_px[frame], 'joints2D', (24, 2))
    difference_px = joints_px - annotated_px(joints2d)
    person = {
        'image_size_px': SIZE_PX,
        'bbox_px': box_around_joints(joints_px, in_front, SIZE_PX),
        'focal_px': camera.focal_px,
        'princpt_px': camera.princpt_px,
        'joints_cam_mm': joints_mm,
        'joints_px': joints_px,
        'joints_valid': in_front,
        'root_depth_mm': joints_mm[SMPL_24.root, 2],
        'pose': pose,
        'betas': info.betas[frame],
        'transl_m': transl_m,
        'gender': gender,
    }
    return person, float(np.median(np.linalg.norm(difference_px, axis=1)))


def _report(
    builder: RecordBuilder, distances_px: Sequence[float], in_view: int, split: str
) -> None:
    """Note what was checked and counted."""
    if distances_px:
        median = np.median(distances_px)
        builder.note(f'joints2D are a median of {median:.2f} px from the projected joints3D')
        if not median <= MAX_MEDIAN_PX:
            builder.note(
                f'WARNING: that is more than {MAX_MEDIAN_PX:g} px, which is no rounding: these '
                'files follow another camera convention; do not use the record'
            )
    if split == 'test':
        builder.note(f'{in_view} of {len(builder)} people have their middle in the picture')
        if len(builder) != PUBLISHED_TEST:
            builder.note(f"BodyNet's test split has {PUBLISHED_TEST} clips, not {len(builder)}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the converter."""
    converter_main(convert, make_parser(), argv)


if __name__ == '__main__':
    main()
