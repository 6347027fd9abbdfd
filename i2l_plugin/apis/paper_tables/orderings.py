"""Does the paper's ordering hold? Pair by pair, given what seeds make of the same row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

HOLDS, REVERSED, UNDECIDED = 'holds', 'reversed', 'undecided'


@dataclass(frozen=True)
class Pair:
    """Two rows of which the paper prints different errors.

    Attributes:
        better, worse: Their names, as the paper has it.
        paper_mm: By how much the paper's error of `worse` is larger.
        ours_mm: The same of our means over seeds; negative where ours is the other way round.
        spread_mm: What a difference must exceed to mean anything (`pairs`).
        verdict: `HOLDS`, `REVERSED` or, within the spread, `UNDECIDED`.
    """

    better: str
    worse: str
    paper_mm: float
    ours_mm: float
    spread_mm: float
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def spread(values: Sequence[float]) -> float | None:
    """Largest minus smallest over seeds; None for a single seed, which tells nothing of it."""
    return float(np.ptp(values)) if len(values) > 1 else None


def pairs(
    paper: Mapping[str, float],
    ours: Mapping[str, Sequence[float]],
    usual_spread: float | None = None,
) -> list[Pair]:
    """All pairs of rows that both have numbers.

    The spread of a pair is the larger of its rows' spreads over seeds. Where a row has one seed,
    `usual_spread` counts, too.

    Args:
        paper: Errors in mm by row.
        ours: Errors in mm of every seed by row; rows that were not trained are missing.
        usual_spread: Of rows with more seeds; None if there are none.
    """
    found = []
    rows = [name for name in paper if ours.get(name)]
    for one, other in combinations(rows, 2):
        if paper[one] == paper[other]:
            continue
        better, worse = sorted((one, other), key=lambda name: paper[name])
        spreads = [spread(ours[name]) for name in (one, other)]
        if None in spreads:
            spreads.append(usual_spread)
        widest = max((s for s in spreads if s is not None), default=0.0)
        difference = float(np.mean(ours[worse]) - np.mean(ours[better]))
        found.append(
            Pair(
                better=better,
                worse=worse,
                paper_mm=round(paper[worse] - paper[better], 1),
                ours_mm=difference,
                spread_mm=widest,
                verdict=_verdict(difference, widest),
            )
        )
    return found


def _verdict(difference: float, widest: float) -> str:
    if abs(difference) <= widest:
        return UNDECIDED
    return HOLDS if difference > 0 else REVERSED
