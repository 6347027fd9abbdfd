"""Reading FreiHAND's own files (raw) and those of the I2L-MeshNet release (parsed).

Raw MANO parameters come without the usual translation. It follows from the annotated wrist, which
is MANO's root joint: wrist - J0(betas). The posed mesh must then be the annotated one; how far it
is from it becomes the fit's error. Protocols, section 6. Shape legend: V vertices of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from converter_core.builder import RecordBuilder
from converter_core.entries import as_numbers, box_from_xywh, integer, numbers, text, value
from converter_core.files import open_json, stream_items, stream_pairs
from converter_core.progress import SILENT
from freihand_fits import Hand, HandPoser
from numpy.typing import NDArray

_AT_ONCE = 256  # hands posed together
_END = object()


class Photo(NamedTuple):
    """One image of one hand."""

    image_id: int
    path: str
    size_px: tuple[int, int]
    hand: int  # number of the annotation
    bbox_px: NDArray | None  # (4,), where the image has one of its own


class RawHands:
    """Hands of ``{folder}_{K,xyz,mano,verts}.json``: iterate for number and annotation of each.

    Args:
        root: Folder of the data set.
        folder: 'training' or 'evaluation'.
        poser: The MANO model; None if nothing but ``{folder}_K.json`` is published.
        builder: Takes what is wrong with an entry.
        max_mesh_error_mm: Fits whose mesh is further from the annotated one are not kept.
    """

    def __init__(
        self,
        root: Path,
        folder: str,
        poser: HandPoser | None,
        builder: RecordBuilder,
        max_mesh_error_mm: float,
    ) -> None:
        self.root, self.folder, self.poser, self.builder = root, folder, poser, builder
        self.max_mesh_error_mm = max_mesh_error_mm
        self.cameras = open_json(root / f'{folder}_K.json')
        if not isinstance(self.cameras, list):
            raise ValueError(f'{root}/{folder}_K.json: got no list, expected one of 3x3 matrices')

    def __len__(self) -> int:
        """Number of hands, corrupt ones included."""
        return len(self.cameras)

    def __iter__(self) -> Iterator[tuple[int, Hand]]:
        """Leaves out corrupt entries.

        Raises:
            ValueError: The files are not equally long, or the model is another one.
        """
        if self.poser is None:
            yield from self._cameras()
            return
        entries = self._annotations(self.poser)
        while chunk := list(islice(entries, _AT_ONCE)):
            hands = self.poser.put_at_wrist([hand for _, hand, _ in chunk])
            meshes_m = np.stack([mesh for _, _, mesh in chunk])
            errors_mm = self.poser.mesh_errors_mm(hands, meshes_m)
            self._check_model(errors_mm)
            for (number, _, _), hand, error_mm in zip(chunk, hands, errors_mm, strict=True):
                yield number, self._judged(number, hand, float(error_mm))

    def _check_model(self, errors_mm: NDArray) -> None:
        """One hand may be annotated wrongly, but not most of them."""
        error_mm = np.median(errors_mm)
        if error_mm > self.max_mesh_error_mm:
            raise ValueError(
                f'--body-model {self.poser.path}: its meshes are {error_mm:.1f} mm from those in '
                f'{self.folder}_verts.json; give the model that FreiHAND uses, MANO_RIGHT.pkl, or '
                f'allow more than {self.max_mesh_error_mm:g} by --max-mesh-error-mm'
            )

    def _judged(self, number: int, hand: Hand, error_mm: float) -> Hand:
        """The hand with its error; without a fit whose mesh is not the annotated one."""
        if error_mm > self.max_mesh_error_mm:
            what = f'entry {number}: {error_mm:.1f} mm'
            self.builder.invalid_fit(f'mesh over {self.max_mesh_error_mm:g} mm off', what)
            return hand._replace(pose=None, betas=None, transl_m=None)
        return hand._replace(fit_error_mm=error_mm)

    def _cameras(self) -> Iterator[tuple[int, Hand]]:
        for number, matrix in enumerate(self.cameras):
            hand = None
            with self.builder.entry(self.root / f'{self.folder}_K.json', number):
                hand = Hand(*_camera_of_matrix(matrix))
            if hand is not None:
                yield number, hand

    def _annotations(self, poser: HandPoser) -> Iterator[tuple[int, Hand, NDArray]]:
        """Number, hand without translation, mesh (V, 3) in m."""
        streams = {}
        for name in ('xyz', 'mano', 'verts'):  # the last is by far the longest
            bar = self.builder.progress if name == 'verts' else SILENT
            streams[name] = stream_items(self.root / f'{self.folder}_{name}.json', 'item', bar)
        names = ('K', *streams)
        rows = zip_longest(self.cameras, *streams.values(), fillvalue=_END)
        for number, row in enumerate(rows):
            entry = dict(zip(names, row, strict=True))
            ended = [f'{self.folder}_{name}.json' for name in names if entry[name] is _END]
            if ended:
                raise ValueError(
                    f'{self.root}: got {number} entries in {ended}, and more in the others of '
                    f'{self.folder}_{{K,xyz,mano,verts}}.json; download them again'
                )
            annotation = None
            with self.builder.entry(self.root / f'{self.folder}_*.json', number):
                annotation = _raw_hand(entry, poser.model.num_vertices)
            if annotation is not None:
                yield number, *annotation


def _raw_hand(entry: Mapping[str, Any], num_vertices: int) -> tuple[Hand, NDArray]:
    """Hand without translation, and its mesh (V, 3) in m."""
    mano = numbers(entry, 'mano', (1, 61))[0]  # pose, shape, and the middle knuckle in the image
    mesh_m = numbers(entry, 'verts', (num_vertices, 3))
    hand = Hand(
        *_camera_of_matrix(entry['K']),
        joints_m=numbers(entry, 'xyz', (21, 3)),
        pose=mano[:48],
        betas=mano[48:58],
    )
    mesh_px = hand.project(mesh_m)
    box = np.concatenate([mesh_px.min(axis=0), mesh_px.max(axis=0)])
    return hand._replace(bbox_px=box), mesh_m


def _camera_of_matrix(matrix: Any) -> tuple[NDArray, NDArray]:
    """Focal lengths and principal point of K."""
    k = as_numbers(matrix, 'K', (3, 3))
    return k[[0, 1], [0, 1]], k[:2, 2]


def parsed_hands(
    path: Path, annotated: bool, poser: HandPoser | None, builder: RecordBuilder
) -> Iterator[tuple[int, Hand]]:
    """Number and annotation of each hand in ``freihand_{train,eval}_data.json``.

    Args:
        path: The file.
        annotated: Whether it has more than cameras.
        poser: The MANO model, if the errors of the fits are to be known.
        builder: Takes what is wrong with an entry; such entries are left out.
    """
    entries = _parsed_entries(path, annotated, builder)
    while chunk := list(islice(entries, _AT_ONCE)):
        errors_mm: list[float | None] = [None] * len(chunk)
        if annotated and poser is not None:
            errors_mm = poser.joint_errors_mm([hand for _, hand in chunk]).tolist()
        for (number, hand), error_mm in zip(chunk, errors_mm, strict=True):
            yield number, hand._replace(fit_error_mm=error_mm)


def _parsed_entries(
    path: Path, annotated: bool, builder: RecordBuilder
) -> Iterator[tuple[int, Hand]]:
    for key, entry in stream_pairs(path, progress=builder.progress):
        hand = None
        with builder.entry(path, key):
            number = integer({'db_idx': key}, 'db_idx')
            hand = _parsed_hand(entry, annotated)
        if hand is not None:
            yield number, hand


def _parsed_hand(entry: Any, annotated: bool) -> Hand:
    camera = value(entry, 'cam_param')
    hand = Hand(numbers(camera, 'focal', (2,)), numbers(camera, 'princpt', (2,)))
    if not annotated:
        return hand
    mano = value(entry, 'mano_param')
    return hand._replace(
        joints_m=numbers(entry, 'joint_3d', (21, 3)),
        pose=numbers(mano, 'pose', (48,)),
        betas=numbers(mano, 'shape', (10,)),
        transl_m=numbers(mano, 'trans', (3,)),
    )


def parsed_photos(path: Path, builder: RecordBuilder) -> Iterator[Photo]:
    """Annotated images of ``freihand_{train,eval}_coco.json``."""
    content = open_json(path)
    for name in ('images', 'annotations'):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise ValueError(f'{path}: got no list {name!r}, expected images and annotations')
    images: dict[int, tuple[str, tuple[int, int], int]] = {}
    for i, image in enumerate(content['images']):
        with builder.entry(path, f'images[{i}]'):
            size = integer(image, 'width'), integer(image, 'height')
            row = text(image, 'file_name'), size, integer(image, 'db_idx')
            images[integer(image, 'id')] = row
    for i, annotation in enumerate(content['annotations']):
        photo = None
        with builder.entry(path, f'annotations[{i}]'):
            number = integer(annotation, 'image_id')
            if number not in images:
                raise ValueError(f'image_id: got {number}, expected one of the images')
            box = annotation.get('bbox')  # the evaluation split need not have any
            photo = Photo(number, *images[number], None if box is None else box_from_xywh(box))
        if photo is not None:
            yield photo
