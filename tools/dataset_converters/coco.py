"""MSCOCO people -> annotation record: labelled 2D joints, and the SMPL bodies fitted to them.

python tools/dataset_converters/coco.py --root data/coco --split train \\
    --body-model SMPL_NEUTRAL.pkl --out data/coco/train.npz

The data set's own files (raw) are ROOT/annotations/person_keypoints_{train,val}2017.json and the
images in ROOT/{train,val}2017/ or ROOT/images/{train,val}2017/. The fits to the training people
(parsed) that the authors of I2L-MeshNet give are ROOT/annotations/coco_smplifyx_train.json; nobody
has a fit without them. Crowds and people without a labelled joint are left out. The pelvis is the
middle of the hips, where both are labelled. Joints have no depth, nor is any root depth known. The
camera is that of the fit; where there is none, f = 1500 px and c = the image centre.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coco_fits import FittedBodies, fill_fit_errors, joint_poser
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.entries import box_from_xywh, integer, numbers, text, value
from converter_core.files import require_files, stream_items
from numpy.typing import NDArray

from i2l_plugin.body_models import COCO_18
from i2l_plugin.geometry.camera import default_intrinsics
from i2l_plugin.geometry.crop import MIN_BOX_PX, box_has_area, clip_box

FITS = 'annotations/coco_smplifyx_train.json'
HIPS = [COCO_18.index('L_Hip'), COCO_18.index('R_Hip')]
_Image = tuple[str, int, int]  # path, width, height


def make_parser() -> argparse.ArgumentParser:
    """Options of this converter."""
    parser = converter_parser(__doc__, ['train', 'val'])
    parser.add_argument(
        '--body-model',
        metavar='FILE',
        help="SMPL file (.pkl or .npz) that the fits are of, or 'open' for the embedded body; "
        f'needed if {FITS} is there',
    )
    return parser


def convert(args: argparse.Namespace) -> RecordBuilder:
    """The fits, then the people."""
    people = f'annotations/person_keypoints_{args.split}2017.json'
    require_files(args.root, {people: "MSCOCO's person keypoints"})
    builder = RecordBuilder.from_args(
        args, 'body', COCO_18.joint_names, optional=('fit_error_lixel',), image_root=args.root
    )
    folder = f'{args.split}2017'
    if (args.root / 'images' / folder).is_dir():
        folder = f'images/{folder}'
    images = _read_images(args.root / people, folder, builder)
    if args.split != 'train' or not (args.root / FITS).exists():
        missing = f', without {FITS}' if args.split == 'train' else ''
        builder.note(f'source: raw keypoints{missing}: nobody has a fit')
        _add_people(args.root / people, images, FittedBodies(), builder)
        return builder
    if args.body_model is None:
        raise ValueError(
            f'{args.root / FITS} holds fits of SMPL: give the neutral SMPL with --body-model FILE '
            "('open' is the embedded body)"
        )
    builder.note('source: raw keypoints with parsed fits')
    poser = joint_poser(args.body_model)
    fits = FittedBodies.read(args.root / FITS, poser, builder)
    _add_people(args.root / people, images, fits, builder)
    fill_fit_errors(builder, poser)
    return builder


def _read_images(path: Path, folder: str, builder: RecordBuilder) -> dict[int, _Image]:
    """Images by id."""
    images: dict[int, _Image] = {}
    for i, image in enumerate(stream_items(path, 'images.item', builder.progress)):
        with builder.entry(path, f'images[{i}]'):
            size = integer(image, 'width'), integer(image, 'height')
            images[integer(image, 'id')] = (f'{folder}/{text(image, "file_name")}', *size)
    return images


def _add_people(
    path: Path, images: Mapping[int, _Image], fits: FittedBodies, builder: RecordBuilder
) -> None:
    """Everyone but crowds and people without joints or box."""
    known: set[int] = set()
    for i, person in enumerate(stream_items(path, 'annotations.item', builder.progress)):
        number = person.get('id') if isinstance(person, Mapping) else None
        with builder.entry(path, f'annotations[{i}] (id {number})'):
            number = integer(person, 'id')
            if number in known:
                raise ValueError('id: got that of another person, expected each once')
            known.add(number)
            _add_person(number, person, images, fits, builder)


def _add_person(
    number: int,
    person: Mapping[str, Any],
    images: Mapping[int, _Image],
    fits: FittedBodies,
    builder: RecordBuilder,
) -> None:
    keypoints = numbers(person, 'keypoints', (17, 3))
    image_id = integer(person, 'image_id')
    if image_id not in images:
        raise ValueError(f'image_id: got {image_id}, expected one of the images')
    path, *size = images[image_id]
    box = box_from_xywh(value(person, 'bbox'))
    reason = _why_not(person, keypoints, box, size)
    if reason:
        builder.drop(reason, f'annotation {number}')
        return
    fit = fits.get(number)
    focal, princpt = default_intrinsics(*size)
    if fit is not None:
        focal, princpt = fit.focal_px, fit.princpt_px
    elif str(number) in fits.problems:
        builder.invalid_fit(*fits.problems[str(number)])
    joints_px, joints_valid = with_pelvis(keypoints)
    builder.add(
        sample_id=number,
        image_id=image_id,
        image_path=path,
        image_size_px=size,
        bbox_px=box,
        focal_px=focal,
        princpt_px=princpt,
        joints_px=joints_px,
        joints_valid=joints_valid,
        **(fit.parameters() if fit is not None else {}),
    )


def _why_not(
    person: Mapping[str, Any], keypoints: NDArray, box: NDArray, size: Sequence[int]
) -> str:
    """Why a person is left out; empty if kept."""
    if value(person, 'iscrowd'):
        return 'crowd'
    if integer(person, 'num_keypoints') == 0 or not (keypoints[:, 2] > 0).any():
        return 'no labelled joint'
    return '' if box_has_area(clip_box(box, size)) else f'box under {MIN_BOX_PX:g} px'


def with_pelvis(keypoints: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """COCO's (17, 3) x, y, v -> joints of `COCO_18` (18, 2) in px, and whether each is labelled.

    v is 0 (not labelled), 1 (labelled, not visible) or 2; that of the pelvis is the hips' product.
    """
    labelled = keypoints[:, 2] > 0
    pelvis = keypoints[HIPS, :2].mean(axis=0, keepdims=True)
    return np.concatenate([keypoints[:, :2], pelvis]), np.append(labelled, labelled[HIPS].all())


def main(argv: Sequence[str] | None = None) -> None:
    converter_main(convert, make_parser(), argv)


if __name__ == '__main__':
    main()
