"""Which persons of a record a named protocol takes, and which fitted body models are trusted.

Converters keep what a data set says (ids, fit errors), so protocols and thresholds can change
without converting again (protocols, sections 6 and 7). Shape legend: N persons, A joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.logging import MMLogger
from numpy.typing import NDArray

from i2l_plugin.protocols import PROTOCOLS, Protocol, get_protocol

from .annotations import AnnotationRecord

BODYNET_JOINTS = (  # the 16 of SMPL's 24 by which BodyNet's loader crops
    *('L_Ankle', 'L_Knee', 'L_Hip', 'R_Hip', 'R_Knee', 'R_Ankle', 'Pelvis', 'Spine', 'Neck'),
    *('Head', 'L_Wrist', 'L_Elbow', 'L_Shoulder', 'R_Shoulder', 'R_Elbow', 'R_Wrist'),
)
_HIGHER = 0.05  # of the box, which BodyNet extends more above the head than below the feet


def protocol_of(dataset: str, name: str | None) -> Protocol | None:
    """The named protocol of a data set; None (all persons) if no name is given.

    Raises:
        ValueError: There is no such protocol, or it is another data set's.
    """
    if name is None:
        return None
    protocol = get_protocol(name)
    if protocol.dataset != dataset:
        own = [p.name for p in PROTOCOLS.values() if p.dataset == dataset]
        raise ValueError(f'protocol: got {name!r} of another data set, expected one of {own}')
    return protocol


def select_persons(record: AnnotationRecord, protocol: Protocol | None) -> NDArray[np.bool_]:
    """Persons (N,) that the protocol takes; everyone if there is none.

    Raises:
        ValueError: The record was converted without what the protocol selects by, or with fewer
            subjects, cameras or frames than the protocol takes: its number would not compare.
    """
    chosen = np.ones(len(record), bool)
    if protocol is None:
        return chosen
    for column, wanted in (('id_subject', protocol.subjects), ('id_camera', protocol.cameras)):
        if wanted:
            ids = _column(record, column, protocol)
            chosen &= np.isin(ids, wanted)
            lacking = sorted(set(wanted) - set(np.unique(ids).tolist()))
            if lacking:
                raise ValueError(
                    _lacks(record, protocol, f'has no {column.removeprefix("id_")} {lacking}')
                )
    if protocol.frame_step > 1:
        frames = _column(record, 'id_frame', protocol)
        chosen &= frames % protocol.frame_step == 0
        step = int(np.gcd.reduce(frames[chosen], initial=0))
        if step > protocol.frame_step:
            raise ValueError(_lacks(record, protocol, f'has every {step}th frame of it only'))
    if protocol.only_in_view:
        columns = (record[name] for name in ('joints_px', 'joints_valid', 'image_size_px'))
        chosen &= middle_in_view(record.joint_names, *columns)
    if not chosen.any():
        raise ValueError(_lacks(record, protocol, 'has nobody of it'))
    if protocol.expected_n not in (None, int(chosen.sum())):
        MMLogger.get_current_instance().warning(
            f'{record.path}: {int(chosen.sum())} persons of the protocol {protocol.name!r}, which '
            f'has {protocol.expected_n}: the numbers are of a part of it, or of another split'
        )
    return chosen


def middle_in_view(
    joint_names: Sequence[str], joints_px: NDArray, joints_valid: NDArray, image_size_px: NDArray
) -> NDArray[np.bool_]:
    """Persons (N,) whose middle lies in the picture: BodyNet's loader leaves all others out.

    A person of whom a hand is in the picture may be among those others.

    Args:
        joint_names: Of the A joints, `BODYNET_JOINTS` among them.
        joints_px: (N, A, 2), in the picture or not.
        joints_valid: (N, A).
        image_size_px: (N, 2) or (2,), width and height.
    """
    index = [list(joint_names).index(name) for name in BODYNET_JOINTS]
    valid = joints_valid[:, index, None]
    low = np.where(valid, joints_px[:, index], np.inf).min(axis=1)
    high = np.where(valid, joints_px[:, index], -np.inf).max(axis=1)
    extent = np.where(valid.any(axis=1), high - low, np.nan)  # NaN is nowhere
    middle = low + extent * [0.5, 0.5 - _HIGHER]
    return ((middle >= 0) & (middle < image_size_px)).all(axis=1)


@dataclass(frozen=True)
class FitLimit:
    """The largest error of a fitted body model that is trained on and compared with.

    Args:
        column: ``'fit_error_mm'`` or ``'fit_error_lixel'``.
        limit: Largest error that is trusted; None trusts every fit.
    """

    column: str
    limit: float | None

    def trusted(self, record: AnnotationRecord) -> NDArray[np.bool_]:
        """Persons (N,) with a fit whose error is known and within the limit.

        Raises:
            ValueError: There is a limit, and the record has fits but no errors.
        """
        valid = record['fit_valid']
        if self.limit is None or not valid.any():
            return valid
        if not self.limit > 0:
            raise ValueError(
                f'max_{self.column}: got {self.limit!r}, expected a number > 0 or None'
            )
        if self.column not in record.optional_columns:
            raise ValueError(
                f'{record.path}: got no column {self.column!r}, by which max_{self.column}='
                f'{self.limit:g} tells bad fits; convert the data set again, or say '
                f'max_{self.column}=None to trust every fit'
            )
        error = record[self.column]
        trusted = valid & (error <= self.limit)  # false where the error is unknown (NaN)
        unknown = int((valid & np.isnan(error)).sum())
        MMLogger.get_current_instance().info(
            f'{record.path}: of {int(valid.sum())} fits {int(trusted.sum())} are used, '
            f'{int((valid & (error > self.limit)).sum())} have a {self.column} above '
            f'{self.limit:g}' + (f', {unknown} an unknown one' if unknown else '')
        )
        return trusted


def _column(record: AnnotationRecord, name: str, protocol: Protocol) -> NDArray[np.int64]:
    if name not in record.optional_columns:
        raise ValueError(_lacks(record, protocol, f'has no column {name!r}'))
    return record[name]


def _lacks(record: AnnotationRecord, protocol: Protocol, what: str) -> str:
    return (
        f'protocol: {record.path or "the record"} {what}, expected all of {protocol.describe()}; '
        'convert the data set so that the record holds them, or choose another protocol'
    )
