"""OpenPose's detections in 3DPW's raw files, as a check of cameras and sides.

``poses2d`` are detections in OpenPose's COCO order (`DETECTED`): x, y, score; zeros where it found
fewer than 6 joints. They are no annotation; but a wrong camera or swapped sides put them a body's
width away from the projected joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from converter_core.builder import RecordBuilder
from numpy.typing import NDArray

from i2l_plugin.body_models import SMPL_24

DETECTED = (
    *('Nose', 'Neck', 'R_Shoulder', 'R_Elbow', 'R_Wrist', 'L_Shoulder', 'L_Elbow', 'L_Wrist'),
    *('R_Hip', 'R_Knee', 'R_Ankle', 'L_Hip', 'L_Knee', 'L_Ankle', 'R_Eye', 'L_Eye', 'R_Ear'),
    'L_Ear',
)
MAX_MEDIAN = 0.1  # distance, of the body's extent in the picture
_LIMBS = tuple(name for name in DETECTED if name in SMPL_24.joint_names and name != 'Neck')
_OWN, _DETECTED = (
    [names.index(name) for name in _LIMBS] for names in (SMPL_24.joint_names, DETECTED)
)
_MIN_SCORE = 0.3


class DetectionCheck:
    """How far the detected limbs are from the projected joints of the same names."""

    def __init__(self) -> None:
        self._distances: list[float] = []

    def add(self, person: Mapping[str, Any], detections: NDArray) -> None:
        """One person.

        Args:
            person: ``joints_px`` (24, 2) and ``joints_valid`` (24,), SMPL's.
            detections: (3, 18): x px, y px, score.
        """
        x, y, score = detections[:, _DETECTED]
        joints_px, valid = person['joints_px'], person['joints_valid']
        found = (score > _MIN_SCORE) & valid[_OWN]
        if found.any():
            distances_px = np.hypot(x - joints_px[_OWN, 0], y - joints_px[_OWN, 1])
            extent_px = np.ptp(joints_px[valid], axis=0).max()
            self._distances.append(float(np.median(distances_px[found]) / extent_px))

    def report(self, builder: RecordBuilder) -> None:
        """Note the median over people in the summary, with a warning if it is large."""
        if not self._distances:
            return
        median = np.median(self._distances)
        builder.note(
            f'poses2d: the limbs that OpenPose found are a median of {median:.1%} of the body away '
            f'from the projected joints of the same names ({len(self._distances)} people)'
        )
        if not median <= MAX_MEDIAN:
            builder.note(
                f'WARNING: that is more than {MAX_MEDIAN:.0%}: these files follow another '
                'convention of cameras or joints; do not use the record'
            )
