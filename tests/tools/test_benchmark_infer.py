"""The benchmark of inference: its tables are of what the options ask for."""

import importlib
import re

import cv2
import numpy as np
import pytest
from helpers_inference import noise_picture, tiny_detector
from helpers_runs import BODY_CONFIG, ROOT, run_tool, save_toy_model, tiny_options


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('infer')
    save_toy_model(folder / 'model.npz')
    cv2.imwrite(str(folder / 'a.png'), noise_picture())
    return folder


def options(folder):
    values, _, trunk = tiny_options(folder)
    values.update({f'model.mesh_backbone.{key}': value for key, value in trunk.items()})
    values.update({f'model.{head}.up_channels': 8 for head in ('pose_head', 'mesh_head')})
    values['test_dataloader.dataset.pipeline.2.input_size'] = [64, 64]
    return [f'{k}={",".join(map(str, v)) if isinstance(v, list) else v}' for k, v in values.items()]


def test_both_tables(folder):
    detector = tiny_detector(folder)
    result = run_tool(
        *(ROOT / 'tools/benchmark.py', 'infer', BODY_CONFIG, '--images', folder / 'a.png'),
        *('--det-config', detector[0], '--det-checkpoint', detector[1]),
        *('--batch', 1, 3, '--repeats', 1, '--ways', 'channels_last', 'bfloat16', 'flip_test'),
        *('--cfg-options', *options(folder)),
    )
    lines = [line for line in result.stdout.splitlines() if line]
    assert '1 pictures of 320 x 240 px' in lines
    heading = next(i for i, line in enumerate(lines) if '3 people ms' in line)
    parts = {line[:12].strip(): line[12:].split() for line in lines[heading + 1 : heading + 8]}
    assert list(parts) == ['detector', 'crop', 'root', 'mesh', 'decode', 'overlay', 'render']
    assert all(float(ms) > 0 for times in parts.values() for ms in times)
    assert sum(line.startswith('end to end, batch') for line in lines) == 2
    rows = [
        line.split() for line in lines if re.match(r'(channels_last|bfloat16|flip_test) ', line)
    ]
    assert [row[:2] for row in rows] == [
        [way, batch] for way in ('channels_last', 'bfloat16', 'flip_test') for batch in '13'
    ]
    for _, _, plain_ms, ms, ratio, mean_mm, max_mm in rows:
        assert float(ratio[:-1]) == pytest.approx(float(plain_ms) / float(ms), rel=0.1)
        assert float(mean_mm) <= float(max_mm) + 0.01


def test_distances_are_those_of_the_meshes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    benchmark = importlib.import_module('benchmarks.infer')

    class Sample:
        def __init__(self, value):
            self.pred_instances = type('', (), {'vertices_cam': np.full((1, 4, 3), value)})

    runtime = lambda packed: [Sample(value) for value in packed]  # noqa: E731
    np.testing.assert_array_equal(benchmark._vertices(runtime, [1.0, 2.0])[:, 0, 0], [1.0, 2.0])


def test_a_missing_checkpoint_is_one_line():
    result = run_tool(*(ROOT / 'tools/benchmark.py', 'infer', BODY_CONFIG, 'none.pth'), check=False)
    assert result.returncode
    assert 'none.pth' in result.stderr.splitlines()[-1]
    assert 'Traceback' not in result.stderr
