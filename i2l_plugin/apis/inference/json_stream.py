"""A JSON list that is written entry by entry, so that memory does not grow with its length."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any


class JsonListWriter:
    """Context manager: `write` the entries one by one; the file appears when it is left.

    Until then it is a hidden file beside its place. Ctrl-C finishes the list as far as it has come;
    any other error leaves no file. Without an entry the list is empty.

    Args:
        path: File to write; its folder is made if missing, an old file replaced.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._end = 0  # of the last whole entry, in bytes

    def __enter__(self) -> JsonListWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, self._temporary = tempfile.mkstemp(
            dir=self.path.parent, prefix=f'.{self.path.name}.'
        )
        self._file = os.fdopen(handle, 'wb')
        return self

    def write(self, entry: Any) -> None:
        """Append an entry; ValueError if a number in it is not finite."""
        text = json.dumps(entry, allow_nan=False)
        data = f'{"," if self._end else "["}\n{text}'.encode()
        self._file.write(data)
        self._end += len(data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None or issubclass(kind, (KeyboardInterrupt, GeneratorExit)):
                self._file.seek(self._end)
                self._file.truncate()  # of an entry that Ctrl-C cut
                self._file.write(b'\n]\n' if self._end else b'[]\n')
                self._file.close()
                os.chmod(self._temporary, 0o644)
                os.replace(self._temporary, self.path)
        finally:
            self._file.close()
            Path(self._temporary).unlink(missing_ok=True)
