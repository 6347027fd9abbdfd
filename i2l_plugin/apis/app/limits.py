"""What a visitor may ask for, and how a visitor is told no."""

from __future__ import annotations

from dataclasses import dataclass, fields

MB = 1_000_000


class RefusedError(Exception):
    """A visitor's mistake, or too large a wish; its text is one sentence for the visitor."""


@dataclass(frozen=True)
class Limits:
    """Limits of the page, all > 0.

    Attributes:
        max_mb: Size of an uploaded file in MB (10^6 bytes).
        max_megapixels: Pixels of a picture or of a clip's frame, in 10^6.
        max_seconds: What is used of a clip; the rest is left out.
        max_frames: Likewise, for clips of high frame rates.
        max_people: Of a picture or a frame; those with the best boxes are taken.
        max_waiting: Visitors in the queue; one is served at a time.
        keep_minutes: How long files are kept after they were last used.
        max_store_mb: What the files of all visitors may take on the disk.

    Raises:
        ValueError: One of them is not > 0.
    """

    max_mb: float = 64
    max_megapixels: float = 40
    max_seconds: float = 10
    max_frames: int = 300
    max_people: int = 8
    max_waiting: int = 10
    keep_minutes: float = 30
    max_store_mb: float = 4000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f'{field.name}: got {value}, expected a number > 0')

    @property
    def max_bytes(self) -> int:
        """Size of an uploaded file."""
        return int(self.max_mb * MB)

    def check_size(self, width: int, height: int, name: str) -> None:
        """Refuse a picture, or a clip of such frames, that is too large, too small or too thin."""
        size = f'{width} x {height} px'
        if width * height > self.max_megapixels * 1e6:
            raise RefusedError(
                f'“{name}” has {size}; at most {self.max_megapixels:g} million pixels are taken. '
                'Make it smaller and try again.'
            )
        if min(width, height) < _MIN_SIDE_PX:
            raise RefusedError(f'“{name}” has {size}; each side needs at least {_MIN_SIDE_PX} px.')
        if max(width, height) > _MAX_ASPECT * min(width, height):
            raise RefusedError(
                f'“{name}” has {size}; one side may be at most {_MAX_ASPECT} times the other.'
            )

    def sentence(self) -> str:
        """What a visitor needs to know before an upload."""
        return (
            f'JPEG, PNG, WebP or BMP; MP4, MOV, WebM, MKV or AVI. Up to {self.max_mb:g} MB, '
            f'{self.max_megapixels:g} million pixels and {self.max_people} people; of clips the '
            f'first {self.max_seconds:g} seconds are used.'
        )


_MIN_SIDE_PX = 16
_MAX_ASPECT = 16
