"""Columns that grow by one row at a time in typed chunks: no Python object stays for a row.

Shape legend: N rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

CHUNK = 1024  # rows; also the batch that fit errors are computed in


class NumberColumn:
    """(N, *shape) numbers.

    Args:
        shape: Of one row.
        dtype: Of the numbers.
    """

    def __init__(self, shape: Sequence[int], dtype: str) -> None:
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.chunks: list[np.ndarray] = []
        self._length = 0

    def append(self, row: object) -> None:
        """Add a row; broadcasts."""
        if self._length % CHUNK == 0:
            self.chunks.append(np.zeros((CHUNK, *self.shape), self.dtype))
        self._length += 1
        self[self._length - 1] = row

    def __len__(self) -> int:
        return self._length

    def __setitem__(self, index: int, row: object) -> None:
        self.chunks[index // CHUNK][index % CHUNK] = row

    def chunk(self, i: int) -> np.ndarray:
        """View of rows i * CHUNK to (i + 1) * CHUNK, fewer in the last chunk."""
        return self.chunks[i][: self._length - i * CHUNK]

    def take(self) -> np.ndarray:
        """All rows as one array; the column is empty afterwards, to save memory."""
        rows = np.empty((self._length, *self.shape), self.dtype)
        for i in range(len(self.chunks)):
            rows[i * CHUNK : (i + 1) * CHUNK] = self.chunk(i)
            self.chunks[i] = np.empty(0)
        self.chunks, self._length = [], 0
        return rows


class TextColumn:
    """(N,) UTF-8 strings in one buffer."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array('q')

    def append(self, row: str | bytes) -> None:
        """Add a row."""
        self._bytes += row.encode() if isinstance(row, str) else row
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> bytes:
        start = self._ends[index - 1] if index else 0
        return bytes(self._bytes[start : self._ends[index]])

    def take(self) -> np.ndarray:
        """All rows as one array of bytes; the column is empty afterwards."""
        ends = np.array(self._ends)
        longest = int(np.diff(ends, prepend=0).max(initial=1))
        rows = np.empty(len(ends), f'S{max(longest, 1)}')
        for i in range(len(ends)):
            rows[i] = self[i]
        self._bytes, self._ends = bytearray(), array('q')
        return rows
