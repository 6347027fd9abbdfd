"""Schema of the canonical annotation record: what a data set must say about each person.

Every data set is converted to one .npz file of these columns (table `COLUMNS` below) and two
scalars, ``version`` and ``kind``. Units change here and nowhere else: translations are in m as in
the body models' own files, everything else is in px, mm and rad. The camera frame is x right, y
down, z forward; pixels carry no half-pixel shift. Entries that are not valid may hold anything.
Shape legend: N persons, P = 24 (body) or 16 (hand) body-model joints, A annotated joints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from i2l_plugin.body_models.joint_sets import MANO_16, SMPL_24

VERSION = 1
NUM_POSE = {'body': len(SMPL_24), 'hand': len(MANO_16)}
_MAX_NAMED = 5  # samples that an error names
# left_hip, HipRight, l_hip, hip-r, LHip, HipR: sides that mirroring would not see
_OTHER_SIDES = re.compile(
    r'(?i:left|right)|(?:^|[\W_])[lrLR](?:$|[\W_])|^[lrLR](?=[A-Z])|(?<=[a-z])[LR]$'
)


class Column(NamedTuple):
    """One row of the schema. `valid_where` names the masks that say which entries count."""

    shape: tuple[str | int, ...]
    dtype: str
    meaning: str
    valid_where: tuple[str, ...] = ()
    required: bool = True


COLUMNS: dict[str, Column] = {
    'joint_names': Column(('A',), 'S', 'names of the annotated joints; sides are L_x, R_x'),
    'sample_id': Column(('N',), 'int64', 'unique number of the person'),
    'image_id': Column(('N',), 'int64', 'number of the image in the data set'),
    'image_path': Column(('N',), 'S', 'UTF-8, relative to the image folder (data_prefix)'),
    'image_size_px': Column(('N', 2), 'int32', 'width, height'),
    'bbox_px': Column(('N', 4), 'float32', 'x1 y1 x2 y2, not yet clipped or grown'),
    'focal_px': Column(('N', 2), 'float32', 'fx, fy, > 0'),
    'princpt_px': Column(('N', 2), 'float32', 'cx, cy'),
    'pose': Column(
        ('N', 'P', 3), 'float32', 'axis-angle, rad, camera frame, root first', ('fit_valid',)
    ),
    'betas': Column(('N', 10), 'float32', 'shape coefficients', ('fit_valid',)),
    'transl_m': Column(
        ('N', 3), 'float32', 'body-model translation, m, camera frame', ('fit_valid',)
    ),
    'fit_valid': Column(('N',), 'bool', 'the fitted body model may be trained on'),
    'joints_cam_mm': Column(
        ('N', 'A', 3), 'float32', 'annotated joints, camera frame', ('joints_valid', 'has_depth')
    ),
    'joints_px': Column(
        ('N', 'A', 2), 'float32', 'annotated joints in the image', ('joints_valid',)
    ),
    'joints_valid': Column(('N', 'A'), 'bool', 'the joint is annotated'),
    'has_depth': Column(('N',), 'bool', 'joints_cam_mm and root_depth_mm are known'),
    'root_depth_mm': Column(('N',), 'float32', 'absolute depth of the root, > 0', ('has_depth',)),
    'gender': Column(('N',), 'S', "b'n', b'm' or b'f'", required=False),
    'fit_error_mm': Column(
        ('N',), 'float32', 'mean joint error of the fit; NaN: no fit or unknown', required=False
    ),
    'fit_error_lixel': Column(
        ('N',), 'float32', 'the same in 64-lixel crop px; NaN: as above', required=False
    ),
}  # besides: any id_* (N,) of integers or bytes, e.g. id_subject, id_action, id_sequence


def find_problems(kind: str, columns: Mapping[str, np.ndarray]) -> Iterator[str]:
    """What is wrong with a record, most fundamental first; later checks rely on earlier ones."""
    if kind not in NUM_POSE:
        yield f'kind: got {kind!r}, expected one of {sorted(NUM_POSE)}'
    missing = [name for name, c in COLUMNS.items() if c.required and name not in columns]
    if missing:
        yield f'got no column {missing}; expected all of {list(COLUMNS)}: add what is missing'
    unknown = [name for name in columns if name not in COLUMNS and not name.startswith('id_')]
    if unknown:
        yield f'got unknown column {unknown}; expected names of {list(COLUMNS)} or id_*: rename it'
    sizes = {'N': columns['sample_id'].size, 'A': columns['joint_names'].size, 'P': NUM_POSE[kind]}
    if sizes['N'] == 0:
        yield 'got no persons, expected at least one; check the filters of the converter'
    for name, array in columns.items():
        yield from _layout_problems(name, array, sizes)
    yield from _value_problems(columns)


def _layout_problems(name: str, array: np.ndarray, sizes: Mapping[str, int]) -> Iterator[str]:
    """Wrong shape or dtype of one column."""
    column = COLUMNS.get(name, Column(('N',), 'id', 'identifier'))
    shape = tuple(sizes[size] if isinstance(size, str) else size for size in column.shape)
    if array.shape != shape:
        legend = ', '.join(str(size) for size in column.shape)
        yield (
            f'column {name!r}: got shape {array.shape}, expected ({legend}) = {shape} with N = '
            f'{sizes["N"]} rows of sample_id; give every person one row in every column'
        )
    fits = {'S': array.dtype.kind == 'S', 'id': array.dtype.kind in 'iuS'}
    if not fits.get(column.dtype, array.dtype == column.dtype):
        expected = {'S': 'bytes', 'id': 'integers or bytes'}.get(column.dtype, column.dtype)
        yield (
            f'column {name!r}: got dtype {array.dtype}, expected {expected}; write the file with '
            'AnnotationRecord.create(...).save(path), which casts'
        )


def _value_problems(columns: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Values that would break training later, with the persons that have them."""
    ids = columns['sample_id']
    for name, column in COLUMNS.items():
        if name.startswith('fit_error') and name in columns:
            wrong = ~(np.isnan(columns[name]) | (columns[name] >= 0)) | np.isinf(columns[name])
            yield from _say(name, wrong, ids, 'negative or inf', 'an error >= 0, or NaN if unknown')
        elif column.dtype == 'float32' and column.required:
            where = ' and '.join(column.valid_where)
            expected = f'finite numbers where {where}' if where else 'finite numbers'
            yield from _say(name, _not_finite(columns, name), ids, 'NaN or inf', expected)

    not_positive: dict[str, np.ndarray] = {
        name: columns[name] <= 0 for name in ('focal_px', 'image_size_px')
    }
    not_positive['root_depth_mm'] = columns['has_depth'] & ~(columns['root_depth_mm'] > 0)
    for name, rows in not_positive.items():
        persons = rows.reshape(len(ids), -1).any(axis=1)
        yield from _say(name, persons, ids, 'values <= 0', 'positive ones')

    yield from _say('image_path', columns['image_path'] == b'', ids, 'no path', 'a file name')
    order = np.argsort(ids, kind='stable')
    repeated = np.zeros(len(ids), bool)
    repeated[order[1:]] = np.diff(ids[order]) == 0
    yield from _say('sample_id', repeated, ids, 'a repeated number', 'each number once')
    names = columns['joint_names'].tolist()
    if len(set(names)) != len(names):
        yield f"column 'joint_names': got {names}, expected each name once"
    wrong = _other_sides([name.decode() for name in names])
    if wrong:
        yield (
            f"column 'joint_names': got {wrong}, expected sides as 'L_x' and 'R_x' (such as "
            "'L_Hip'), by which joints are swapped in mirrored images: rename them when converting"
        )
    if 'gender' in columns:
        wrong = ~np.isin(columns['gender'], [b'n', b'm', b'f'])
        yield from _say('gender', wrong, ids, 'another value', "b'n' (neutral), b'm' or b'f'")


def _other_sides(names: Sequence[str]) -> list[str]:
    """Names of left and right joints in another style than L_x and R_x."""
    swap = str.maketrans('lrLR', 'rlRL')
    partners = [name[:1].translate(swap) + name[1:] for name in names]  # of lhip: rhip
    return [
        name
        for name, partner in zip(names, partners, strict=True)
        if not name.startswith(('L_', 'R_'))
        and (_OTHER_SIDES.search(name) or (partner != name and partner in names))
    ]


def _not_finite(columns: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Which persons (N,) have NaN or inf in an entry that counts."""
    bad = ~np.isfinite(columns[name])
    for mask_name in COLUMNS[name].valid_where:
        mask = columns[mask_name]
        bad &= mask.reshape(mask.shape + (1,) * (bad.ndim - mask.ndim))
    return bad.reshape(len(bad), -1).any(axis=1)


def _say(name: str, bad: np.ndarray, ids: np.ndarray, got: str, expected: str) -> Iterator[str]:
    """One message if any person is bad; (N,) bool."""
    if bad.any():
        yield (
            f'column {name!r}: got {got} for {int(bad.sum())} of {len(ids)} persons, sample_id '
            f'{ids[bad][:_MAX_NAMED].tolist()}; expected {expected}: correct or drop these persons'
        )
