"""Values of one entry of an annotation file, checked; a ValueError says what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def value(entry: Mapping[str, Any], key: str) -> Any:
    """``entry[key]``; ValueError if it is not there."""
    if not isinstance(entry, Mapping):
        raise ValueError(f'got a {type(entry).__name__}, expected an object with {key!r}')
    if key not in entry:
        raise ValueError(f'it has no {key!r}, only {sorted(entry)[:20]}')
    return entry[key]


def label(entry: Any, key: str = 'id') -> Any:
    """What to call an entry in messages: ``entry[key]`` if it has one."""
    return entry.get(key) if isinstance(entry, Mapping) else repr(entry)[:80]


def integer(entry: Mapping[str, Any], key: str) -> int:
    """A whole number, also where it is written as text or with a point."""
    got = value(entry, key)
    try:
        number = int(got)
        if number == float(got):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f'{key}: got {got!r}, expected a whole number')


def text(entry: Mapping[str, Any], key: str) -> str:
    """A string that is not empty."""
    got = value(entry, key)
    if not isinstance(got, str) or not got:
        raise ValueError(f'{key}: got {got!r}, expected text')
    return got


def numbers(entry: Mapping[str, Any], key: str, shape: Sequence[int]) -> NDArray[np.float64]:
    """As `as_numbers`, of ``entry[key]``."""
    return as_numbers(value(entry, key), key, shape)


def as_numbers(got: Any, name: str, shape: Sequence[int]) -> NDArray[np.float64]:
    """Finite numbers of this shape; flat ones, or with more axes of length 1, will do."""
    shape = tuple(shape)
    try:
        array = np.asarray(got, np.float64)  # None, as which NaN comes, becomes NaN
    except (TypeError, ValueError):
        raise ValueError(f'{name}: got no array of numbers, expected {shape}') from None
    axes = tuple(size for size in array.shape if size != 1)
    if axes != tuple(size for size in shape if size != 1) and axes != (int(np.prod(shape)),):
        raise ValueError(f'{name}: got shape {array.shape}, expected {shape}')
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise ValueError(f'{name}: got NaN or inf in {bad} of {array.size} numbers')
    return array.reshape(shape)


def box_from_xywh(xywh: Sequence[float]) -> NDArray[np.float64]:
    """COCO's left, top, width, height in px -> x1 y1 x2 y2, with x2 = x1 + width."""
    x, y, width, height = as_numbers(xywh, 'bbox', (4,))
    if width < 0 or height < 0:
        raise ValueError(f'bbox: got width {width:g} and height {height:g}, expected >= 0')
    return np.array([x, y, x + width, y + height])
