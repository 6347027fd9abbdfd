"""FreiHAND -> annotation record, and boxes and masks of the hands for detectors.

python tools/dataset_converters/freihand.py --root data/freihand --split train \\
    --body-model MANO_RIGHT.pkl --out data/freihand/train.npz \\
    --coco-out data/freihand/train_hands.json

The data set's own files (raw) are ROOT/training_{K,mano,xyz,verts}.json with ROOT/training/rgb/, 4
images of each hand on other backgrounds, and ROOT/evaluation_K.json with ROOT/evaluation/rgb/.
Without ROOT/evaluation_{mano,xyz,verts}.json, which were published later, the evaluation images
have neither joints nor depth nor mesh. The release's files (parsed) are
ROOT/freihand_{train,eval}_{coco,data}.json: taken first for training, and for evaluation unless its
annotations are there. Boxes are the projected mesh's, without a margin (raw), or as they are
(parsed); of evaluation images without either the box is the whole image. Lengths become mm, and the
MANO translation that raw files lack follows from the wrist. `fit_error_mm` is the mean distance of
the posed mesh from the annotated one (raw), or of MANO's 16 joints from the annotated ones (parsed,
with --body-model).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.files import detect_source
from converter_core.progress import Progress
from freihand_detection import write_detection_json
from freihand_files import Photo, RawHands, parsed_hands, parsed_photos
from freihand_fits import Hand, HandPoser
from joint_boxes import whole_picture

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.body_models import HAND_21
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.geometry.crop import MIN_BOX_PX, box_has_area, clip_box

SIZE_PX = (224, 224)  # of every image
BACKGROUNDS = {'train': 4, 'eval': 1}  # image i shows hand i modulo the number of hands
FOLDERS = {'train': 'training', 'eval': 'evaluation'}
NUM_HANDS = {'train': 32_560, 'eval': 3_960}  # of the whole data set
CAMERAS_ONLY = 'raw, cameras only'


def make_parser() -> argparse.ArgumentParser:
    """Options of this converter."""
    parser = converter_parser(__doc__, list(FOLDERS))
    parser.add_argument(
        '--body-model',
        metavar='FILE',
        help="MANO_RIGHT.pkl (or .npz), or 'open' for the embedded hand; needed for raw "
        'annotations and for --coco-out',
    )
    parser.add_argument(
        '--max-mesh-error-mm',
        type=float,
        default=1.0,
        metavar='MM',
        help='of raw annotations, between the posed and the annotated mesh: the right model is off '
        'by rounding, any other one by centimetres; default: 1',
    )
    parser.add_argument(
        '--coco-out',
        type=Path,
        metavar='FILE',
        help='also write boxes and masks of the hands as COCO JSON, for configs/detectors',
    )
    return parser


def find_source(root: Path, split: str) -> str:
    """'raw', 'parsed', or 'raw, cameras only'; FileNotFoundError if there is none."""
    folder = FOLDERS[split]
    names = {'K': 'cameras', 'mano': 'MANO parameters', 'xyz': 'joints', 'verts': 'meshes'}
    raw = {f'{folder}_{name}.json': f'{what} of FreiHAND' for name, what in names.items()}
    cameras = {name: what for name, what in raw.items() if name.endswith('_K.json')}
    parsed = {
        f'freihand_{split}_coco.json': 'images and boxes of the release',
        f'freihand_{split}_data.json': 'cameras and annotations of the release',
    }
    if split == 'train':
        return detect_source(root, {'parsed': parsed, 'raw': raw})
    return detect_source(root, {'raw': raw, 'parsed': parsed, CAMERAS_ONLY: cameras})


def convert(args: argparse.Namespace) -> RecordBuilder:
    """All images of the split, one hand each."""
    source = find_source(args.root, args.split)
    _check_options(args, source)
    builder = RecordBuilder.from_args(
        args,
        'hand',
        HAND_21.joint_names,
        optional=('fit_error_mm', 'id_hand'),
        image_root=args.root,
    )
    poser = HandPoser(args.body_model) if args.body_model else None
    if source == 'parsed':
        samples = _parsed_samples(args, poser, builder)
    else:
        samples = _raw_samples(args, None if source == CAMERAS_ONLY else poser, builder)
    errors_mm: dict[int, float | None] = {}
    for photo, hand in samples:
        errors_mm[photo.hand] = hand.fit_error_mm
        with builder.entry(photo.path, f'hand {photo.hand}'):
            _add(photo, hand, args.split == 'eval', builder)
    whole = f' of {NUM_HANDS[args.split]}' if len(errors_mm) != NUM_HANDS[args.split] else ''
    builder.note(f'source: {source}; {len(errors_mm)}{whole} different hands')
    known = [error for error in errors_mm.values() if error is not None]
    if known:
        builder.note(f'fit error: median {np.median(known):.2g} mm, largest {max(known):.2g} mm')
    return builder


def _check_options(args: argparse.Namespace, source: str) -> None:
    """Before anything is read."""
    if args.coco_out and (args.coco_out.suffix != '.json' or args.coco_out.is_dir()):
        raise ValueError(f'--coco-out {args.coco_out}: expected the name of a .json file')
    if args.coco_out and (source == CAMERAS_ONLY or (source, args.split) == ('parsed', 'eval')):
        raise ValueError(
            f'--coco-out needs meshes, and there are none in the {source} files of the '
            f'{args.split} split; add evaluation_{{mano,xyz,verts}}.json'
        )
    if args.body_model is None and (args.coco_out or source == 'raw'):
        what = '--coco-out draws' if source == 'parsed' else 'raw annotations are'
        raise ValueError(
            f"{what} poses of MANO: give it with --body-model MANO_RIGHT.pkl ('open' is the "
            'embedded hand)'
        )


def _raw_samples(
    args: argparse.Namespace, poser: HandPoser | None, builder: RecordBuilder
) -> Iterator[tuple[Photo, Hand]]:
    """The images of each hand one after the other: i, i + n, i + 2 n, i + 3 n of n hands."""
    folder = FOLDERS[args.split]
    hands = RawHands(args.root, folder, poser, builder, args.max_mesh_error_mm)
    for number, hand in hands:
        for background in range(BACKGROUNDS[args.split]):
            i = number + background * len(hands)
            yield Photo(i, f'{folder}/rgb/{i:08d}.jpg', SIZE_PX, number, None), hand


def _parsed_samples(
    args: argparse.Namespace, poser: HandPoser | None, builder: RecordBuilder
) -> Iterator[tuple[Photo, Hand]]:
    """The images in the order of the release's file."""
    data = args.root / f'freihand_{args.split}_data.json'
    hands = dict(parsed_hands(data, args.split == 'train', poser, builder))
    path = args.root / f'freihand_{args.split}_coco.json'
    for photo in parsed_photos(path, builder):
        with builder.entry(path, f'image {photo.image_id}'):
            if photo.hand not in hands:
                raise ValueError(f'db_idx: got {photo.hand}, expected an entry of {data.name}')
        if photo.hand in hands:
            yield photo, hands[photo.hand]


def _add(photo: Photo, hand: Hand, is_test: bool, builder: RecordBuilder) -> None:
    """One image; tests keep every image, so that their results are complete."""
    box = hand.bbox_px if photo.bbox_px is None else photo.bbox_px
    if box is None or not box_has_area(clip_box(box, photo.size_px)):
        if not is_test:
            builder.drop(f'no box of {MIN_BOX_PX:g} px or more in the image', photo.path)
            return
        box = whole_picture(photo.size_px)
    annotated: dict[str, Any] = {}
    if hand.joints_m is not None:
        annotated = dict(
            joints_cam_mm=1000 * hand.joints_m,
            joints_px=hand.project(hand.joints_m),
            root_depth_mm=1000 * hand.joints_m[HAND_21.root, 2],
        )
    builder.add(
        sample_id=photo.image_id,
        image_id=photo.image_id,
        image_path=photo.path,
        image_size_px=photo.size_px,
        bbox_px=box,
        focal_px=hand.focal_px,
        princpt_px=hand.princpt_px,
        pose=hand.pose,
        betas=hand.betas,
        transl_m=hand.transl_m,
        fit_error_mm=hand.fit_error_mm,
        id_hand=photo.hand,
        **annotated,
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = make_parser()
    converter_main(convert, parser, argv)
    args = parser.parse_args(argv)
    if args.coco_out:
        one_line_errors(lambda: print(_write_detections(args)))()


def _write_detections(args: argparse.Namespace) -> str:
    """Boxes and masks of the people that are in the record."""
    record, poser = AnnotationRecord.load(args.out), HandPoser(args.body_model)
    try:
        return write_detection_json(record, poser, args.coco_out, Progress(args.progress))
    except OSError as error:
        raise ValueError(f'--coco-out {args.coco_out}: {error}; {args.out} is complete') from error


if __name__ == '__main__':
    main()
