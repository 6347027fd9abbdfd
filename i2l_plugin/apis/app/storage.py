"""The files of visitors: a folder for each upload, named by nobody can guess, and its end.

A job is one upload with all that is made of it. It belongs to one visitor, and only its own visitor
finds it; what is served of it is a list of names, never a path that somebody asks for.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .limits import MB, Limits, RefusedError

GRACE_S = 60.0  # a phone that looks at another app loses its connection for a while


@dataclass(frozen=True)
class Served:
    """A file that its visitor may fetch.

    Attributes:
        path: Where it is.
        media_type: Such as ``'image/jpeg'``.
        save_as: Name under which the browser saves it.
        is_shown: Show it instead.
    """

    path: Path
    media_type: str
    save_as: str
    is_shown: bool = False


@dataclass(eq=False)
class Job:
    """An upload and all that is made of it.

    Attributes:
        id: Secret name, of 256 random bits.
        visitor: Whom it belongs to.
        folder: Its own.
        name: Of the file, as the visitor calls it.
        size: Bytes of the upload.
        page: Where it is shown; '' before.
        files: What may be fetched, by name.
        findings: What was found, once that is known.
        closed: It is not wanted any more; whoever works on it stops.
    """

    id: str
    visitor: str
    folder: Path
    name: str
    size: int
    used_s: float
    page: str = ''
    files: dict[str, Served] = field(default_factory=dict)
    findings: Any = None
    closed: bool = False
    workers: int = 0

    @property
    def upload(self) -> Path:
        """The uploaded file."""
        return self.folder / 'upload'


class Store:
    """The jobs of all visitors, below one folder that only this user can read.

    Args:
        limits: How long files are kept, and how much they may take.
        clock: Seconds, for tests.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.root = Path(tempfile.mkdtemp(prefix='i2l_app_'))  # mode 0700
        self._jobs: dict[str, Job] = {}
        self._open_pages: Counter[tuple[str, str]] = Counter()
        self._left_s: dict[tuple[str, str], float] = {}
        self._lock = threading.RLock()

    def open(self, visitor: str, name: str, size: int) -> Job:
        """A new job for an upload of so many bytes.

        Raises:
            RefusedError: It is too large, or there is no room for it.
        """
        if size > self.limits.max_bytes:
            raise RefusedError(
                f'“{name}” has {size / MB:.1f} MB; at most {self.limits.max_mb:g} MB are taken.'
            )
        with self._lock:
            self.sweep()
            if self._bytes() + size > self.limits.max_store_mb * MB:
                raise RefusedError(
                    'The server’s disk is full at the moment; try again in some minutes.'
                )
            token = secrets.token_urlsafe(32)
            job = Job(token, visitor, self.root / token, name, size, self.clock())
            job.folder.mkdir(mode=0o700)
            self._jobs[token] = job
            return job

    def find(self, visitor: str, job_id: str) -> Job | None:
        """A visitor's job; None if there is none, or it is somebody else's."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.closed or not secrets.compare_digest(job.visitor, visitor):
                return None
            job.used_s = self.clock()
            return job

    def show(self, job: Job, page: str) -> None:
        """Let a page show a job; the one that it showed before is closed."""
        with self._lock:
            former = self.shown(job.visitor, page)
            job.page = page
            if former is not None and former is not job:
                self.close(former)

    def shown(self, visitor: str, page: str) -> Job | None:
        """What a visitor's page shows."""
        with self._lock:
            mine = (j for j in self._jobs.values() if j.page == page and not j.closed)
            job = next((job for job in mine if job.visitor == visitor), None)
            return job and self.find(visitor, job.id)

    @contextmanager
    def work(self, job: Job) -> Iterator[None]:
        """While somebody works on a job, its folder stays even when it is closed."""
        with self._lock:
            job.workers += 1
        try:
            yield
        finally:
            with self._lock:
                job.workers -= 1
                job.used_s = self.clock()
                if job.closed:
                    self._remove(job)

    @contextmanager
    def page(self, visitor: str, page: str) -> Iterator[None]:
        """While a page is open; `GRACE_S` after it is left, its job is closed."""
        key = visitor, page
        with self._lock:
            self._open_pages[key] += 1
            self._left_s.pop(key, None)
        try:
            yield
        finally:
            with self._lock:
                self._open_pages[key] -= 1
                if not self._open_pages[key]:
                    del self._open_pages[key]
                    self._left_s[key] = self.clock()

    def close(self, job: Job) -> None:
        """Delete a job with all its files, at once or when nobody works on it any more."""
        with self._lock:
            job.closed = True
            if not job.workers:
                self._remove(job)

    def sweep(self) -> None:
        """Close jobs that were not used for long, and those of pages that were left."""
        with self._lock:
            now = self.clock()
            left = {key for key, time_s in self._left_s.items() if now - time_s > GRACE_S}
            for key in left:
                del self._left_s[key]
            for job in list(self._jobs.values()):
                is_old = now - job.used_s > self.limits.keep_minutes * 60 and not job.workers
                if is_old or (job.visitor, job.page) in left:
                    self.close(job)

    def close_all(self) -> None:
        """Delete every file of every visitor."""
        with self._lock:
            self._jobs.clear()
            shutil.rmtree(self.root, ignore_errors=True)

    def _remove(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _bytes(self) -> int:
        """What all jobs take, uploads that are still coming at their full size."""
        return sum(max(job.size, _folder_bytes(job.folder)) for job in self._jobs.values())


def _folder_bytes(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except FileNotFoundError:  # a file that has just been moved to its place
        return 0
