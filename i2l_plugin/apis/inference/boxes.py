"""The boxes of a picture's people, and what a user gives for each person: boxes, root depths.

Boxes are x1 y1 x2 y2 in px, cut to the picture as in training and not yet grown.
Shape legend: N people of a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2l_plugin.geometry.crop import MIN_BOX_PX, box_has_area, clip_box

GIVEN, WHOLE_IMAGE = 'given', 'whole image'


@dataclass(frozen=True)
class Boxes:
    """Boxes of the people of one picture.

    Attributes:
        bbox_px: (N, 4).
        score: (N,), 1 for those that no detector found.
        source: ``'given'``, ``'whole image'`` or the name of the detector.
    """

    bbox_px: NDArray[np.float32]
    score: NDArray[np.float32]
    source: str

    def __len__(self) -> int:
        return len(self.bbox_px)


def whole_image(width_px: int, height_px: int) -> Boxes:
    """One box, the picture."""
    box = clip_box([[0, 0, width_px, height_px]], (width_px, height_px))
    return Boxes(box, np.ones(1, np.float32), WHOLE_IMAGE)


def given_boxes(boxes: NDArray[np.float32], width_px: int, height_px: int, name: str) -> Boxes:
    """Boxes (N, 4), or (N, 5) with scores, of the picture `name`.

    Raises:
        ValueError: They are not finite, or one has no area in the picture.
    """
    if not np.isfinite(boxes).all():
        raise ValueError(f'bboxes of {name}: got {boxes.tolist()}, expected finite numbers')
    box = clip_box(boxes[:, :4], (width_px, height_px))
    empty = np.flatnonzero(~box_has_area(box))
    if len(empty):
        raise ValueError(
            f'bboxes of {name}: got {boxes[empty[0], :4].tolist()}, of which less than '
            f'{MIN_BOX_PX:g} px lie in the picture of {width_px} x {height_px} px; expected '
            'x1 y1 x2 y2 in px'
        )
    score = boxes[:, 4] if boxes.shape[1] == 5 else np.ones(len(boxes), np.float32)
    return Boxes(box, score, GIVEN)


class PerPicture:
    """What a user gives for the people of each picture: boxes, or numbers.

    Args:
        name: Of the argument, for messages.
        values: One entry a picture, in the order of the pictures, of one value a person. For one
            picture its entry alone will do.
        sizes: How many numbers a value may have; () for a plain number.
    """

    def __init__(self, name: str, values: Sequence[Any], sizes: tuple[int, ...] = ()) -> None:
        self.name, self.sizes = name, sizes
        entries = [values] if self._is_entry(values) else values
        self.entries = [self._as_entry(entry) for entry in entries]

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, index: int, picture: str) -> NDArray[np.float32]:
        """The entry of a picture by its number, (N,) or (N, size)."""
        if index >= len(self):
            raise ValueError(
                f'{self.name}: got them for {len(self)} pictures, but {picture!r} is number '
                f'{index + 1}; give one entry for each picture'
            )
        return self.entries[index]

    def _is_entry(self, values: Any) -> bool:
        """Whether these are the values of people, not a list of entries."""
        if not self.sizes:
            return not any(map(_is_list, values))
        return len(values) > 0 and all(
            _is_list(value) and len(value) in self.sizes and not any(map(_is_list, value))
            for value in values
        )

    def _as_entry(self, values: Any) -> NDArray[np.float32]:
        what = f'{" or ".join(map(str, self.sizes))} numbers' if self.sizes else 'a number'
        try:
            entry = np.asarray(values, np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f'{self.name}: {error}; expected {what} for each person') from error
        if entry.size == 0:
            return np.zeros((0, *self.sizes[:1]), np.float32)
        fits = entry.ndim == 2 and entry.shape[1] in self.sizes if self.sizes else entry.ndim == 1
        if not fits:
            raise ValueError(
                f'{self.name}: got an entry of shape {entry.shape}, expected {what} for each person'
            )
        return entry


def _is_list(value: Any) -> bool:
    return hasattr(value, '__len__')
