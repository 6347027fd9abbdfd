"""Random scale, rotation and colour (protocols, section 4; paper, section 5).

The paper gives ranges only: scale 25 %, rotation 60 degrees, colour 20 %. Two laws have these
ranges; their standard deviations are 0.135 and 0.180 of the scale, 32.4 and 28.8 degrees:

- ``'truncated'``, the host's: N(0, 1) truncated to [-1, 1], times the range;
- ``'clipped'``, the release's: 0.25 clip(N(0, 1), -1, 1), and 30 clip(N(0, 1), -2, 2) degrees.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

LAWS = ('truncated', 'clipped')


def fraction(owner: str, argument: str, value: float) -> float:
    """`value` if it is in [0, 1], else a ValueError."""
    if not 0 <= value <= 1:
        raise ValueError(f'{owner}: got {argument}={value!r}, expected a number in [0, 1]')
    return value


@TRANSFORMS.register_module()
class RandomScaleRotate(BaseTransform):
    """Scale and rotate the box, hence the crop; comes after `GetBBoxCenterScale`.

    With the law ``'truncated'`` it is the host's `RandomBBoxTransform` without shift, and draws in
    a tenth of its time.

    Args:
        scale: The box is scaled by 1 - `scale` to 1 + `scale`, in [0, 1).
        rotation: Largest angle, in degrees.
        rotate_prob: Probability of a rotation, in [0, 1].
        law: ``'truncated'`` or ``'clipped'``.
    """

    def __init__(
        self,
        scale: float = 0.25,
        rotation: float = 60.0,
        rotate_prob: float = 0.6,
        law: str = 'truncated',
    ) -> None:
        if not 0 <= scale < 1:
            raise ValueError(f'RandomScaleRotate: got scale={scale!r}, expected a number in [0, 1)')
        if not 0 <= rotation <= 180:
            raise ValueError(
                f'RandomScaleRotate: got rotation={rotation!r}, expected degrees in [0, 180]'
            )
        if law not in LAWS:
            raise ValueError(f'RandomScaleRotate: got law={law!r}, expected one of {LAWS}')
        self.scale, self.rotation, self.law = scale, rotation, law
        self.rotate_prob = fraction('RandomScaleRotate', 'rotate_prob', rotate_prob)

    @cache_randomness
    def _choose(self) -> tuple[float, float]:
        """Factor of the box and angle in degrees."""
        if self.law == 'truncated':
            scale, angle = (_truncated_normal() for _ in range(2))
        else:
            draws = np.random.standard_normal(2)  # noqa: NPY002 - the host seeds this generator
            scale, angle = np.clip(draws[0], -1, 1), np.clip(draws[1], -2, 2) / 2
        turned = np.random.rand() < self.rotate_prob  # noqa: NPY002
        return 1 + self.scale * float(scale), self.rotation * float(angle) if turned else 0.0

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``bbox_scale`` (1, 2) and set ``bbox_rotation`` (1,)."""
        factor, angle_deg = self._choose()
        results['bbox_scale'] = results['bbox_scale'] * np.float32(factor)
        results['bbox_rotation'] = np.array([angle_deg], np.float32)
        return results


def _truncated_normal() -> float:
    """N(0, 1) given that it lies in [-1, 1]: two draws in three do."""
    while True:
        value = np.random.standard_normal()  # noqa: NPY002
        if abs(value) <= 1:
            return value


@TRANSFORMS.register_module()
class ColorScale(BaseTransform):
    """Scale each colour channel of an 8-bit image by its own U(1 - factor, 1 + factor), clipped.

    Args:
        factor: In [0, 1].
    """

    def __init__(self, factor: float = 0.2) -> None:
        self.factor = fraction('ColorScale', 'factor', factor)

    @cache_randomness
    def _choose(self) -> np.ndarray:
        return np.random.uniform(1 - self.factor, 1 + self.factor, 3)  # noqa: NPY002

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img``; ValueError if it does not hold 8-bit colours."""
        img = results['img']
        if img.dtype != np.uint8 or img.shape[-1] != 3:
            raise ValueError(
                f'ColorScale: got an image {img.shape} of {img.dtype}, expected (H, W, 3) of '
                "uint8; use LoadImage with to_float32=False and color_type='color'"
            )
        levels = np.arange(256)[:, None] * self._choose()
        table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        results['img'] = cv2.LUT(img, table[None])
        return results
