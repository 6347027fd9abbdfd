"""From people with boxes to people with meshes: root depths, crops, network, in batches.

Shape legend: B people of a batch, of one or several pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from mmpose.structures import PoseDataSample
from torch import nn

from .crops import Packed, PersonCrops, predict
from .root_depth import RootDepths, box_depths_mm
from .scene import BOX_SIZE, ROOTNET, Person, Scene

CropEstimator = Callable[[Sequence[Packed]], Sequence[PoseDataSample]]
"""Packed people to samples with `pred_instances`: PyTorch's network, or another runtime."""


class PeopleEstimator:
    """Finds the meshes of people.

    Args:
        model: A mesh network of `init_model`.
        crops: Crops people for it.
        root_depths: Where depths that are not given come from; None for the box's size.
        estimator: What runs the network; None for PyTorch.
    """

    def __init__(
        self,
        model: nn.Module,
        crops: PersonCrops,
        root_depths: RootDepths | None = None,
        estimator: CropEstimator | None = None,
    ) -> None:
        self.crops = crops
        self.estimator = estimator or partial(predict, model)
        self.root_depth_source = BOX_SIZE if root_depths is None else ROOTNET
        real_size_mm = model.codec.depth_range_mm
        self.root_depths = root_depths or partial(box_depths_mm, real_size_mm=real_size_mm)

    def __call__(self, people: Sequence[Person]) -> None:
        """Set the root depth, where it is not given, and the prediction of each of B people.

        Raises:
            ValueError: The network's answer is not finite.
        """
        unplaced = [person for person in people if np.isnan(person.root_depth_mm)]
        if unplaced:
            depths = self.root_depths(unplaced)
            for person, depth in zip(unplaced, depths.tolist(), strict=True):
                person.root_depth_mm = depth
        samples = self.estimator([self.crops(person) for person in people])
        for person, sample in zip(people, samples, strict=True):
            prediction = sample.pred_instances
            for name, values in prediction.items():
                if not np.isfinite(values).all():
                    raise ValueError(
                        f"{person.scene.frame.name}: the network's {name} are not finite; the "
                        'checkpoint is broken'
                    )
            person.prediction = prediction


def estimate_scenes(
    scenes: Iterable[Scene], estimate: Callable[[Sequence[Person]], None], batch_size: int
) -> Iterator[Scene]:
    """Scenes in their order, each once all its people are estimated, `batch_size` people at a time.

    A batch takes people of as many pictures as it needs, but no more than twice `batch_size`
    pictures wait for others, however few people are in them, and frames of a webcam wait for none.
    """
    waiting: deque[Scene] = deque()
    people: list[Person] = []
    for scene in scenes:
        waiting.append(scene)
        people += scene.people
        now = scene.frame.source.kind == 'webcam' or len(waiting) >= 2 * batch_size
        while len(people) >= batch_size or (now and people):
            estimate(people[:batch_size])
            del people[:batch_size]
        while waiting and waiting[0].done:
            yield waiting.popleft()
    while people:
        estimate(people[:batch_size])
        del people[:batch_size]
    yield from waiting
