"""Writing files so that nothing half-written is ever found."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A name beside `path`, of its suffix; the file written there takes `path`'s place at the end.

    An error or an interruption in the block removes it and leaves `path` as it was. The folder is
    made if missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.stem}.{secrets.token_hex(4)}{path.suffix}')
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike, data: bytes) -> None:
    """Write a file, whole or not at all; its folder is made if missing."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(content: Any, path: str | os.PathLike, indent: int | None = None) -> None:
    """Write a JSON file, whole or not at all; its folder is made if missing.

    Raises:
        ValueError: `content` holds NaN or inf.
    """
    with replacing(path) as temporary, temporary.open('w') as file:
        json.dump(content, file, indent=indent, allow_nan=False)
        file.write('\n')
