"""Progress bars with the time left, on stderr: silent where that is no terminal, unless asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

MODES = {'auto': None, 'on': False, 'off': True}  # tqdm's `disable`; None asks for a terminal
_Item = TypeVar('_Item')


class Progress:
    """Makes the bars of one conversion.

    Args:
        mode: ``'auto'`` (only on a terminal), ``'on'`` or ``'off'``.
    """

    def __init__(self, mode: str = 'auto') -> None:
        if mode not in MODES:
            raise ValueError(f'progress: got {mode!r}, expected one of {sorted(MODES)}')
        self._disable = MODES[mode]

    def bar(self, total: int | None, what: str, unit: str = ' people', **options: Any) -> tqdm:
        """An empty bar; call its ``update(n)``, and ``close()`` or use it in a ``with``."""
        return tqdm(
            total=total,
            desc=what,
            unit=unit,
            disable=self._disable,
            dynamic_ncols=True,
            mininterval=0.5,
            leave=False,
            **options,
        )

    def bytes_bar(self, total: int, what: str) -> tqdm:
        """A bar for a file of `total` bytes."""
        return self.bar(total, what, unit='B', unit_scale=True, unit_divisor=1024)

    def over(self, items: Iterable[_Item], total: int | None, what: str) -> Iterator[_Item]:
        """The items, one step of a bar each."""
        with self.bar(total, what) as bar:
            for item in items:
                yield item
                bar.update()


SILENT = Progress('off')
