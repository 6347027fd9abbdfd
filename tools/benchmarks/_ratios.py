"""Timing two ways of computing the same thing, and the table of their ratios."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """A plain and a fast way to one result.

    Attributes:
        case: What was computed.
        plain_s: Seconds of the plain way.
        fast_s: Seconds of this plugin's way.
        difference: How far the two results are apart, with its unit.
        promised: Ratio that the project promises; None for information only.
    """

    case: str
    plain_s: float
    fast_s: float
    difference: str
    promised: float | None = None

    @property
    def ratio(self) -> float:
        """How many times faster the fast way is."""
        return self.plain_s / self.fast_s

    @property
    def is_enough(self) -> bool:
        """Whether the promise is kept."""
        return self.promised is None or self.ratio >= self.promised


def seconds_of_both(
    plain: Callable[[], Any], fast: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    """Least seconds of either way, taken in turns: what else the machine does only adds time."""
    best = [float('inf'), float('inf')]
    for _ in range(repeats):
        for i, way in enumerate((plain, fast)):
            start = time.perf_counter()
            way()
            best[i] = min(best[i], time.perf_counter() - start)
    return best[0], best[1]


def print_ratios(ratios: Iterable[Ratio]) -> int:
    """Print each ratio as soon as it is there; 1 if one breaks its promise, else 0."""
    print(f'{"":28}{"plain ms":>10}{"fast ms":>10}{"ratio":>8}{"promised":>10}   difference')
    status = 0
    for ratio in ratios:
        promised = '' if ratio.promised is None else f'{ratio.promised:g}x'
        verdict = '' if ratio.is_enough else '  TOO SLOW'
        print(
            f'{ratio.case:28}{1e3 * ratio.plain_s:10.1f}{1e3 * ratio.fast_s:10.1f}'
            f'{ratio.ratio:7.1f}x{promised:>10}   {ratio.difference}{verdict}',
            flush=True,
        )
        status |= not ratio.is_enough
    return int(status)


def count(text: str) -> int:
    """For argparse: a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number of at least 1, got {text!r}')
    return value
