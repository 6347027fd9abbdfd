"""What the page does for its visitors; knows nothing of Gradio."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from typing import NamedTuple

from . import pieces
from .engine import Engine, Findings
from .limits import RefusedError
from .storage import Job, Store

LOG = logging.getLogger('i2l_plugin.app')


class View(NamedTuple):
    """What a page shows.

    Attributes:
        status: HTML of the line that says what is going on.
        overlay: HTML of the overlay; '' where there are no results.
        scene: HTML of the 3D view.
        num_frames: Of a clip, to choose from; 1 for a picture.
        frame: The one that is shown, from 0.
    """

    status: str
    overlay: str = ''
    scene: str = ''
    num_frames: int = 1
    frame: int = 0


class Service:
    """Takes uploads one after the other, and shows what was found in them.

    Args:
        engine: Finds people.
        store: Where files are.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self.engine, self.store = engine, store
        self._line: list[Job] = []
        self._lock = threading.Lock()

    def accept(self, visitor: str, page: str, job_id: str) -> View:
        """Let an upload wait for its turn in the place of what the page showed so far."""
        job = self.store.find(visitor, job_id)
        if job is None:
            return View(pieces.refusal('The upload is not there any more; please try again.'))
        self.store.show(job, page)
        with self._lock:
            self._line = [other for other in self._line if not other.closed]
            before = len(self._line)
            if before <= self.engine.limits.max_waiting:
                self._line.append(job)
                return View(pieces.waiting(before, job.name))
        self.store.close(job)
        return View(pieces.refusal('Too many people are waiting; try again in some minutes.'))

    def refuse(self, visitor: str, page: str, reason: str) -> View:
        """Say why an upload never came, in the place of what the page showed so far."""
        if (job := self.store.shown(visitor, page)) is not None:
            self.store.close(job)  # or its results would take the place of the reason
        return View(pieces.refusal(reason))

    def work(self, visitor: str, page: str) -> Iterator[View]:
        """Work on what the page waits for; to be called for one visitor at a time.

        Whatever goes wrong, the visitor gets one sentence, and mistakes of this program also go to
        its log.
        """
        job = self.store.shown(visitor, page)
        if job is None or job not in self._line:
            return
        try:
            with self.store.work(job):
                yield from self._views(job)
        except RefusedError as error:
            self.store.close(job)
            yield View(pieces.refusal(str(error)))
        except Exception:
            number = secrets.token_hex(3)
            LOG.exception('upload failed, number %s', number)
            self.store.close(job)
            yield View(
                pieces.refusal(
                    f'“{job.name}” could not be processed. This is not your mistake; the server’s '
                    f'log says more (number {number}).'
                )
            )
        finally:
            with self._lock:
                self._line = [other for other in self._line if other is not job]

    def show_frame(self, visitor: str, page: str, frame: int) -> str:
        """HTML of the 3D view of a clip's frame, from 0."""
        job = self.store.shown(visitor, page)
        if job is None or job.findings is None:
            return pieces.refusal('The files were deleted meanwhile; please upload the clip again.')
        frame = min(max(frame, 0), len(job.findings.people) - 1)
        with self.store.work(job):
            self.engine.show(job, job.findings, frame)
            return pieces.scene(job, frame)

    def _views(self, job: Job) -> Iterator[View]:
        for step in self.engine.run(job):
            if job.closed:  # meanwhile the page may show something else
                return
            if not isinstance(step, Findings):
                yield View(pieces.progress(step, job.name))
                continue
            job.findings = step
            self.engine.show(job, step, step.first)
            yield View(
                pieces.summary(step, job.name),
                pieces.overlay(job, step),
                pieces.scene(job, step.first),
                len(step.people),
                step.first,
            )
