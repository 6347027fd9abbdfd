"""The files of one call: what is written where, for pictures and for videos.

=========  ==============================================  ==========================
format     of a picture NAME                               of a video or camera NAME
=========  ==============================================  ==========================
json       NAME.json: list of people                       NAME.json: list of frames
npz        NAME.npz                                        NAME/NAME_000012.npz
obj        NAME_scene.obj, NAME_person0.obj, ...           NAME/NAME_000012_scene.obj, ...
ply, glb   likewise                                        likewise
html       NAME.html: the scene to look around in          NAME/NAME_000012.html
image      NAME.jpg                                        -
video      -                                               NAME.mp4
=========  ==============================================  ==========================

The last two show the people over the picture and go to a folder of their own. Every file is written
beside its place and moved there; that of a video when it ends, or as far as it has come at Ctrl-C.
Memory does not grow with the length of a video.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from i2l_plugin.files import write_atomically
from i2l_plugin.visualization.scene_exporters import export_people
from i2l_plugin.visualization.scene_html import write_scene_html
from i2l_plugin.visualization.scene_people import ScenePeople

from .frames import Frame, Source
from .json_stream import JsonListWriter
from .results import instances_of, npz_of
from .steady_video import SteadyVideo
from .video import VideoWriter

MESH_FORMATS = ('obj', 'ply', 'glb')
DATA_FORMATS = ('json', 'npz', *MESH_FORMATS, 'html')
PICTURE_FORMATS = ('image', 'video')
FORMATS = (*DATA_FORMATS, *PICTURE_FORMATS)
DEFAULT_FORMATS = ('json', 'npz', *PICTURE_FORMATS)
_UNKNOWN_FPS = 25.0


class ResultFiles:
    """Context manager that writes the results of a call, picture by picture.

    Args:
        formats: Some of `FORMATS`.
        data_dir: Folder of all but the pictures; None writes none of them.
        picture_dir: Folder of the pictures and videos; None likewise.
        faces: (F, 3) of the body model.
        joint_names: J.

    Raises:
        ValueError: A format that there is not.
        OSError: A folder that cannot be made, or into which nothing may be written.
    """

    def __init__(
        self,
        formats: Sequence[str],
        data_dir: str | os.PathLike | None,
        picture_dir: str | os.PathLike | None,
        faces: NDArray[np.int64],
        joint_names: Sequence[str],
    ) -> None:
        formats = [formats] if isinstance(formats, str) else list(formats)
        unknown = [name for name in formats if name not in FORMATS]
        if unknown:
            raise ValueError(f'save: got {unknown}, expected some of {", ".join(FORMATS)}')
        self.data_dir = Path(data_dir) if data_dir else None
        self.picture_dir = Path(picture_dir) if picture_dir else None
        written = [
            *(DATA_FORMATS if self.data_dir else ()),
            *(PICTURE_FORMATS if self.picture_dir else ()),
        ]
        self.formats = [name for name in written if name in formats]
        for folder in (self.data_dir, self.picture_dir):
            if folder is not None:
                _check_folder(folder)
        self.faces, self.joint_names = faces, list(joint_names)
        self._source: Source | None = None
        self._open_files = ExitStack()

    @property
    def needs_pictures(self) -> bool:
        """Whether `write` wants pictures."""
        return any(name in self.formats for name in PICTURE_FORMATS)

    def __enter__(self) -> ResultFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open_files.__exit__(kind, error, traceback)

    def write(
        self, frame: Frame, sample: PoseDataSample, picture_rgb: NDArray[np.uint8] | None
    ) -> None:
        """Write what was found in a frame; `picture_rgb` shows it, (H, W, 3) uint8."""
        is_sequence = frame.source.is_sequence
        if frame.source is not self._source:
            self._open_files.close()  # the files of the last video
            self._source = frame.source
            if is_sequence:
                self._open_sequence(frame.source)
        if is_sequence:
            self._write_frame(frame, sample, picture_rgb)
        else:
            self._write_picture(frame, sample, picture_rgb)
        if self.data_dir is not None:
            folder = self.data_dir / frame.source.name if is_sequence else self.data_dir
            self._write_scene(folder, frame.name, frame, sample)

    def _open_sequence(self, source: Source) -> None:
        if 'json' in self.formats:
            path = self.data_dir / f'{source.name}.json'
            self._json = self._open_files.enter_context(JsonListWriter(path))
        if 'video' in self.formats:
            path = self.picture_dir / f'{source.name}.mp4'
            fps = source.fps or _UNKNOWN_FPS
            writer = self._open_files.enter_context(VideoWriter(path, fps))
            self._video = SteadyVideo(writer, fps)

    def _write_frame(
        self, frame: Frame, sample: PoseDataSample, picture_rgb: NDArray[np.uint8] | None
    ) -> None:
        if 'json' in self.formats:
            self._json.write(
                dict(frame_id=frame.frame_id, time_s=frame.time_s, instances=instances_of(sample))
            )
        if 'video' in self.formats:
            self._video.write(picture_rgb, frame.time_s)

    def _write_picture(
        self, frame: Frame, sample: PoseDataSample, picture_rgb: NDArray[np.uint8] | None
    ) -> None:
        if 'json' in self.formats:
            text = json.dumps(instances_of(sample), allow_nan=False)
            write_atomically(self.data_dir / f'{frame.name}.json', text.encode())
        if 'image' in self.formats:
            _, data = cv2.imencode('.jpg', picture_rgb[..., ::-1])
            write_atomically(self.picture_dir / f'{frame.name}.jpg', data.tobytes())

    def _write_scene(self, folder: Path, name: str, frame: Frame, sample: PoseDataSample) -> None:
        """What is written of a picture and of a frame alike."""
        if 'npz' in self.formats:
            data = npz_of(sample, self.faces, self.joint_names)
            write_atomically(folder / f'{name}.npz', data)
        meshes = [suffix for suffix in MESH_FORMATS if suffix in self.formats]
        if meshes:
            export_people(folder, name, sample, self.faces, meshes)
        if 'html' in self.formats:
            people = ScenePeople.of(sample)
            meta = sample.metainfo
            write_scene_html(
                folder / f'{name}.html',
                frame.image_bgr[..., ::-1],
                people.vertices_mm,
                self.faces,
                meta['focal_px'],
                meta['princpt_px'],
                people.spread_mm,
                people.names,
                title=name,
                caption=f'Boxes: {meta["bbox_source"]}. Camera: {meta["camera_source"]}. '
                f'Root depth: {meta["root_depth_source"]}.',
                colors=people.colors,
            )


def _check_folder(folder: Path) -> None:
    """OSError if the folder, which need not be there, could not hold files."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(
            f'out_dir (--out): {str(there)!r} is a file, expected a folder; name another one'
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(
            f'out_dir (--out): nothing may be written into {str(there)!r}; name another folder'
        )
