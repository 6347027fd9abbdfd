"""Edge-collapse decimation that keeps a subset of the vertices (Garland & Heckbert, 1997).

Every collapse moves one vertex onto a neighbour, so the result's vertices are vertices of the
source and take over its weights and shape changes exactly. Border vertices stay on the border.
"""

from __future__ import annotations

import heapq

import numpy as np

_MIN_COSINE = 0.5  # a triangle may turn by at most 60 degrees in one collapse
_MIN_SHAPE = 0.1  # 1 is equilateral
_MAX_VALENCE = 11
_LENGTH_PENALTY = 2e-3  # on the fourth power of the edge length: evens out flat areas


class Decimator:
    """Collapses edges of a triangle sheet, cheapest first.

    Args:
        vertices: (N, 3) positions in m.
        triangles: (F, 3) int, a manifold sheet with at most one border through each vertex.
        importance: (N,) factor on the cost of removing a vertex.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, importance: np.ndarray) -> None:
        self.vertices = vertices
        self.importance = importance
        self.triangles: dict[int, tuple[int, int, int]] = {
            i: (int(a), int(b), int(c)) for i, (a, b, c) in enumerate(triangles)
        }
        self.around: dict[int, set[int]] = {}
        for i, corners in self.triangles.items():
            for v in corners:
                self.around.setdefault(v, set()).add(i)
        self.quadrics = {v: np.zeros((4, 4)) for v in self.around}
        for corners in self.triangles.values():
            quadric = self._plane_quadric(*vertices[list(corners)])
            for v in corners:
                self.quadrics[v] += quadric
        self.border = {v for v in self.around if self._is_border(v)}
        for v in self.border:  # keep the shape of the border curve
            for w in self.neighbours(v) & self.border:
                if self._is_border_edge(v, w):
                    self.quadrics[v] += 10 * self._edge_quadric(v, w)
        self.stamp = dict.fromkeys(self.around, 0)

    @staticmethod
    def _plane_quadric(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal)
        if area < 1e-14:
            return np.zeros((4, 4))
        plane = np.append(normal / area, -(normal / area) @ a)
        return area / 2 * np.outer(plane, plane)

    def _edge_quadric(self, v: int, w: int) -> np.ndarray:
        a, b = self.vertices[v], self.vertices[w]
        direction = (b - a) / np.linalg.norm(b - a)
        out = np.zeros((4, 4))  # squared distance from the line, weighted by length squared
        out[:3, :3] = np.eye(3) - np.outer(direction, direction)
        out[:3, 3] = out[3, :3] = -out[:3, :3] @ a
        out[3, 3] = a @ out[:3, :3] @ a
        return out * np.sum((b - a) ** 2)

    def neighbours(self, v: int) -> set[int]:
        """Vertices that share an edge with `v`."""
        return {w for i in self.around[v] for w in self.triangles[i]} - {v}

    def _is_border_edge(self, v: int, w: int) -> bool:
        return len(self.around[v] & self.around[w]) == 1

    def _is_border(self, v: int) -> bool:
        return len(self.neighbours(v)) != len(self.around[v])

    def _cost(self, v: int, w: int) -> float:
        """Price of moving `v` onto `w`; infinite if the surface would break or fold."""
        on_edge = self.around[v] & self.around[w]
        shared = self.neighbours(v) & self.neighbours(w)
        if len(shared) != len(on_edge):  # link condition
            return np.inf
        if v in self.border and not (w in self.border and len(on_edge) == 1):
            return np.inf
        valence = len(self.neighbours(v) | self.neighbours(w)) - 2
        if valence > _MAX_VALENCE:
            return np.inf
        if any(len(self.around[u]) <= (1 if u in self.border else 3) for u in shared):
            return np.inf
        point = self.vertices[w]
        corners = np.array([self.triangles[i] for i in self.around[v] - on_edge], int)
        corners = corners.reshape(-1, 3)
        old = self.vertices[corners]
        new = np.where((corners == v)[..., None], point, old)
        n_old = np.cross(old[:, 1] - old[:, 0], old[:, 2] - old[:, 0])
        n_new = np.cross(new[:, 1] - new[:, 0], new[:, 2] - new[:, 0])
        area = np.linalg.norm(n_new, axis=1)
        if ((n_old * n_new).sum(1) < _MIN_COSINE * np.linalg.norm(n_old, axis=1) * area).any():
            return np.inf
        sides = ((new - np.roll(new, 1, axis=1)) ** 2).sum((1, 2))
        shape = float(
            (2 * np.sqrt(3) * area / sides).min(initial=1)
        )  # 1 for an equilateral triangle
        if shape < _MIN_SHAPE:
            return np.inf
        homogeneous = np.append(point, 1)
        error = homogeneous @ (self.quadrics[v] + self.quadrics[w]) @ homogeneous
        span = np.sum((self.vertices[v] - point) ** 2)
        return float((error + _LENGTH_PENALTY * span * span) * self.importance[v] / shape)

    def collapse_to(self, count: int, border: bool) -> None:
        """Collapse until `count` vertices are left (of the border if `border`, else of the inside).

        Raises:
            ValueError: No further edge can collapse without breaking the surface.
        """
        heap: list[tuple[float, int, int, int, int]] = []

        def push(v: int, w: int) -> None:
            if (v in self.border) is border:
                cost = self._cost(v, w)
                if np.isfinite(cost):
                    heapq.heappush(heap, (cost, v, w, self.stamp[v], self.stamp[w]))

        for v in sorted(self.around):
            for w in sorted(self.neighbours(v)):
                push(v, w)
        remaining = sum((v in self.border) is border for v in self.around)
        while remaining > count:
            if not heap:
                raise ValueError(f'decimation stopped at {remaining} vertices, wanted {count}')
            _, v, w, stamp_v, stamp_w = heapq.heappop(heap)
            if (stamp_v, stamp_w) != (self.stamp[v], self.stamp[w]):
                continue
            if not np.isfinite(self._cost(v, w)):  # a common neighbour has changed since
                continue
            touched = self._collapse(v, w)
            remaining -= 1
            for u in touched:
                self.stamp[u] += 1
            for u in sorted(touched):
                for n in sorted(self.neighbours(u)):
                    push(u, n)
                    if n not in touched:
                        push(n, u)

    def _collapse(self, v: int, w: int) -> set[int]:
        """Move `v` onto `w`; the vertices around `w` afterwards."""
        for i in sorted(self.around[v]):
            corners = self.triangles[i]
            if w in corners:
                for u in corners:
                    self.around[u].discard(i)
                del self.triangles[i]
            else:
                self.triangles[i] = tuple(w if u == v else u for u in corners)  # type: ignore
                self.around[w].add(i)
        del self.around[v]
        self.border.discard(v)
        self.stamp[v] = -1
        self.quadrics[w] += self.quadrics.pop(v)
        return self.neighbours(w) | {w}

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Kept vertices (K,) in rising order, and triangles (F, 3) that index into them."""
        kept = np.array(sorted(self.around))
        position = {v: i for i, v in enumerate(kept.tolist())}
        faces = [[position[v] for v in corners] for _, corners in sorted(self.triangles.items())]
        return kept, np.array(faces)
