"""What a conversion did, in words: people kept and dropped and why, fits, images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_NAMED = 20


@dataclass
class Tally:
    """How many there were, and the first few of them by name."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < MAX_NAMED:
            self.first.append(name)

    def named(self, indent: str, max_named: int = MAX_NAMED) -> str:
        """One line each, and how many more."""
        lines = [f'\n{indent}{name}' for name in self.first[:max_named]]
        more = self.count - len(lines)
        return ''.join(lines) + (f'\n{indent}... and {more} more' if more else '')


@dataclass
class Summary:
    """Counts of one conversion; ``str()`` is for people.

    Args:
        out: The record's file.
        kept: People in it.
        fitted: How many of them have a body-model fit.
        images: Different images among them.
        dropped: People (or images without people) that are not in it, by reason.
        invalid_fits: People in it that have no usable fit, by reason.
        missing_images: Images that are not there or are not usable.
        notes: Other lines, such as which source was read.
    """

    out: str
    kept: int
    fitted: int
    images: int
    dropped: Mapping[str, Tally]
    invalid_fits: Mapping[str, Tally]
    missing_images: Tally
    notes: list[str]

    def __str__(self) -> str:
        lines = [
            f'{self.out}: {self.kept} people in {self.images} images, {self.fitted} with a fit',
            *(f'  {note}' for note in self.notes),
        ]
        for title, tallies in (('dropped', self.dropped), ('without a fit', self.invalid_fits)):
            for reason, tally in tallies.items():
                lines.append(f'  {title}: {tally.count} ({reason}){tally.named("    ", 3)}')
        if self.missing_images.count:
            named = self.missing_images.named('    ')
            lines.append(f'  bad images: {self.missing_images.count}{named}')
        return '\n'.join(lines)
