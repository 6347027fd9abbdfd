"""Options of the command line: where they go, and one line for every mistake."""

import json
import os

import pytest
import torch
from helpers_inference import tiny_detector

from i2l_plugin.apis.inference import cli


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('empty',), "the folder 'empty' has no files"),
        (('nowhere.png',), "'nowhere.png' does not exist"),
        (('pictures/1.png',), 'nothing could be read; pictures/1.png: the file is damaged'),
        (('https://example.org/a.jpg',), 'is a URL'),
        (('pictures', '--checkpoint', 'config.py'), "'config.py' cannot be read"),
        (('pictures', '--checkpoint', 'nowhere.pth'), "'nowhere.pth' does not exist"),
        (('pictures', '--config', 'nowhere.py'), "'nowhere.py' does not exist"),
        (('pictures', '--det-config', 'rtmdet_tiny_8xb32-300e_coco'), '--det-checkpoint'),
        (('pictures', '--det-config', 'yolo'), "'yolo' is neither a config file nor the name"),
        (('pictures', '--camera', 'nowhere.json'), "'nowhere.json' does not exist"),
        (('pictures', '--device', 'abacus'), "got 'abacus'"),
        (
            ('pictures', '--root-config', 'config.py', '--root-checkpoint', 'mesh.pth'),
            'is no RootNet',
        ),
        (('pictures', '--root-config', 'config.py'), 'give --root-checkpoint too'),
        (('pictures', '--root-checkpoint', 'mesh.pth'), "root_weights: got 'mesh.pth' without"),
        (('pictures', '--det-checkpoint', 'mesh.pth'), "det_weights: got 'mesh.pth' without"),
        (('pictures', '--bbox-thr', '0.5'), 'bbox_thr: got 0.5 without a detector'),
        (('pictures', '--nms-thr', '0.5'), 'nms_thr: got 0.5 without a detector'),
        (('pictures', '--out', 'mesh.pth'), "mesh.pth' is a file, expected a folder"),
        (('pictures', '--out', 'mesh.pth/a/b'), "mesh.pth' is a file, expected a folder"),
        (('pictures', '--save', 'video'), '--save video writes nothing of these inputs'),
        (('clip.mp4', '--save', 'image'), '--save image writes nothing of these inputs'),
        (('pictures', '--device', 'meta'), "device: got 'meta', but"),
        (
            ('pictures', '--backend', 'onnxruntime', '--precision', 'bfloat16'),
            "backend_options: got {'precision': 'bfloat16'",
        ),
        (
            ('pictures', '--backend', 'onnxruntime', '--checkpoint', 'nowhere.onnx'),
            'nowhere.onnx: no such file; tools/export.py writes one',
        ),
    ],
)
def test_a_mistake_is_one_line(run_cli, arguments, message):
    status, out, _ = run_cli(*arguments)
    lines = str(status).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('error: ')
    assert message in lines[0]
    assert 'Traceback' not in out


def test_the_checkpoint_of_another_network_is_one_line(run_cli, cli_files):
    state = torch.load(cli_files / 'mesh.pth')['state_dict']
    torch.save({'state_dict': {**state, 'more.weight': torch.ones(1)}}, cli_files / 'other.pth')
    status, _, _ = run_cli('pictures', '--checkpoint', 'other.pth')
    assert 'error: checkpoint' in status
    assert 'is not of this CascadedMeshEstimator' in status


def test_a_folder_that_cannot_be_written_is_one_line_before_any_work(
    run_cli, tmp_path, monkeypatch
):
    denied = tmp_path / 'denied'
    denied.mkdir()
    may = os.access
    monkeypatch.setattr(os, 'access', lambda path, mode: path != denied and may(path, mode))
    status, _, errors = run_cli('pictures', '--out', denied / 'new')
    assert f"nothing may be written into '{denied}'" in status
    assert 'skipped' not in errors  # no picture was read
    assert not list(denied.iterdir())


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of the inferencer: arguments of the class, and of its call."""
    asked = []

    class Inferencer:
        def __init__(self, config, *_, **options):
            asked.append({'config': config, **options})

        def __call__(self, *_, **options):
            asked.append(options)
            yield from ()

    monkeypatch.setattr(cli, 'MeshInferencer', Inferencer)
    return asked


@pytest.mark.parametrize(
    ('options', 'backend_options', 'flips'),
    [
        ((), {}, None),
        (
            ('--precision', 'bfloat16', '--channels-last', '--flip-test'),
            dict(precision='bfloat16', channels_last=True, compile_network=False),
            True,
        ),
        (
            ('--compile', '--no-flip-test'),
            dict(precision='float32', channels_last=False, compile_network=True),
            False,
        ),
    ],
)
def test_ways_of_running_the_network(run_cli, asked, options, backend_options, flips):
    run_cli('pictures/0.png', *options)
    assert asked[0]['backend_options'] == backend_options
    assert (asked[0]['config'].model.get('test_cfg') or {}).get('flip_test') is flips


def test_options_of_the_call(run_cli, asked):
    run_cli(
        *('pictures', '--bbox-thr', 0.1, '--nms-thr', 0.2, '--batch-size', 3, '--fov', 50),
        *('--kpt-thr', 0.4, '--smooth', 'one-euro', '--draw-bbox', '--show', '--out', 'there'),
    )
    assert {name: asked[1][name] for name in ('bbox_thr', 'nms_thr', 'batch_size', 'fov')} == dict(
        bbox_thr=0.1, nms_thr=0.2, batch_size=3, fov=50
    )
    names = ('kpt_thr', 'smooth', 'draw_bbox', 'show', 'out_dir')
    assert [asked[1][name] for name in names] == [0.4, 'one-euro', True, True, 'there']


def test_nobody_in_any_picture_is_one_line(run_cli, cli_files, tmp_path):
    config, checkpoint = tiny_detector(cli_files)
    status, _, _ = run_cli(
        *('pictures', '--det-config', config, '--det-checkpoint', checkpoint),
        *('--bbox-thr', 1, '--out', tmp_path),
    )
    assert status.startswith('error: no person found in 2 pictures, boxes from tiny_detector')
    assert json.loads((tmp_path / 'predictions/0.json').read_text()) == []


@pytest.mark.parametrize('option', [('--fov', '50', '--camera', 'a.json'), ('--save', 'gif')])
def test_options_that_do_not_go_together_are_refused(run_cli, option):
    status, _, errors = run_cli('pictures', *option)
    assert status == 2
    assert 'not allowed with' in errors or 'invalid choice' in errors
