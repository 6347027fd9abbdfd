"""How far a mesh's joints lie from the annotated ones in the crop, and what would explain it.

Points are matched by name. In two dimensions they are handled as complex numbers, where turning
and resizing is one multiplication and mirroring the conjugate.
Shapes: n joints known on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .crop_truth import NamedPoints

EXPLAINED_SHARE = 0.4  # an explanation leaves at most this share of the distance
_SIMPLER_SHARE = 0.1  # a simpler one may leave this share more than the best
_MIN_JOINTS = 4  # fewer can be fitted by chance
_MIN_TURN_DEG = 8.0
_SIDES = {'L_': 'R_', 'R_': 'L_'}
_EXCHANGED = 'left and right look exchanged'


class JointDistances(NamedTuple):
    """Distances (n,) of the joints `names`, in px or mm."""

    names: tuple[str, ...]
    values: np.ndarray

    @property
    def median(self) -> float | None:
        """None without a joint."""
        return float(np.median(self.values)) if len(self.values) else None

    @property
    def farthest(self) -> tuple[str, float] | None:
        """Name and distance of the farthest joint; None without a joint."""
        if not self.names:
            return None
        worst = int(self.values.argmax())
        return self.names[worst], float(self.values[worst])


def joint_distances(one: NamedPoints, other: NamedPoints) -> JointDistances:
    """Distances of the joints that both know."""
    names = one.shared_with(other)
    return JointDistances(names, np.linalg.norm(one.take(names) - other.take(names), axis=-1))


def centred_distances(one: NamedPoints, other: NamedPoints) -> JointDistances:
    """Distances of the joints that both know after their means are aligned."""
    names = one.shared_with(other)
    if not names:
        return JointDistances((), np.zeros(0))
    a, b = one.take(names), other.take(names)
    return JointDistances(names, np.linalg.norm((a - a.mean(0)) - (b - b.mean(0)), axis=-1))


def exchange_sides(joints: NamedPoints) -> NamedPoints:
    """The same points with ``L_x`` called ``R_x`` and the other way round."""
    names = tuple(_SIDES.get(name[:2], name[:2]) + name[2:] for name in joints.names)
    return NamedPoints(names, joints.points)


def only_sides(joints: NamedPoints) -> NamedPoints:
    """Left and right joints alone."""
    chosen = [name for name in joints.names if name[:2] in _SIDES]
    return NamedPoints(tuple(chosen), joints.take(chosen))


class Explanation(NamedTuple):
    """What would bring one set of joints to the other, and the median distance it leaves."""

    text: str
    left: float


def explain_px(mesh: NamedPoints, annotated: NamedPoints) -> str | None:
    """The simplest change of the mesh's joints (n, 2) px that explains where the annotated are.

    Returns:
        Words, or None if there is none, or too few joints to tell.
    """
    direct = joint_distances(annotated, mesh)
    if len(direct.names) < _MIN_JOINTS:
        return None
    candidates = list(_candidates_px(mesh, annotated))
    best = min(candidate.left for candidate in candidates)
    enough = min(best + _SIMPLER_SHARE * direct.median, EXPLAINED_SHARE * direct.median)
    return next((text for text, left in candidates if left <= enough), None)


def _candidates_px(mesh: NamedPoints, annotated: NamedPoints) -> Iterator[Explanation]:
    """Simple ones first."""
    exchanged = exchange_sides(mesh)
    if len(annotated.shared_with(exchanged)) >= _MIN_JOINTS:
        left = joint_distances(annotated, exchanged).median
        yield Explanation(f'{_EXCHANGED}: check the names of joints', left)
    names = annotated.shared_with(mesh)
    points, target = (_complex(joints.take(names)) for joints in (mesh, annotated))
    offset = np.median(target.real - points.real) + 1j * np.median(target.imag - points.imag)
    yield Explanation(
        f'a shift by ({offset.real:+.0f}, {offset.imag:+.0f}) px explains it: check the principal '
        'point and the crop',
        float(np.median(abs(points + offset - target))),
    )
    factor, left = _fit_similarity(points, target)
    turn_deg = np.degrees(np.angle(factor))
    if abs(turn_deg) > _MIN_TURN_DEG:
        text = f'a turn by {turn_deg:+.0f} degrees explains it: check the rotation'
    else:
        text = f'a zoom by {abs(factor):.2f} explains it: check the focal length and the depth'
    yield Explanation(text, left)
    for joints, what in ((exchanged, ''), (mesh, ', without exchanging left and right')):
        names = annotated.shared_with(joints)
        if len(names) >= _MIN_JOINTS:
            points, target = (_complex(side.take(names)) for side in (joints, annotated))
            text = f'mesh and joints look mirrored against each other{what}: check the flip'
            yield Explanation(text, _fit_similarity(-points.conj(), target)[1])


def explain_mm(mesh: NamedPoints, annotated: NamedPoints) -> str | None:
    """As `explain_px` for joints (n, 3) mm whose means are aligned."""
    direct = centred_distances(annotated, mesh).median
    exchanged = exchange_sides(annotated)
    candidates = {
        _EXCHANGED: exchanged,
        'the depth looks reversed': _scaled(annotated, (1, 1, -1)),
        'mesh and joints look mirrored against each other': _scaled(exchanged, (-1, 1, 1)),
    }
    left = {text: centred_distances(joints, mesh).median for text, joints in candidates.items()}
    best = min(left, key=lambda text: np.inf if left[text] is None else left[text])
    explained = direct is not None and left[best] is not None
    return best if explained and left[best] <= EXPLAINED_SHARE * direct else None


def _scaled(joints: NamedPoints, factors: tuple[float, ...]) -> NamedPoints:
    return NamedPoints(joints.names, joints.points * factors)


def _complex(points: np.ndarray) -> np.ndarray:
    return points[:, 0] + 1j * points[:, 1]


def _fit_similarity(points: np.ndarray, target: np.ndarray) -> tuple[complex, float]:
    """Least-squares factor (scale and turn) of points to target, (n,) complex; median px left."""
    p, q = points - points.mean(), target - target.mean()
    factor = complex(np.vdot(p, q) / max(np.vdot(p, p).real, 1e-12))
    return factor, float(np.median(abs(factor * p - q)))
