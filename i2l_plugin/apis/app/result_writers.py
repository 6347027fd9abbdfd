"""The files of a job while its frames come: overlay, JSON, and the frames kept to be turned.

Of a clip the overlay is a video, and JSON comes in lines, one a frame, without what each vertex
has: a minute of it would be gigabytes. The vertices are in the GLB files of the frames.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from i2l_plugin.apis.inference.frames import Frame
from i2l_plugin.apis.inference.results import instances_of
from i2l_plugin.apis.inference.steady_video import SteadyVideo
from i2l_plugin.apis.inference.video import VideoWriter
from i2l_plugin.files import write_atomically
from i2l_plugin.visualization.dataset_sheet import encode
from i2l_plugin.visualization.scene_people import ScenePeople

from .kept_frames import KeptFrame, view_of
from .storage import Job, Served

_OPACITY = 0.9
_MIN_SIDE_PX = 720  # meshes are drawn finer than small pictures are
_PICTURE_SIDE_PX, _CLIP_SIDE_PX = 1920, 1280
_UNKNOWN_FPS, _MAX_FPS = 25.0, 60.0
_PER_VERTEX = ('vertices_cam', 'vertex_spread')


def stem_of(name: str) -> str:
    """A visitor's file name as the beginning of file names that every system takes."""
    stem = name.rsplit('.', 1)[0]
    return re.sub(r'[^\w-]+', '_', stem, flags=re.ASCII).strip('_')[:60] or 'result'


def kept_path(job: Job, index: int) -> Path:
    """Where a frame of a job is kept."""
    return job.folder / f'frame_{index}.npz'


class PictureResults:
    """Context manager: `add` the picture.

    Args:
        job: Where the files go.
        faces: (F, 3) of the body model.
    """

    def __init__(self, job: Job, faces: NDArray[np.int64]) -> None:
        self.job, self.faces = job, faces
        self.people: list[int] = []
        self._open_files = ExitStack()

    def __enter__(self):
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open_files.__exit__(kind, error, traceback)

    def add(self, frame: Frame, sample: PoseDataSample) -> None:
        """Write what was found in the next frame."""
        self._write(frame, sample)
        KeptFrame.of(frame.image_bgr[..., ::-1], sample).save(kept_path(self.job, len(self.people)))
        self.people.append(len(sample.pred_instances))

    def _write(self, frame: Frame, sample: PoseDataSample) -> None:
        picture = self._overlay(frame, sample, _PICTURE_SIDE_PX)
        write_atomically(self.job.folder / 'overlay.jpg', encode(picture, '.jpg'))
        text = json.dumps(instances_of(sample), allow_nan=False)
        write_atomically(self.job.folder / 'people.json', text.encode())
        self._serve('overlay.jpg', 'image/jpeg', '_overlay.jpg', is_shown=True)
        self._serve('people.json', 'application/json', '.json')

    def _overlay(self, frame: Frame, sample: PoseDataSample, max_side_px: int) -> NDArray[np.uint8]:
        view = view_of(frame.image_bgr[..., ::-1], sample, _MIN_SIDE_PX, max_side_px)
        return view.overlay(ScenePeople.of(sample).meshes(self.faces), _OPACITY)

    def _serve(self, name: str, media_type: str, ending: str, is_shown: bool = False) -> None:
        """Let the visitor fetch a file, as their file's name with another ending."""
        save_as = f'{stem_of(self.job.name)}{ending}'
        self.job.files[name] = Served(self.job.folder / name, media_type, save_as, is_shown)


class ClipResults(PictureResults):
    """Likewise: `add` the frames of a clip; its files are there when it is left."""

    def __enter__(self):
        self._lines = self._open_files.enter_context(
            (self.job.folder / 'people.jsonl').open('w', encoding='utf-8')
        )
        self._video: SteadyVideo | None = None
        self._start_s = 0.0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        if kind is None:
            self._serve('overlay.mp4', 'video/mp4', '_overlay.mp4', is_shown=True)
            self._serve('people.jsonl', 'application/x-ndjson', '.jsonl')

    def _write(self, frame: Frame, sample: PoseDataSample) -> None:
        people = instances_of(sample)
        for person in people:
            for name in _PER_VERTEX:
                del person[name]
        entry = dict(frame_id=frame.frame_id, time_s=frame.time_s, instances=people)
        self._lines.write(json.dumps(entry, allow_nan=False) + '\n')
        if self._video is None:
            fps = min(frame.source.fps or _UNKNOWN_FPS, _MAX_FPS)
            writer = VideoWriter(self.job.folder / 'overlay.mp4', fps)
            self._video = SteadyVideo(self._open_files.enter_context(writer), fps)
            self._start_s = frame.time_s
        # browsers cannot show more than _MAX_FPS, and SteadyVideo leaves nothing out
        due = (frame.time_s - self._start_s) * self._video.fps
        if self._video.writer.num_frames <= due + 1:
            self._video.write(self._overlay(frame, sample, _CLIP_SIDE_PX), frame.time_s)
