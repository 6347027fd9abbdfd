"""What a config's network costs: parameters, multiply-adds, training memory, time, each by part.

Memory of training is counted from tensors, so it is the same everywhere: parameters, gradients,
optimizer state, and what autograd saves in the forward pass, each storage once. On a GPU the
allocator's peak stands beside it. Multiply-adds are of one picture, forward. Needs no data set and
loads no pretrained weights.
"""

from __future__ import annotations

import argparse

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS
from torch import nn

import i2l_plugin.models  # noqa: F401 (registers the networks)
from i2l_plugin.apis.example_batch import example_batch
from i2l_plugin.apis.model_cost import ModelCost, Times, model_cost
from i2l_plugin.apis.runner import config_mistakes, load_config
from i2l_plugin.files import write_json

from ._ratios import count

MB = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument('config', help='a config with an estimator of this plugin')
    parser.add_argument(
        '--batch', type=count, nargs='+', default=[1, 8], help='batch sizes (default: 1 8)'
    )
    parser.add_argument(
        '--repeats', type=count, default=3, help='runs of which the fastest counts (default: 3)'
    )
    parser.add_argument('--no-time', action='store_true', help='count only')
    parser.add_argument('--device', help='default: cuda where there is one, else cpu')
    parser.add_argument('--json', metavar='OUT', help='write all numbers there, too')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )


def run(args: argparse.Namespace) -> None:
    """Print the tables; write the JSON file.

    Raises:
        FileNotFoundError, ValueError: The config is missing or wrong, or there is no such device.
    """
    config = load_config(args.config, args.cfg_options)
    model = build_model(config).to(check_device(args.device))
    costs = []
    for size in args.batch:
        batch = example_batch(model, size)
        repeats = 0 if args.no_time else args.repeats
        costs.append(model_cost(model, batch, config.get('optim_wrapper'), repeats))
        print(('' if size == args.batch[0] else '\n') + table(costs[-1]), flush=True)
    if args.json is not None:
        content = {'config': args.config, 'costs': [cost.as_dict() for cost in costs]}
        write_json(content, args.json, indent=2)


def check_device(name: str | None) -> torch.device:
    """A device by name; the GPU if there is one.

    Raises:
        ValueError: There is no such device here.
    """
    try:
        device = torch.device(name or ('cuda' if torch.cuda.is_available() else 'cpu'))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).split('\n')[0]
        raise ValueError(f'--device {name}: {first_line}; use --device cpu') from error
    return device


def build_model(config: Config) -> nn.Module:
    """The network of a config with fresh weights: costs do not depend on them."""
    with (
        DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmpose')),
        config_mistakes(),
    ):
        return MODELS.build(config.model)


def table(cost: ModelCost) -> str:
    """All numbers as text."""
    names = list(cost.parameters)
    names += [name for name in (cost.step.by_part_s if cost.step else ()) if name not in names]
    lines = [
        f'batch {cost.batch_size} on {cost.device}',
        f'{"part":16}{"parameters":>13}{"MMAC/picture":>14}{"saved MB":>11}'
        f'{"forward ms":>12}{"step ms":>10}',
    ]
    for name in names:
        lines.append(
            f'{name:16}{cost.parameters.get(name, 0):13,}'
            f'{cost.multiply_adds.get(name, 0) / 1e6:14,.1f}'
            f'{cost.activation_bytes.get(name, 0) / MB:11,.1f}'
            f'{_ms(cost.forward, name):>12}{_ms(cost.step, name):>10}'
        )
    saved = sum(cost.activation_bytes.values())
    lines += [
        f'{"all":16}{cost.total_parameters:13,}{cost.total_multiply_adds / 1e6:14,.1f}'
        f'{saved / MB:11,.1f}{_ms(cost.forward):>12}{_ms(cost.step):>10}',
        f'training memory {cost.training_bytes / MB:,.1f} MB = parameters '
        f'{cost.parameter_bytes / MB:,.1f} + gradients {cost.gradient_bytes / MB:,.1f} + '
        f'optimizer {cost.optimizer_bytes / MB:,.1f} + saved activations {saved / MB:,.1f}; '
        f'buffers {cost.buffer_bytes / MB:,.1f} MB besides',
    ]
    if cost.peak_bytes is not None:
        lines.append(f"the allocator's peak in a training step {cost.peak_bytes / MB:,.1f} MB")
    return '\n'.join(lines + [f'note: {note}' for note in cost.notes])


def _ms(times: Times | None, name: str | None = None) -> str:
    """Of one part, or of all without watching the parts."""
    if times is None or (name is not None and name not in times.by_part_s):
        return '-'
    return f'{1e3 * (times.total_s if name is None else times.by_part_s[name]):,.1f}'
