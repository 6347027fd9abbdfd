"""SMPL bodies fitted to the people of MSCOCO, and how far they are from the labelled joints.

Protocols, section 6: a fit is judged by the mean distance in the image between its joints and the
labelled ones, in px of the 64-lixel crop. Shape legend: N people, R = 17 compared joints.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from converter_core.builder import RecordBuilder
from converter_core.columns import CHUNK, NumberColumn
from converter_core.entries import as_numbers, value
from converter_core.files import stream_pairs
from converter_core.fit_error import JointPoser, joint_set_rows
from numpy.typing import NDArray

from i2l_plugin.body_models import COCO_18, JointSet, load_body_model
from i2l_plugin.geometry.camera import project
from i2l_plugin.geometry.crop import apply_affine, clip_box, crop_from_image

COMPARED = JointSet('coco_17', COCO_18.joint_names[:17])  # the pelvis follows from the hips
DEFAULT_MAX_FIT_ERROR_LIXEL = 3.0  # of the data set class; the record holds the error only
_LIXELS, _PADDING = 64, 1.25
_HOPELESS_LIXEL = 1e6  # of bodies with joints beside or behind the camera
_LAYOUT = {
    ('smpl_param', 'pose'): 72,
    ('smpl_param', 'shape'): 10,
    ('smpl_param', 'trans'): 3,
    ('cam_param', 'focal'): 2,
    ('cam_param', 'princpt'): 2,
}


class Fit(NamedTuple):
    """One fitted body and its camera."""

    pose: NDArray  # (72,) rad
    betas: NDArray  # (10,)
    transl_m: NDArray  # (3,)
    focal_px: NDArray  # (2,)
    princpt_px: NDArray  # (2,)

    def parameters(self) -> dict[str, NDArray]:
        """The body's part, as `RecordBuilder.add` wants it."""
        return {'pose': self.pose, 'betas': self.betas, 'transl_m': self.transl_m}


_ENDS = np.cumsum(list(_LAYOUT.values()))


class FittedBodies:
    """Fits by annotation id, some 400 bytes each."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._numbers = NumberColumn((int(_ENDS[-1]),), 'float32')
        # why a person has no fit, and the entry, by annotation id
        self.problems: dict[str, tuple[str, str]] = {}

    @classmethod
    def read(cls, path: Path, poser: JointPoser, builder: RecordBuilder) -> FittedBodies:
        """Read coco_smplifyx_train.json. Fits behind their camera are bad ones, not corrupt.

        Raises:
            ValueError: An entry is corrupt and the builder is to stop then; else it is put into
                `problems`.
        """
        fits = cls()
        for key, entry in stream_pairs(path, progress=builder.progress):
            try:
                fit = _read_fit(entry)
            except ValueError as error:
                problem = f'{path}: entry {key}: {error}'
                if builder.on_error == 'stop':
                    raise ValueError(
                        f'{problem}; --on-error skip keeps such people without a fit'
                    ) from error
                fits.problems[key] = 'corrupt entry', problem
                continue
            depth_m = (poser.rest_root_m(fit.betas[None])[0] + fit.transl_m)[2]
            if depth_m <= 0:
                where = f'entry {key}: pelvis at depth {depth_m:.3g} m'
                fits.problems[key] = 'behind the camera', where
                continue
            fits._rows[key] = len(fits._numbers)
            fits._numbers.append(np.concatenate(fit))
        return fits

    def get(self, annotation_id: int) -> Fit | None:
        """The fit to a person, or None."""
        row = self._rows.get(str(annotation_id))
        if row is None:
            return None
        numbers = self._numbers.chunk(row // CHUNK)[row % CHUNK]
        return Fit(*np.split(numbers, _ENDS[:-1]))


def _read_fit(entry: Any) -> Fit:
    """Numbers of one entry; lists may be nested."""
    return Fit(
        *(
            as_numbers(_flat(value(value(entry, group), name)), name, (size,))
            for (group, name), size in _LAYOUT.items()
        )
    )


def _flat(lists: Any) -> Any:
    try:
        return np.ravel(lists)
    except ValueError:  # of unequal lengths
        return None


def joint_poser(body_model: str) -> JointPoser:
    """Poses the compared joints: COCO's 17, as the body model has them by name (`BODY_29`).

    The release compares by a joint regressor of its own for COCO.
    """
    data = load_body_model('body', body_model)
    return JointPoser(data, joint_set_rows(data, COMPARED))


def fit_errors_lixel(
    poser: JointPoser, errors: list[NDArray]
) -> Callable[[dict[str, NDArray]], NDArray]:
    """Function for `RecordBuilder.fill` that also collects what it returns in `errors`."""

    def compute(columns: dict[str, NDArray]) -> NDArray[np.float64]:
        joints_mm = poser(columns['pose'], columns['betas'], columns['transl_m'])  # (N, R, 3)
        camera = (
            torch.from_numpy(columns[n].astype(np.float64)) for n in ('focal_px', 'princpt_px')
        )
        fitted = project(torch.from_numpy(joints_mm), *camera)[..., :2]  # (N, R, 2)
        labelled = torch.from_numpy(columns['joints_px'][:, : len(COMPARED)].astype(np.float64))
        crops = torch.from_numpy(_crops(columns['bbox_px'], columns['image_size_px']))
        offset = apply_affine(crops, fitted) - apply_affine(crops, labelled)
        distance = offset.norm(dim=-1).numpy()
        valid = columns['joints_valid'][:, : len(COMPARED)]
        error = np.where(valid, distance, 0).sum(axis=1) / valid.sum(axis=1)
        in_front = (joints_mm[..., 2] > 0).all(axis=1)
        error = np.where(in_front, np.minimum(error, _HOPELESS_LIXEL), _HOPELESS_LIXEL)
        errors.append(error)
        return error

    return compute


def _crops(bbox_px: NDArray, image_size_px: NDArray) -> NDArray[np.float64]:
    """(N, 2, 3) from image px to lixels: box clipped, grown to a square and by 1.25."""
    low, high = np.split(clip_box(bbox_px, image_size_px).astype(np.float64), 2, axis=1)
    side = _PADDING * (high - low).max(axis=1)
    return np.stack(
        [
            crop_from_image(center, (size, size), 0, (_LIXELS, _LIXELS))
            for center, size in zip((low + high) / 2, side, strict=True)
        ]
    )


def fill_fit_errors(builder: RecordBuilder, poser: JointPoser) -> None:
    """Fill the column ``fit_error_lixel``, and say how the errors are."""
    errors: list[NDArray] = []
    builder.fill('fit_error_lixel', fit_errors_lixel(poser, errors), 'fit errors')
    error = np.concatenate(errors) if errors else np.zeros(0)
    if len(error):
        within = (error <= DEFAULT_MAX_FIT_ERROR_LIXEL).sum()
        builder.note(
            f'fit error: median {np.median(error):.2f} px of the {_LIXELS}-lixel crop; {within} of '
            f'{len(error)} fits within {DEFAULT_MAX_FIT_ERROR_LIXEL:g} px'
        )
