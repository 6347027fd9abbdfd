"""The benchmark of a config's network: its table, its file, its mistakes."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch
from helpers_runs import BODY_CONFIG, TINY_PX, run_tool, save_toy_model

from i2l_plugin.apis.model_cost import ModelCost, Times

ROOT = Path(__file__).parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    return importlib.import_module('benchmarks.model')


@pytest.fixture
def tiny(tmp_path):
    """Options that make any config's network small."""
    path = save_toy_model(tmp_path / 'model.npz')
    options = [f'model.codec.input_size={TINY_PX},{TINY_PX}', 'model.codec.heatmap_size=16,16,16']
    options.append(f'model.body_model.path={path}')
    for trunk in ('backbone', 'mesh_backbone'):
        sizes = dict(depth=18, stem_channels=8, base_channels=8)
        options += [f'model.{trunk}.{name}={size}' for name, size in sizes.items()]
    options += [f'model.{head}.up_channels=8' for head in ('pose_head', 'mesh_head')]
    return ['--cfg-options', *options]


def test_the_command_prints_a_table_and_writes_all_numbers(tiny, tmp_path):
    out = tmp_path / 'made' / 'cost.json'
    options = '--repeats', 1, '--batch', 1, 2, '--device', 'cpu', '--json', out, *tiny
    result = run_tool(ROOT / 'tools/benchmark.py', 'model', BODY_CONFIG, *options)
    content = json.loads(out.read_text())
    assert content['config'] == str(BODY_CONFIG)
    assert [cost['batch_size'] for cost in content['costs']] == [1, 2]
    parameters = content['costs'][1]['parameters']
    assert parameters['stem'] == 8 * 3 * 49 + 2 * 8
    # f_M: 8 + 29 * 16 channels to 8 by 3x3, with bias and batch normalisation
    assert parameters['f_M'] == (8 + 29 * 16) * 8 * 9 + 8 + 2 * 8
    rows = [line for line in result.stdout.splitlines() if line.startswith('f_M')]
    assert [row.split()[1] for row in rows] == [f'{parameters["f_M"]:,}'] * 2
    assert 'batch 1 on cpu' in result.stdout
    assert 'note: batch 1: BatchNorm1d' in result.stdout


def arguments(benchmark, *options):
    parser = benchmark.argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    return parser.parse_args([str(option) for option in options])


def test_counting_alone_takes_no_time(benchmark, monkeypatch, capsys):
    cost = ModelCost(
        8, 'a GPU', {'a': 1000, 'rest': 0}, {'a': 2_500_000}, {'a': 3e6}, 4e6, 5e6, 6e6, 7e6
    )
    asked = []

    def measure(model, batch, optimizer, repeats):
        asked.append((model, batch, optimizer.optimizer.type, repeats))
        return cost

    monkeypatch.setattr(benchmark, 'model_cost', measure)
    monkeypatch.setattr(benchmark, 'build_model', lambda _: torch.nn.Identity())
    monkeypatch.setattr(benchmark, 'example_batch', lambda _, size: size)
    benchmark.run(arguments(benchmark, BODY_CONFIG, '--no-time', '--device', 'cpu'))
    assert [one[1:] for one in asked] == [(1, 'Adam', 0), (8, 'Adam', 0)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ['a', '1,000', '2.5', '3.0', '-', '-']
    assert lines[4].split() == ['all', '1,000', '2.5', '3.0', '-', '-']
    assert lines[5].startswith(
        'training memory 20.0 MB = parameters 4.0 + gradients 6.0 + optimizer 7.0 + saved '
        'activations 3.0'
    )


def test_the_table_shows_times_and_a_gpus_peak(benchmark):
    times = Times(0.5, {'a': 0.3, 'optimizer': 0.1})
    cost = ModelCost(
        8, 'a GPU', {'a': 1}, {'a': 1}, {'a': 1}, 1, 1, 1, 1, Times(0.25, {'a': 0.2}), times, 8e9
    )
    lines = benchmark.table(cost).splitlines()
    assert lines[2].split()[-2:] == ['200.0', '300.0']
    assert lines[3].split() == ['optimizer', '0', '0.0', '0.0', '-', '100.0']
    assert lines[4].split()[-2:] == ['250.0', '500.0']
    assert lines[6] == "the allocator's peak in a training step 8,000.0 MB"


@pytest.mark.parametrize('name', ['none', 'cuda:99'])
def test_a_device_that_is_not_there_is_a_value_error(benchmark, name):
    with pytest.raises(ValueError, match=f'--device {name}: .*use --device cpu'):
        benchmark.check_device(name)


def test_the_device_is_the_gpu_where_there_is_one(benchmark):
    expected = 'cuda' if torch.cuda.is_available() else 'cpu'
    assert benchmark.check_device(None).type == expected


@pytest.mark.usefixtures('benchmark')
@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['none.py'], "config 'none.py' does not exist"),
        ([BODY_CONFIG, '--cfg-options', 'model.type=Nothing'], 'the config cannot be built'),
    ],
)
def test_mistakes_are_one_line(options, message, monkeypatch):
    tool = importlib.import_module('benchmark')
    monkeypatch.setattr(sys, 'argv', ['benchmark.py'])
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        tool.main(['model', *map(str, options)])
