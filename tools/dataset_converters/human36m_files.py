"""The parsed annotation files of Human3.6M, one subject at a time, as streams.

``Human36M_subject{S}_{data,camera,joint_3d,smpl_param}.json``: COCO-style images and annotations;
``camera[cam_idx]``; ``joint_3d`` and ``smpl_param`` are nested ``[action][subaction][frame]`` in
the world frame, and entries of ``smpl_param`` may be missing. Memory is bounded by the selected
images of one subject and by one action of the nested files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.entries import as_numbers, integer, label, numbers, text, value
from converter_core.files import open_json, stream_items, stream_pairs

NUM_JOINTS = 17
FrameKey = tuple[int, int, int]  # action, subaction, frame


class Frame(NamedTuple):
    """One image of the data set."""

    file_name: str
    size_px: tuple[int, int]
    action: int
    subaction: int
    camera: int
    frame: int

    @property
    def key(self) -> FrameKey:
        """Where it is in the nested files."""
        return self.action, self.subaction, self.frame


class Fit(NamedTuple):
    """SMPL parameters in the world frame: (24, 3) rad, (10,), (3,) m."""

    pose: Any
    betas: Any
    transl_m: Any


def expected_files(subjects: Collection[int]) -> dict[str, str]:
    """What must be there, relative to the root."""
    parts = {
        'data': 'images and boxes, COCO style',
        'camera': 'R, t (mm), f and c of each camera',
        'joint_3d': '17 joints a frame, world mm',
        'smpl_param': 'fitted SMPL, [action][subaction][frame]',
    }
    files = {
        f'annotations/Human36M_subject{subject}_{part}.json': f'subject {subject}: {what}'
        for subject in subjects
        for part, what in parts.items()
    }
    return {**files, 'images': 'folder of the images'}


class SubjectFiles:
    """The four files of one subject.

    Args:
        root: Folder of the data set.
        subject: Number of the subject.
        builder: Says what a corrupt entry means, and makes the progress bars.
    """

    def __init__(self, root: Path, subject: int, builder: RecordBuilder) -> None:
        self.subject, self.builder = subject, builder
        self._stem = str(root / 'annotations' / f'Human36M_subject{subject}')

    def path(self, part: str) -> Path:
        """Of ``'data'``, ``'camera'``, ``'joint_3d'`` or ``'smpl_param'``."""
        return Path(f'{self._stem}_{part}.json')

    def cameras(self, wanted: Collection[int]) -> dict[int, WorldCamera]:
        """The wanted cameras by number; a wrong one always stops the conversion."""
        path = self.path('camera')
        entries, cameras = open_json(path), {}
        for number in wanted:
            try:
                cameras[number] = WorldCamera.from_entry(value(entries, str(number)))
            except ValueError as error:
                raise ValueError(f'{path}: camera {number}: {error}') from error
        return cameras

    def images(self, is_wanted: Callable[[int, int], bool]) -> dict[int, Frame]:
        """The images whose (frame, camera) is wanted, by image id."""
        path, frames = self.path('data'), {}
        for image in stream_items(path, 'images.item', self.builder.progress):
            with self.builder.entry(path, f'images, id {label(image)}'):
                frame, camera = integer(image, 'frame_idx'), integer(image, 'cam_idx')
                if not is_wanted(frame, camera):
                    continue
                if integer(image, 'subject') != self.subject:
                    raise ValueError(f'subject: got {image["subject"]}, expected {self.subject}')
                frames[integer(image, 'id')] = Frame(
                    file_name=text(image, 'file_name'),
                    size_px=(integer(image, 'width'), integer(image, 'height')),
                    action=integer(image, 'action_idx'),
                    subaction=integer(image, 'subaction_idx'),
                    camera=camera,
                    frame=frame,
                )
        return frames

    def annotations(self) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """Number (for messages) and entry of every annotation."""
        for entry in stream_items(self.path('data'), 'annotations.item', self.builder.progress):
            yield label(entry), entry

    def joints(self, wanted: Collection[FrameKey]) -> dict[FrameKey, Any]:
        """(17, 3) joints in world mm of the wanted frames that there are, or what is wrong."""

        def read(entry: Mapping[str, Any], key: str) -> Any:
            return as_numbers(entry[key], 'joints', (NUM_JOINTS, 3))

        return self._nested('joint_3d', wanted, read)

    def fits(self, wanted: Collection[FrameKey]) -> dict[FrameKey, Any]:
        """`Fit` of the wanted frames that have one, or what is wrong."""

        def read(entry: Mapping[str, Any], key: str) -> Fit:
            fit = value(entry, key)
            shapes = {'pose': (24, 3), 'shape': (10,), 'trans': (3,)}
            return Fit(*(numbers(fit, name, shape) for name, shape in shapes.items()))

        return self._nested('smpl_param', wanted, read)

    def _nested(
        self,
        part: str,
        wanted: Collection[FrameKey],
        read: Callable[[Mapping[str, Any], str], Any],
    ) -> dict[FrameKey, Any]:
        """Values, or a ValueError in the place of a corrupt one, which its people will raise."""
        by_action: dict[str, list[FrameKey]] = {}
        for key in wanted:
            by_action.setdefault(str(key[0]), []).append(key)
        path, found = self.path(part), {}
        for action, subactions in stream_pairs(path, progress=self.builder.progress):
            for key in by_action.get(action, ()):
                subaction, frame = str(key[1]), str(key[2])
                try:
                    frames = subactions.get(subaction, {})
                    if frame in frames:
                        found[key] = read(frames, frame)
                except (ValueError, AttributeError, TypeError) as error:
                    message = f'{path.name}, [{action}][{subaction}][{frame}]: {error}'
                    found[key] = ValueError(message)
        return found
