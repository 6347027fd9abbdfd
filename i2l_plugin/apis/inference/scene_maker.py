"""From a frame to a scene: which camera took it, who is in it, and what is known of their depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .boxes import Boxes, PerPicture, given_boxes, whole_image
from .cameras import CameraFinder
from .detection import FoundBoxes, keep_people
from .frames import Frame, OnSkip, count_frames
from .inputs import Inputs, find_inputs
from .scene import GIVEN, Scene

BOX_NUMBERS = (4, 5)  # x1 y1 x2 y2 and, where it is known, a score
DEFAULT_THR = 0.3  # of a box's score, and of its overlap with a better one, as in the host


@dataclass(frozen=True)
class SceneMaker:
    """Makes scenes of the pictures of one call.

    Args:
        cameras: Says what each picture was taken with.
        root_depth_source: Where depths that are not given will come from.
        bboxes: Given boxes, one entry a picture.
        root_depths: Given depths of the root joints in mm, likewise.
        detector: Finds people where no boxes are given, (M, 5); None takes the whole image. Its
            attribute ``name`` is recorded.
        bbox_thr: Its boxes with a lower score are dropped; None is `DEFAULT_THR`.
        nms_thr: So are those that overlap more with a better one.

    Raises:
        ValueError: Depths are given, but a detector says how many people there are; or a threshold
            is, but no detector is asked.
    """

    cameras: CameraFinder
    root_depth_source: str
    bboxes: PerPicture | None = None
    root_depths: PerPicture | None = None
    detector: FoundBoxes | None = None
    bbox_thr: float | None = None
    nms_thr: float | None = None

    def __post_init__(self) -> None:
        if self.root_depths is not None and self.bboxes is None and self.detector is not None:
            raise ValueError(
                'root_depths: got depths for people whom the detector is yet to find; give bboxes '
                'too'
            )
        for name in ('bbox_thr', 'nms_thr'):
            value = getattr(self, name)
            if value is None:
                continue
            if not 0 <= value <= 1:
                raise ValueError(f'{name}: got {value}, expected 0 to 1')
            if self.bboxes is not None or self.detector is None:
                why = 'without a detector' if self.bboxes is None else 'for boxes that are given'
                raise ValueError(
                    f"{name}: got {value} {why}, but only a detector's boxes are chosen by it; "
                    'leave it out, or let a detector find the people (det_model, --det-config)'
                )

    def check_number(self, inputs: Inputs) -> None:
        """ValueError if boxes or depths are given for more or fewer pictures than there are.

        Where there are videos, whose headers may be wrong, `PerPicture.of` says so later.
        """
        stills = all(item.kind in ('image', 'array') for item in find_inputs(inputs))
        for values in (self.bboxes, self.root_depths):
            if values is not None and stills and len(values) != count_frames(inputs):
                raise ValueError(
                    f'{values.name}: got them for {len(values)} pictures, expected '
                    f'{count_frames(inputs)}; give one entry for each picture'
                )

    def __call__(self, frame: Frame, index: int) -> Scene:
        """The scene of a frame, number `index` of the call's pictures from 0.

        Raises:
            ValueError: What is given for this picture is missing or wrong.
        """
        height, width = frame.image_bgr.shape[:2]
        picture = frame.path if frame.source.kind == 'image' else None
        depths, source = None, self.root_depth_source
        if self.root_depths is not None:
            depths, source = self.root_depths.of(index, frame.name), GIVEN
        boxes = self._boxes(frame, index)
        return Scene.of(frame, self.cameras(width, height, picture), boxes, source, depths)

    def _boxes(self, frame: Frame, index: int) -> Boxes:
        height, width = frame.image_bgr.shape[:2]
        if self.bboxes is not None:
            boxes = self.bboxes.of(index, frame.name)
            return given_boxes(boxes, width, height, frame.name)
        if self.detector is None:
            return whole_image(width, height)
        name = getattr(self.detector, 'name', type(self.detector).__name__)
        found = self.detector(frame.image_bgr)
        thresholds = (DEFAULT_THR if t is None else t for t in (self.bbox_thr, self.nms_thr))
        return keep_people(found, (width, height), name, *thresholds)


class PictureNumbers:
    """Numbers the pictures of a call, those that cannot be read included.

    Args:
        make_scene: Given each frame and its number, from 0.
        on_skip: Told of what cannot be read, as by `read_frames`.
    """

    def __init__(self, make_scene: Callable[[Frame, int], Scene], on_skip: OnSkip) -> None:
        self.make_scene, self.on_skip = make_scene, on_skip
        self.next = 0
        self.last: Frame | None = None

    def skip(self, name: str, reason: str) -> None:
        """Told by `read_frames` what cannot be read: a picture, or that a video is cut short."""
        if self.last is None or name != self.last.source.path:
            self.next += 1
        self.on_skip(name, reason)

    def scenes(self, frames: Iterator[Frame]) -> Iterator[Scene]:
        """The scenes of frames."""
        for frame in frames:
            self.last = frame
            yield self.make_scene(frame, self.next)
            self.next += 1
