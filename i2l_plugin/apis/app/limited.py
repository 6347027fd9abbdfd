"""The part of an upload that is within the limits, and what has to be said about the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator

from i2l_plugin.apis.inference.scene import Scene

from .checks import Upload
from .limits import Limits


class LimitedScenes:
    """Scenes of one upload, cut to the limits.

    Args:
        upload: The picture or clip.
        name: Of the file, for messages.
        limits: What is allowed.

    Attributes:
        num_frames: Frames so far.
        problem: What the reader said last; '' if all was well.
    """

    def __init__(self, upload: Upload, name: str, limits: Limits) -> None:
        self.upload, self.name, self.limits = upload, name, limits
        self.num_frames = self.most_people = 0
        self.problem = ''
        self._num_skipped = 0
        self._start_s = 0.0
        self._cut_s: float | None = None

    def skip(self, _: str, reason: str) -> None:
        """Told by the reader that a file or a frame cannot be read."""
        self._num_skipped += 1
        self.problem = reason

    def of(self, scenes: Iterator[Scene]) -> Iterator[Scene]:
        """The scenes that are within the limits, with no more people than allowed."""
        for scene in scenes:
            time_s = scene.frame.time_s or 0.0
            if not self.num_frames:
                self._start_s = time_s
            too_late = time_s - self._start_s >= self.limits.max_seconds
            if too_late or self.num_frames >= self.limits.max_frames:
                self._cut_s = time_s - self._start_s
                return
            self.limits.check_size(*scene.size_px, self.name)
            self.num_frames += 1
            self.most_people = max(self.most_people, len(scene.people))
            scene.people = scene.people[: self.limits.max_people]  # best first
            yield scene

    def total(self, fps: float | None) -> int | None:
        """How many frames there will be, as far as the file says."""
        if self.upload.kind == 'picture':
            return 1
        if self.upload.seconds is None or not fps:
            return None
        seconds = min(self.upload.seconds, self.limits.max_seconds)
        return max(1, min(math.ceil(round(seconds * fps, 2)), self.limits.max_frames))

    def notices(self) -> list[str]:
        """Sentences about what was left out."""
        found = []
        if self._cut_s is not None:
            used = f'{self._cut_s:.1f} s ({self.num_frames} frames)'
            whole = self.upload.seconds
            found.append(
                f'Only the first {used} are used' + (f' of {whole:.1f} s.' if whole else '.')
            )
        if self._num_skipped:
            found.append(f'The clip is not whole: {self.problem}.')
        if self.most_people > self.limits.max_people:
            found.append(
                f'{self.most_people} people were found in one picture; only the '
                f'{self.limits.max_people} with the surest boxes are shown.'
            )
        return found
