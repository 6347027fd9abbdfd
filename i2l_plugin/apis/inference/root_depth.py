"""How far away a person's root joint is: R of Eq. 7.

Given, from RootNet, or from the size of the box alone. Shape legend: B people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from numpy.typing import NDArray

from i2l_plugin.geometry.camera import box_depth_k

from .crops import PersonCrops, predict
from .loading import build_network, warn_of_random_weights
from .scene import Person

GROWTH = 1.25  # of RootNet's boxes, whatever the mesh network's own
RootDepths = Callable[[Sequence[Person]], NDArray[np.float32]]


def box_depths_mm(people: Sequence[Person], real_size_mm: float) -> NDArray[np.float32]:
    """RootNet's k, (B,): its answer with gamma 1, which needs no network.

    The box is grown to a square and by `GROWTH`, as RootNet's are, and a square of `real_size_mm`
    fills it at this depth.
    """
    box = torch.from_numpy(np.stack([person.bbox_px for person in people]))
    side_px = GROWTH * (box[:, 2:] - box[:, :2]).amax(1)
    focal_px = torch.from_numpy(np.stack([person.scene.camera.focal_px for person in people]))
    size_px = torch.stack([side_px, side_px], dim=1)
    return box_depth_k(focal_px, size_px, (real_size_mm, real_size_mm)).numpy()


class RootNetDepths:
    """Depths from a RootNet, on crops of its own.

    Args:
        config: With a RootNet as ``model`` and its test pipeline.
        checkpoint: Its weights; None leaves them random, with a warning.
        kind: ``'body'`` or ``'hand'``, of the mesh network.
        device: As in `init_model`.

    Raises:
        FileNotFoundError, ValueError: As `init_model`; the config is of no RootNet, or of one of
            the other kind.
    """

    def __init__(
        self, config: Config, checkpoint: str | None, kind: str, device: str | None = None
    ) -> None:
        self.model = build_network(config, MODELS, checkpoint, device)
        if not hasattr(self.model, 'root_head'):
            raise ValueError(
                f'root_model: {type(self.model).__name__} is no RootNet; give one of the '
                'configs rootnet_*.py'
            )
        if self.model.body_model.kind != kind:
            raise ValueError(
                f'root_model: got a RootNet of a {self.model.body_model.kind}, expected one of a '
                f'{kind} like the mesh network'
            )
        if checkpoint is None:
            warn_of_random_weights(self.model)
        self.crops = PersonCrops(config, self.model.body_model)

    def __call__(self, people: Sequence[Person]) -> NDArray[np.float32]:
        """Depths (B,) in mm."""
        samples = predict(self.model, [self.crops(person) for person in people])
        return np.array([sample.pred_instances.root_cam[0, 2] for sample in samples], np.float32)
