"""The command line: what it writes and what it says of it."""

import json
import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import torch
from helpers_inference import noise_picture, tiny_detector, tiny_network
from helpers_runs import ROOT, make_project, tiny_config

from i2l_plugin.apis.inference import cli
from i2l_plugin.apis.inference.video import VideoWriter


def test_a_folder_with_a_damaged_picture(run_cli, tmp_path):
    status, out, errors = run_cli(
        'pictures', '--out', tmp_path, '--fov', 60, '--save', 'json', 'npz'
    )
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


def test_every_option_together(run_cli, cli_files, tmp_path):
    detector = tiny_detector(cli_files)
    rootnet = tiny_config(
        ROOT / 'configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py',
        make_project(cli_files / 'rootnet', people=2),
    )
    rootnet.dump(cli_files / 'root.py')
    from mmpose.registry import MODELS

    from i2l_plugin.apis.inference.loading import build_network

    weights = build_network(rootnet, MODELS, None, 'cpu').state_dict()
    torch.save({'state_dict': weights}, cli_files / 'root.pth')
    (cli_files / 'camera.json').write_text('{"focal_px": [500, 510], "princpt_px": [30, 25]}')
    status, out, _ = run_cli(
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


def test_defaults_of_pictures_and_videos(run_cli, tmp_path):
    status, _, _ = run_cli('pictures/0.png', 'clip.mp4', '--out', tmp_path)
    assert status == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.*')}
    assert written == {
        *('predictions/0.json', 'predictions/0.npz', 'visualizations/0.jpg'),
        *('predictions/clip.json', 'visualizations/clip.mp4'),
        *(f'predictions/clip/clip_{i:06d}.npz' for i in range(3)),
    }


def test_pictures_without_people_are_named_in_the_end(tmp_path):
    report = cli._Report()
    from i2l_plugin.apis import MeshInferencer

    inferencer = MeshInferencer(tiny_network(tmp_path))
    boxes = [[[0, 0, 50, 50]], *[[]] * 7]
    for result in inferencer([noise_picture()] * 8, bboxes=boxes, return_datasamples=True):
        report.add(result['predictions'][0])
    named = ', '.join(['webcam (0)'] * 5)
    assert f'1 person in 8 pictures; nobody in 7: {named}, ...;' in report.summary()


def test_the_tool_and_the_installed_command_are_the_same():
    text = (ROOT / 'setup.cfg').read_text()
    assert 'i2l-mesh = i2l_plugin.apis.inference.cli:main' in text
    from helpers_dataset_runs import load_tool

    assert load_tool('tools/demo.py').main is cli.main


def test_ctrl_c_leaves_whole_results_only(cli_files, tmp_path):
    with VideoWriter(tmp_path / 'long.mp4', 10) as video:
        for i in range(600):
            video.write(np.full((48, 64, 3), i % 256, np.uint8))
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / 'tools/demo.py'), str(tmp_path / 'long.mp4')),
            *('--config', 'config.py', '--checkpoint', 'mesh.pth', '--device', 'cpu'),
            *('--out', str(tmp_path / 'out'), '--batch-size', '4'),
        ],
        cwd=cli_files,
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
