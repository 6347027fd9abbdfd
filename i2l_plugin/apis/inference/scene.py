"""A picture on its way through the networks: its camera, its people, and what is found of them.

Shape legend: N people of a picture, J joints, V vertices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from i2l_plugin.body_models import BodyModel

from .boxes import Boxes
from .cameras import Camera

if TYPE_CHECKING:
    from .frames import Frame

GIVEN, ROOTNET, BOX_SIZE = 'given', 'RootNet', 'box size'


@dataclass(eq=False)
class Person:
    """One box of a picture.

    Attributes:
        scene: The picture.
        bbox_px: (4,).
        score: Of the box.
        root_depth_mm: Of the root joint; NaN until it is known.
        prediction: ``pred_instances`` of this person; None until it is known.
    """

    scene: Scene
    bbox_px: NDArray[np.float32]
    score: float
    root_depth_mm: float = float('nan')
    prediction: InstanceData | None = None


@dataclass(eq=False)
class Scene:
    """A picture or frame.

    Attributes:
        frame: The picture.
        camera: What it was taken with.
        bbox_source: ``'given'``, ``'whole image'`` or the detector's name.
        root_depth_source: ``'given'``, ``'RootNet'`` or ``'box size'``.
        people: N.
    """

    frame: Frame
    camera: Camera
    bbox_source: str
    root_depth_source: str
    people: list[Person] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        frame: Frame,
        camera: Camera,
        boxes: Boxes,
        root_depth_source: str,
        root_depth_mm: NDArray[np.float32] | None = None,
    ) -> Scene:
        """A picture with its boxes and, where they are given, root depths (N,).

        Raises:
            ValueError: There are not as many depths as boxes, or one is not > 0.
        """
        scene = cls(frame, camera, boxes.source, root_depth_source)
        depths = np.full(len(boxes), np.nan, np.float32)
        if root_depth_mm is not None:
            if len(root_depth_mm) != len(boxes) or not (root_depth_mm > 0).all():
                raise ValueError(
                    f'root_depths of {frame.name}: got {root_depth_mm.tolist()}, expected '
                    f'{len(boxes)} numbers > 0 in mm, one for each of its boxes'
                )
            depths = root_depth_mm
        scene.people = [
            Person(scene, box, float(score), float(depth))
            for box, score, depth in zip(boxes.bbox_px, boxes.score, depths, strict=True)
        ]
        return scene

    @property
    def done(self) -> bool:
        """Whether all people are predicted."""
        return all(person.prediction is not None for person in self.people)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.frame.image_bgr.shape[:2]
        return width, height

    def to_sample(self, body_model: BodyModel) -> PoseDataSample:
        """The scene sample: all people in one `pred_instances`, and where all of it is from.

        `pred_instances` (numpy) has the fields of the network's, now (N, ...), with ``bboxes``
        (N, 4) px, ``bbox_scores`` (N,) and ``root_depth_mm`` (N,). The metainfo: ``img_path``,
        ``frame_id``, ``time_s``, ``ori_shape`` (height, width), ``focal_px``, ``princpt_px``,
        ``camera_source``, ``bbox_source`` and ``root_depth_source``.
        """
        width, height = self.size_px
        metainfo: dict[str, Any] = dict(
            img_path=self.frame.path,
            frame_id=self.frame.frame_id,
            time_s=self.frame.time_s,
            ori_shape=(height, width),
            focal_px=self.camera.focal_px,
            princpt_px=self.camera.princpt_px,
            camera_source=self.camera.source,
            bbox_source=self.bbox_source,
            root_depth_source=self.root_depth_source,
        )
        sample = PoseDataSample(metainfo=metainfo)
        sample.pred_instances = self._instances() if self.people else no_people(body_model)
        return sample

    def _instances(self) -> InstanceData:
        predictions = [person.prediction for person in self.people]
        fields = {
            name: np.concatenate([prediction[name] for prediction in predictions])
            for name in predictions[0].keys()  # noqa: SIM118 - not a mapping
        }
        depths = [person.root_depth_mm for person in self.people]
        return InstanceData(**fields, root_depth_mm=np.array(depths, np.float32))


def no_people(body_model: BodyModel) -> InstanceData:
    """`pred_instances` of a picture without people."""
    joints, vertices = body_model.num_joints, body_model.num_vertices
    shapes: dict[str, tuple[int, ...]] = dict(
        bboxes=(4,),
        bbox_scores=(),
        keypoints=(joints, 2),
        keypoint_scores=(joints,),
        joints_cam=(joints, 3),
        posenet_joints_cam=(joints, 3),
        vertices_cam=(vertices, 3),
        vertices_img=(vertices, 3),
        vertex_spread=(vertices, 3),
        root_depth_mm=(),
    )
    return InstanceData(
        **{name: np.zeros((0, *shape), np.float32) for name, shape in shapes.items()}
    )
