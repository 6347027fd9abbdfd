"""The people of a scene sample as pictures and mesh files need them.

A scene sample is MMPose's PoseDataSample of one picture with N people in `pred_instances`.
Shapes: N people, V vertices, F faces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mmpose.structures import PoseDataSample

from .colors import person_colors
from .panels import colorize, spread_mm
from .renderer import Mesh

# The ends of the uncertainty colours leave out this share of the vertices on each side.
SPREAD_PERCENTILES = (2, 98)


class ScenePeople(NamedTuple):
    """N people, N may be 0."""

    vertices_mm: np.ndarray  # (N, V, 3) float64, camera frame
    numbers: np.ndarray  # (N,) int, track ids where tracking ran, else 0..N-1
    names: tuple[str, ...]  # N, 'track_7' or 'person_0'
    colors: np.ndarray  # (N, 3) in [0, 1]
    depth_mm: np.ndarray  # (N,) of the root joint, or else the median vertex
    boxes_px: np.ndarray | None  # (N, 4) x1 y1 x2 y2
    spread_mm: np.ndarray | None  # (N, V) standard deviation in space

    @classmethod
    def of(cls, sample: PoseDataSample) -> ScenePeople:
        """Read a scene sample.

        Raises:
            ValueError: There are people but no `vertices_cam`, or `vertex_spread` but no
                `focal_px`; names what is there.
        """
        if 'pred_instances' not in sample:
            raise ValueError(f'the data sample has no pred_instances; it has {sample.keys()}')
        people = sample.pred_instances
        count = len(people)
        if count == 0:
            nobody = np.zeros(0)
            return cls(
                np.zeros((0, 0, 3)), nobody.astype(int), (), np.zeros((0, 3)), nobody, None, None
            )
        if 'vertices_cam' not in people:
            raise ValueError(f"pred_instances has no 'vertices_cam'; it has {list(people.keys())}")
        vertices = np.asarray(people.vertices_cam, dtype=np.float64)
        tracked = 'track_ids' in people
        numbers = np.asarray(people.track_ids) if tracked else np.arange(count)
        names = tuple(f'{"track" if tracked else "person"}_{number}' for number in numbers)
        depth = people.get('root_depth_mm', np.median(vertices[..., 2], axis=1))
        boxes, spread = people.get('bboxes'), people.get('vertex_spread')
        if spread is not None:
            focal = required_meta(sample, 'focal_px')
            spread = spread_mm(np.asarray(spread, np.float64), vertices[..., 2], focal)
        return cls(
            vertices,
            numbers,
            names,
            person_colors(numbers),
            np.asarray(depth, np.float64).reshape(count),
            None if boxes is None else np.asarray(boxes, np.float64),
            spread,
        )

    def labels(self) -> list[str]:
        """The number and the depth of each, e.g. ``'3: 4.1 m'``."""
        return [
            f'{n}: {depth / 1000:.1f} m'
            for n, depth in zip(self.numbers, self.depth_mm, strict=True)
        ]

    def near_first(self) -> np.ndarray:
        """(N,) indices of the people by their depth."""
        return np.argsort(self.depth_mm, kind='stable')

    def meshes(self, faces: np.ndarray) -> list[Mesh]:
        """N meshes in the people's colours."""
        pairs = zip(self.vertices_mm, self.colors, strict=True)
        return [Mesh(vertices, faces, tuple(color)) for vertices, color in pairs]

    def spread_range_mm(self) -> tuple[float, float]:
        """Ends of the colour scale of all people together; an error as in `spread_meshes`."""
        low, high = np.percentile(self._known_spread_mm(), SPREAD_PERCENTILES)
        return float(low), float(high)

    def spread_meshes(self, faces: np.ndarray, low_mm: float, high_mm: float) -> list[Mesh]:
        """N >= 1 meshes in the colours of their vertices' uncertainty.

        Raises:
            ValueError: The people have no `vertex_spread`.
        """
        colors = colorize(self._known_spread_mm(), low_mm, high_mm)
        pairs = zip(self.vertices_mm, colors, strict=True)
        return [Mesh(vertices, faces, vertex_colors) for vertices, vertex_colors in pairs]

    def _known_spread_mm(self) -> np.ndarray:
        if self.spread_mm is None:
            raise ValueError("pred_instances has no 'vertex_spread': its uncertainty is unknown")
        return self.spread_mm


def required_meta(sample: PoseDataSample, name: str) -> np.ndarray:
    """A number array of a sample's metainfo, which a packing transform must have kept."""
    if name not in sample.metainfo:
        raise ValueError(
            f'the data sample has no {name!r} in its metainfo: add it to the meta keys of the '
            'packing transform'
        )
    return np.asarray(sample.metainfo[name], dtype=np.float64)
