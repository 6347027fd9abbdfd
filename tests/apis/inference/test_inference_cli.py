"""The command line: what it writes and says, and one line for every mistake."""

import json
import os
import signal
import subprocess
import sys
import time

import av
import cv2
import numpy as np
import pytest
import torch
from helpers_inference import noise_picture, tiny_detector, tiny_network
from helpers_runs import ROOT, make_project, tiny_config

from i2l_plugin.apis.inference import cli
from i2l_plugin.apis.inference.video import VideoWriter


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A folder with a mesh network, pictures and a video."""
    folder = tmp_path_factory.mktemp('cli')
    network = tiny_network(folder)
    network.cfg.dump(folder / 'config.py')
    torch.save({'state_dict': network.state_dict()}, folder / 'mesh.pth')
    (folder / 'pictures').mkdir()
    (folder / 'empty').mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f'pictures/{i}.png'), noise_picture(i))
    (folder / 'pictures/1.png').write_bytes(b'junk')
    with VideoWriter(folder / 'clip.mp4', 10) as video:
        for i in range(3):
            video.write(noise_picture(i, (64, 48)))
    return folder


@pytest.fixture
def run(files, monkeypatch, capsys):
    """Run the command in `files` with the network's options. -> status, output, errors."""

    def run_command(*arguments):
        monkeypatch.chdir(files)
        network = ('--config', 'config.py', '--checkpoint', 'mesh.pth', '--device', 'cpu')
        monkeypatch.setattr(sys, 'argv', ['i2l-mesh', *network, *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command


def test_a_folder_with_a_damaged_picture(run, tmp_path):
    status, out, errors = run('pictures', '--out', tmp_path, '--fov', 60, '--save', 'json', 'npz')
    assert status == 0
    assert 'skipped pictures/1.png: the file is damaged or not an image' in errors
    assert '100%' in errors or '67%' in errors  # the bar
    line = out.strip().splitlines()[-1]
    assert line == (
        '2 people in 2 pictures; 1 skipped; boxes: whole image; camera: field of view; '
        f'root depth: box size; results in {tmp_path}'
    )
    for name in ('0', '2'):
        (person,) = json.loads((tmp_path / f'predictions/{name}.json').read_text())
        with np.load(tmp_path / f'predictions/{name}.npz', allow_pickle=False) as arrays:
            np.testing.assert_allclose(person['vertices_cam'], arrays['vertices_cam'][0], atol=1e-3)
    assert not (tmp_path / 'visualizations').exists()


def test_every_option_together(run, files, tmp_path):
    detector = tiny_detector(files)
    rootnet = tiny_config(
        ROOT / 'configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py',
        make_project(files / 'rootnet', people=2),
    )
    rootnet.dump(files / 'root.py')
    from mmpose.registry import MODELS

    from i2l_plugin.apis.inference.loading import build_network

    weights = build_network(rootnet, MODELS, None, 'cpu').state_dict()
    torch.save({'state_dict': weights}, files / 'root.pth')
    (files / 'camera.json').write_text('{"focal_px": [500, 510], "princpt_px": [30, 25]}')
    status, out, _ = run(
        *('clip.mp4', '--out', tmp_path, '--save', *cli.FORMATS, '--smooth', '--draw-bbox'),
        *('--det-config', detector[0], '--det-checkpoint', detector[1], '--bbox-thr', 0.6),
        *('--det-cat-ids', 1, '--nms-thr', 0.2, '--batch-size', 3, '--camera', 'camera.json'),
        *('--root-config', 'root.py', '--root-checkpoint', 'root.pth'),
        *('--cfg-options', 'model.test_cfg.flip_test=True'),
    )
    assert status == 0
    assert 'boxes: tiny_detector; camera: given intrinsics; root depth: RootNet' in out
    frames = json.loads((tmp_path / 'predictions/clip.json').read_text())
    assert [frame['frame_id'] for frame in frames] == [0, 1, 2]
    person = frames[0]['instances'][0]
    assert person['camera']['focal_px'] == [500, 510]
    assert person['bbox_source'] == 'tiny_detector'
    assert person['root_depth_source'] == 'RootNet'
    assert person['bbox_score'] >= 0.6
    folder = tmp_path / 'predictions/clip'
    for suffix in ('.npz', '.html', '_scene.obj', '_scene.ply', '_scene.glb', '_track0.obj'):
        assert (folder / f'clip_000000{suffix}').stat().st_size > 1000, suffix
    with av.open(str(tmp_path / 'visualizations/clip.mp4')) as video:
        assert len(list(video.decode(video=0))) == 3


def test_defaults_of_pictures_and_videos(run, tmp_path):
    status, _, _ = run('pictures/0.png', 'clip.mp4', '--out', tmp_path)
    assert status == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.*')}
    assert written == {
        *('predictions/0.json', 'predictions/0.npz', 'visualizations/0.jpg'),
        *('predictions/clip.json', 'visualizations/clip.mp4'),
        *(f'predictions/clip/clip_{i:06d}.npz' for i in range(3)),
    }


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
def test_a_mistake_is_one_line(run, arguments, message):
    status, out, _ = run(*arguments)
    lines = str(status).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('error: ')
    assert message in lines[0]
    assert 'Traceback' not in out


def test_the_checkpoint_of_another_network_is_one_line(run, files):
    state = torch.load(files / 'mesh.pth')['state_dict']
    torch.save({'state_dict': {**state, 'more.weight': torch.ones(1)}}, files / 'other.pth')
    status, _, _ = run('pictures', '--checkpoint', 'other.pth')
    assert 'error: checkpoint' in status
    assert 'is not of this CascadedMeshEstimator' in status


def test_a_folder_that_cannot_be_written_is_one_line_before_any_work(run, tmp_path, monkeypatch):
    denied = tmp_path / 'denied'
    denied.mkdir()
    may = os.access
    monkeypatch.setattr(os, 'access', lambda path, mode: path != denied and may(path, mode))
    status, _, errors = run('pictures', '--out', denied / 'new')
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
def test_ways_of_running_the_network(run, asked, options, backend_options, flips):
    run('pictures/0.png', *options)
    assert asked[0]['backend_options'] == backend_options
    assert (asked[0]['config'].model.get('test_cfg') or {}).get('flip_test') is flips


def test_options_of_the_call(run, asked):
    run(
        *('pictures', '--bbox-thr', 0.1, '--nms-thr', 0.2, '--batch-size', 3, '--fov', 50),
        *('--smooth', 'one-euro', '--draw-bbox', '--show', '--out', 'there'),
    )
    assert {name: asked[1][name] for name in ('bbox_thr', 'nms_thr', 'batch_size', 'fov')} == dict(
        bbox_thr=0.1, nms_thr=0.2, batch_size=3, fov=50
    )
    assert [asked[1][name] for name in ('smooth', 'draw_bbox', 'show', 'out_dir')] == [
        *('one-euro', True, True, 'there'),
    ]


def test_nobody_in_any_picture_is_one_line(run, files, tmp_path):
    config, checkpoint = tiny_detector(files)
    status, _, _ = run(
        *('pictures', '--det-config', config, '--det-checkpoint', checkpoint),
        *('--bbox-thr', 1, '--out', tmp_path),
    )
    assert status.startswith('error: no person found in 2 pictures, boxes from tiny_detector')
    assert json.loads((tmp_path / 'predictions/0.json').read_text()) == []


def test_pictures_without_people_are_named_in_the_end(tmp_path):
    report = cli._Report()
    from i2l_plugin.apis import MeshInferencer

    inferencer = MeshInferencer(tiny_network(tmp_path))
    boxes = [[[0, 0, 50, 50]], *[[]] * 7]
    for result in inferencer([noise_picture()] * 8, bboxes=boxes, return_datasamples=True):
        report.add(result['predictions'][0])
    named = ', '.join(['webcam (0)'] * 5)
    assert f'1 person in 8 pictures; nobody in 7: {named}, ...;' in report.summary()


@pytest.mark.parametrize('option', [('--fov', '50', '--camera', 'a.json'), ('--save', 'gif')])
def test_options_that_do_not_go_together_are_refused(run, option):
    status, _, errors = run('pictures', *option)
    assert status == 2
    assert 'not allowed with' in errors or 'invalid choice' in errors


def test_the_tool_and_the_installed_command_are_the_same():
    text = (ROOT / 'setup.cfg').read_text()
    assert 'i2l-mesh = i2l_plugin.apis.inference.cli:main' in text
    from helpers_dataset_runs import load_tool

    assert load_tool('tools/demo.py').main is cli.main


def test_ctrl_c_leaves_whole_results_only(files, tmp_path):
    with VideoWriter(tmp_path / 'long.mp4', 10) as video:
        for i in range(600):
            video.write(np.full((48, 64, 3), i % 256, np.uint8))
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / 'tools/demo.py'), str(tmp_path / 'long.mp4')),
            *('--config', 'config.py', '--checkpoint', 'mesh.pth', '--device', 'cpu'),
            *('--out', str(tmp_path / 'out'), '--batch-size', '4'),
        ],
        cwd=files,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        # a shell lets what it runs in the background ignore Ctrl-C, and us with it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    frames = tmp_path / 'out/predictions/long'
    while process.poll() is None and not (frames / 'long_000003.npz').exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == (
        f'interrupted: the results so far are whole, in {tmp_path / "out"}'
    )
    assert 'Traceback' not in errors
    told = json.loads((tmp_path / 'out/predictions/long.json').read_text())
    assert 4 <= len(told) < 600
    assert [frame['frame_id'] for frame in told] == list(range(len(told)))
    arrays = sorted(frames.iterdir())
    assert len(told) - 1 <= len(arrays) <= len(told)
    for path in arrays:
        with np.load(path, allow_pickle=False) as content:
            assert np.isfinite(content['vertices_cam']).all()
    with av.open(str(tmp_path / 'out/visualizations/long.mp4')) as shown:
        assert abs(len(list(shown.decode(video=0))) - len(told)) <= 1
    assert not list((tmp_path / 'out').rglob('.*'))
