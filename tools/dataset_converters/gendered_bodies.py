"""Body models by gender: rest roots for moving fits between frames, and how well fits agree.

Shape coefficients mean another body in each model, so a fit must be posed with the model of the
person's gender. Shape legend: N people, P = 24 posed joints, V vertices.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import numpy as np
import torch
from converter_core.builder import RecordBuilder
from converter_core.fit_error import JointPoser, mean_aligned_error_mm
from numpy.typing import NDArray

from i2l_plugin.body_models import BodyModelData, load_body_model
from i2l_plugin.geometry.camera import project

GENDERS = {'m': 'male', 'f': 'female'}
MAX_MEDIAN_MM, MAX_MEDIAN_PX = 15.0, 3.0  # from fits to annotated joints, which come of them


class GenderedBodies:
    """The male and the female model, of which only joints are posed.

    Args:
        data: Arrays by gender, ``'m'`` and ``'f'``.
    """

    def __init__(self, data: Mapping[str, BodyModelData]) -> None:
        no_rows = {gender: np.zeros((0, one.num_vertices)) for gender, one in data.items()}
        self._models = {
            gender: JointPoser(one, no_rows[gender]).model for gender, one in data.items()
        }

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> GenderedBodies:
        """Models of `add_gendered_body_arguments`."""
        files = {'m': args.body_model_male, 'f': args.body_model_female}
        return cls({gender: load_body_model('body', file) for gender, file in files.items()})

    @torch.no_grad()
    def rest_root_m(self, gender: str, betas: NDArray) -> NDArray[np.float64]:
        """Root joint J0 of one shape at zero translation; betas (10,) -> (3,) m."""
        shape = torch.from_numpy(np.array(betas, np.float64))[None]
        return self._models[gender].rest_root_m(shape)[0].numpy()

    @torch.no_grad()
    def joints_mm(
        self, gender: str, pose: NDArray, betas: NDArray, transl_m: NDArray
    ) -> NDArray[np.float64]:
        """Centres of rotation (N, P, 3) of posed bodies, mm; as the data sets annotate them.

        Args:
            gender: Of all N.
            pose: (N, P, 3) rad.
            betas: (N, 10).
            transl_m: (N, 3).
        """
        tensors = (torch.from_numpy(np.array(a, np.float64)) for a in (pose, betas, transl_m))
        return 1000 * self._models[gender](*tensors).lbs_joints_m.numpy()


def add_gendered_body_arguments(parser: argparse.ArgumentParser) -> None:
    """--body-model-male and --body-model-female."""
    for name in GENDERS.values():
        parser.add_argument(
            f'--body-model-{name}',
            required=True,
            metavar='FILE',
            help=f"SMPL's {name} model (.pkl or .npz), which the fits of {name} people are of, or "
            "'open' for the embedded model",
        )


def gender_of(label: object) -> str:
    """``'m'`` or ``'f'`` from m, f, male or female; ValueError for anything else."""
    text = label.decode('latin1') if isinstance(label, bytes) else str(label)
    short = {**{name: gender for gender, name in GENDERS.items()}, **{g: g for g in GENDERS}}
    if text.lower() not in short:
        raise ValueError(f'gender: got {label!r}, expected one of {sorted(short)}')
    return short[text.lower()]


def fill_gendered_fit_error_mm(builder: RecordBuilder, bodies: GenderedBodies) -> None:
    """Fill ``fit_error_mm`` and note how far the posed fits are from the annotated joints.

    The error is over SMPL's 24 joints after aligning the means. The note is about distances as they
    are, in the picture too, where a wrong convention or body model shows at once.

    Args:
        builder: With SMPL's 24 joints, the columns ``'gender'`` and ``'fit_error_mm'``, and a fit
            of everyone.
        bodies: The models.
    """
    genders, start = builder.columns['gender'], 0
    distances_mm, distances_px = [], []

    def errors(columns: dict[str, NDArray]) -> NDArray:
        nonlocal start
        number, truth_mm = len(columns['pose']), columns['joints_cam_mm']
        own = np.array([genders[row].decode() for row in range(start, start + number)])
        start += number
        joints_mm = np.zeros(truth_mm.shape)
        for gender in np.unique(own):
            parts = (columns[name][own == gender] for name in ('pose', 'betas', 'transl_m'))
            joints_mm[own == gender] = bodies.joints_mm(str(gender), *parts)
        valid = columns['joints_valid'] & (joints_mm[..., 2] > 0)
        cameras = (torch.from_numpy(columns[n].astype(float)) for n in ('focal_px', 'princpt_px'))
        joints_px = project(torch.from_numpy(joints_mm), *cameras)[..., :2].numpy()
        distances_mm.append(np.linalg.norm(joints_mm - truth_mm, axis=-1)[valid])
        distances_px.append(np.linalg.norm(joints_px - columns['joints_px'], axis=-1)[valid])
        error_mm, _ = mean_aligned_error_mm(joints_mm, truth_mm)
        return np.where(valid.all(axis=1), error_mm, np.nan)

    builder.fill('fit_error_mm', errors, 'posing the fits')
    if not distances_px:
        return
    median_mm, median_px = (
        np.median(np.concatenate(distances)) for distances in (distances_mm, distances_px)
    )
    builder.note(
        f'fits: their posed joints are a median of {median_mm:.1f} mm and {median_px:.2f} px from '
        'the annotated ones'
    )
    if not (median_mm <= MAX_MEDIAN_MM and median_px <= MAX_MEDIAN_PX):
        builder.note(
            f'WARNING: that is more than {MAX_MEDIAN_MM:g} mm or {MAX_MEDIAN_PX:g} px: the body '
            'models are not those that the fits are of, or these files follow another convention; '
            'do not use the record'
        )
