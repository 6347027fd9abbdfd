"""Reading fields of a batch of data samples, whatever device or library they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

SampleDict = Mapping[str, Any]  # PoseDataSample.to_dict(), as the evaluator hands it to metrics
MESHES = {'mesh': 'vertices_cam', 'parameters': 'param_vertices_cam'}
"""Predicted meshes by name: the network's, and the one of body-model parameters (Table 6)."""


def field(data_sample: SampleDict, group: str, name: str) -> Tensor:
    """One field of one person, without the leading dimension of 1.

    Args:
        data_sample: A data sample as a dict.
        group: ``'pred_instances'``, ``'gt_instances'`` or ``'gt_instance_labels'``.
        name: Name of the field, a numpy array or tensor of shape (1, ...).

    Raises:
        ValueError: If the field is missing or holds another number of persons than one.
    """
    fields = data_sample.get(group)
    if fields is None or name not in fields:
        known = sorted(data_sample) if fields is None else sorted(fields.keys())
        raise ValueError(
            f'data sample {data_sample.get("sample_id")} has no {group}.{name}, which this metric '
            f'reads; found {known}. Pack it in the pipeline, or let the model predict it'
        )
    value = torch.as_tensor(fields[name])
    if len(value) != 1:
        raise ValueError(
            f'{group}.{name} of data sample {data_sample.get("sample_id")} must hold one person, '
            f'(1, ...); got {tuple(value.shape)}'
        )
    return value[0]


def stack_field(data_samples: Sequence[SampleDict], group: str, name: str) -> Tensor:
    """One field of all samples, (B, ...); errors as in `field`."""
    return torch.stack([field(sample, group, name) for sample in data_samples])


def check_choice(argument: str, value: str | None, choices: Iterable[str | None]) -> None:
    """ValueError that names the argument unless `value` is one of `choices`."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f'{argument} must be one of {choices}, got {value!r}')


def prefix_of_mesh(prediction: str, prefix: str | None, default: str) -> str:
    """Prefix of a metric's results: the given one, else the default, ``param_`` before it if the
    mesh of body-model parameters is evaluated; ValueError if `prediction` is not of `MESHES`."""
    check_choice('prediction', prediction, MESHES)
    return prefix or (f'param_{default}' if prediction == 'parameters' else default)


def predicted_vertices(
    data_samples: Sequence[SampleDict],
    num_vertices: int,
    device: torch.device,
    prediction: str = 'mesh',
) -> Tensor:
    """Predicted meshes (B, V, 3) in camera mm, float64; ValueError if V is not `num_vertices`.

    `prediction` is of `MESHES`.
    """
    name = MESHES[prediction]
    vertices = stack_field(data_samples, 'pred_instances', name)
    if vertices.shape[1:] != (num_vertices, 3):
        raise ValueError(
            f'pred_instances.{name} must be (1, {num_vertices}, 3) for the body model of '
            f'this metric; got (1, {", ".join(map(str, vertices.shape[1:]))}): give the metric and '
            'the network one body_model'
        )
    return vertices.to(device, torch.float64)


def annotated_joints(
    data_samples: Sequence[SampleDict], joint_names: Sequence[str]
) -> tuple[Tensor, list[bool]]:
    """Annotated joints (B, len(joint_names), 3) in camera mm by name, and whether all are valid.

    Raises:
        ValueError: If the data set does not annotate one of the names.
    """
    joints, valid = [], []
    for sample in data_samples:
        known = sample.get('annotated_joint_names', ())
        missing = [name for name in joint_names if name not in known]
        if missing:
            raise ValueError(
                f'data sample {sample.get("sample_id")} has no annotated joints {missing}; its '
                f"annotated_joint_names are {tuple(known)}. Evaluate others, or use truth='fitted'"
            )
        index = [known.index(name) for name in joint_names]
        joints.append(field(sample, 'gt_instances', 'annotated_joints_cam_mm')[index])
        valid.append(bool(field(sample, 'gt_instances', 'annotated_joints_valid')[index].all()))
    return torch.stack(joints), valid
