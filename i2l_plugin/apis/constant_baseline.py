"""The predictor that has learned nothing but the mean: a floor under every reported error.

It answers every picture with the training set's mean mesh (relative to the root, in camera space),
put at the true root joint, and is scored by the config's own metrics. Placed so, it is a floor for
errors in camera space too, such as ``FScore(alignment='none')``.
Shapes: B batch, V vertices, J joints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmengine.utils import import_modules_from_strings
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModelsByGender
from i2l_plugin.datasets import MeshDataset

from .dataset_samples import truth_models

BATCH_SIZE = 64


def posed_batches(
    dataset: MeshDataset, body_models: BodyModelsByGender
) -> Iterator[tuple[Tensor, Tensor]]:
    """Vertices (B, V, 3) and joints (B, J, 3) in camera mm of the people with a valid fit."""
    batch: list[dict] = []
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        if info['fit_valid']:
            batch.append(info)
        if batch and (len(batch) == BATCH_SIZE or i == len(dataset) - 1):
            fields = (
                torch.from_numpy(np.stack([info[name] for info in batch]))
                for name in ('pose', 'betas', 'transl_mm')
            )
            yield body_models.pose_cam_mm(batch, *fields)
            batch = []


def mean_mesh_mm(dataset: MeshDataset, body_models: BodyModelsByGender) -> Tensor:
    """Mean of the vertices relative to the root joint over the valid fits. -> (V, 3) mm.

    Raises:
        ValueError: No person of the data set has a valid fit.
    """
    body_model = body_models.body_model
    total = torch.zeros(body_model.num_vertices, 3, dtype=torch.float64)
    people = 0
    root = body_model.joint_set.root
    for vertices, joints in posed_batches(dataset, body_models):
        total += (vertices - joints[:, root, None]).double().sum(0)
        people += len(vertices)
    if people == 0:
        raise ValueError(f'{dataset.ann_file}: nobody has a valid fit, so there is no mean mesh')
    return (total / people).float()


def true_roots_mm(samples: Sequence[PoseDataSample], body_models: BodyModelsByGender) -> Tensor:
    """Root joints (B, 3) in camera mm: of the fit where it is valid, else the annotated one.

    Samples with neither count in no metric; theirs is the origin.
    """
    labels = InstanceData.cat([sample.gt_instance_labels for sample in samples])
    people = [sample.metainfo for sample in samples]
    _, joints = body_models.pose_cam_mm(
        people, labels.pose, labels.betas, labels.transl_mm, labels.mirrored.bool()
    )
    joint_set = body_models.body_model.joint_set
    annotated = []
    for sample in samples:
        row = sample.annotated_joint_names.index(joint_set.joint_names[joint_set.root])
        annotated.append(sample.gt_instances.annotated_joints_cam_mm[0, row])  # zeros if not valid
    return torch.where(
        labels.fit_valid.bool()[:, None],
        joints[:, joint_set.root],
        torch.from_numpy(np.stack(annotated)),
    )


def evaluate_constant(config: Config) -> dict[str, float]:
    """Metrics of the mean mesh of a config's training set on its test set."""
    import_modules_from_strings(**config.custom_imports)
    init_default_scope(config.get('default_scope', 'mmpose'))
    of_training, of_test = (truth_models(config, split) for split in ('train', 'test'))
    mean = mean_mesh_mm(DATASETS.build(config.train_dataloader.dataset), of_training)
    regressor = of_training.body_model.joint_regressor  # the network's
    test_set = DATASETS.build(config.test_dataloader.dataset)
    evaluator = Evaluator(config.test_evaluator)
    evaluator.dataset_meta = test_set.metainfo
    for start in range(0, len(test_set), BATCH_SIZE):
        samples = [
            test_set[i]['data_samples']
            for i in range(start, min(start + BATCH_SIZE, len(test_set)))
        ]
        for sample, root in zip(samples, true_roots_mm(samples, of_test), strict=True):
            vertices = mean + root
            joints = (regressor @ vertices).numpy()[None]
            sample.pred_instances = InstanceData(
                vertices_cam=vertices.numpy()[None], joints_cam=joints, posenet_joints_cam=joints
            )
        evaluator.process(data_samples=samples)
    return evaluator.evaluate(len(test_set))
