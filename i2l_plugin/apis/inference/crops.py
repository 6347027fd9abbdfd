"""People of a picture as a network takes them: cropped and packed by its config's test pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from mmpose.structures import PoseDataSample
from torch import nn

import i2l_plugin.datasets  # noqa: F401 (registers PackMeshInputs)
from i2l_plugin.body_models import BodyModel
from i2l_plugin.datasets.pipeline_checks import check_pipeline

from .scene import Person

Packed = dict[str, Any]  # ``inputs`` and ``data_samples`` of PackMeshInputs


class PersonCrops:
    """The test pipeline of a config, for people without truth.

    Args:
        config: With ``test_dataloader.dataset.pipeline``; of several data sets the first's counts.
        body_model: Of the network.

    Raises:
        ValueError: There is no such pipeline, or it parts the picture from its camera.
    """

    def __init__(self, config: Config, body_model: BodyModel) -> None:
        self.joint_set = body_model.joint_set.name
        with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmpose')):
            self.pipeline = Compose(find_test_pipeline(config))
        check_pipeline(self.pipeline.transforms, is_hand=body_model.kind == 'hand')

    def __call__(self, person: Person) -> Packed:
        """The packed sample of a person."""
        scene = person.scene
        width, height = scene.size_px
        return self.pipeline(
            dict(
                img=scene.frame.image_bgr,
                img_path=scene.frame.path,
                sample_id=scene.people.index(person),
                image_id=scene.frame.frame_id,
                image_size_px=(width, height),
                bbox=person.bbox_px[None],
                bbox_score=np.array([person.score], np.float32),
                focal_px=scene.camera.focal_px,
                princpt_px=scene.camera.princpt_px,
                root_depth_mm=person.root_depth_mm,
                mirrored=False,
                joint_set=self.joint_set,
                annotated_joint_names=(),
            )
        )


def find_test_pipeline(config: Config) -> Sequence[Mapping[str, Any]]:
    """The transforms of the test split; ValueError if the config has none."""
    part: Any = config.get('test_dataloader')
    while isinstance(part, Mapping) and not part.get('pipeline'):
        part = part.get('dataset') or next(iter(part.get('datasets') or ()), None)
    if part is None:
        raise ValueError(
            'the config has no test_dataloader.dataset.pipeline, by which people are cropped'
        )
    return part['pipeline']


@torch.no_grad()
def predict(model: nn.Module, packed: Sequence[Packed]) -> list[PoseDataSample]:
    """One batch through a network."""
    return model.test_step(pseudo_collate(packed))
