"""The demo on a handful of people: what it writes, and that a second run goes on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from i2l_plugin.datasets import AnnotationRecord

ROOT = Path(__file__).parents[2]


def run_demo(out, *more):
    command = [sys.executable, 'projects/synthetic_humans/demo.py', '--out', str(out)]
    sizes = ['--num-train', '32', '--num-test', '9', '--image-size', '64', '--pictures', '3']
    sizes += ['--num-train-scenes', '8', '--num-test-scenes', '4', '--bbox-thr', '0']
    options = ['--cfg-options', 'train_cfg.max_epochs=1']
    return subprocess.run(
        [*command, *sizes, *options, *more],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp('demo')
    done = run_demo(out)
    assert done.returncode == 0, done.stderr[-3000:]
    return out, done.stdout


def test_metrics_compare_the_model_with_the_constant_predictor(demo):
    out, printed = demo
    metrics = json.loads((out / 'metrics.json').read_text())
    assert metrics['held_out_people'] == 9
    for name in ('MPJPE', 'PA-MPJPE', 'MPVPE', 'PA-MPVPE', 'MRPE'):
        model, constant = metrics['model'][name], metrics['constant_predictor'][name]
        assert metrics['model_over_constant'][name] == pytest.approx(model / constant)
        assert f'{name:24}{model:10.1f}{constant:10.1f}' in printed
    for kind in ('model', 'constant_predictor'):
        assert metrics[kind]['PA-MPJPE'] < metrics[kind]['MPJPE']


def test_pictures_and_mesh_are_there(demo):
    out, _ = demo
    sheet = cv2.imread(str(out / 'overlay.png'))
    assert sheet.shape[0] == 2 * 256  # three people in two columns
    mesh = trimesh.load(out / 'mesh.glb', force='mesh')
    assert (len(mesh.vertices), len(mesh.faces)) == (6890, 13776)


def test_scenes_are_found_measured_and_drawn(demo):
    out, printed = demo
    scenes = json.loads((out / 'metrics.json').read_text())['scenes']
    record = AnnotationRecord.load(out / 'scenes_data/test.npz')
    assert (scenes['pictures'], scenes['people']) == (4, len(record))
    error = scenes['errors']['true boxes, true depth']['MPVPE']
    assert re.search(
        rf'^true boxes, true depth +{len(record)} .* {error:.1f} ', printed, re.MULTILINE
    )
    people = np.bincount(record['image_id'])
    shown = sorted((out / 'scenes').iterdir())
    assert [int(folder.name) for folder in shown] == sorted(
        int(np.flatnonzero(people == number)[0]) for number in np.unique(people)[-2:]
    )
    heights = 0
    for folder in shown:
        found = json.loads((folder / f'predictions/{folder.name}.json').read_text())
        row = np.flatnonzero(record['image_id'] == int(folder.name))[0]
        focal_px = pytest.approx(record['focal_px'][row].tolist(), abs=1e-3)
        assert found[0]['camera']['focal_px'] == focal_px
        mesh = trimesh.load(folder / f'predictions/{folder.name}_scene.glb', force='mesh')
        assert len(mesh.vertices) == 6890 * len(found)
        assert (folder / f'predictions/{folder.name}.html').stat().st_size > 1e5
        heights += cv2.imread(str(folder / f'visualizations/{folder.name}.jpg')).shape[0]
    assert cv2.imread(str(out / 'scenes.png')).shape[0] == heights


def test_a_second_run_keeps_what_is_done(demo):
    out, _ = demo
    networks = [out / name for name in ('checkpoint.pth', 'rootnet.pth', 'detector.pth')]
    before = [path.stat().st_mtime_ns for path in networks]
    done = run_demo(out)
    assert done.returncode == 0, done.stderr[-3000:]
    for tool in ('torch.distributed.run', 'tools/test.py', 'evaluate_scenes.py'):
        assert tool not in done.stdout
    assert [path.stat().st_mtime_ns for path in networks] == before


@pytest.mark.parametrize('option', ['--num-train', '--num-test-scenes', '--pictures'])
def test_nothing_to_show_is_refused_before_anything_is_made(tmp_path, option):
    done = run_demo(tmp_path / 'out', option, '0')
    assert done.returncode == 2
    assert f'argument {option}: got 0, expected at least 1' in done.stderr
    assert not (tmp_path / 'out').exists()


def test_another_demo_in_the_folder_is_refused(demo):
    out, _ = demo
    done = run_demo(out, 'train_cfg.val_interval=3')
    assert done.returncode != 0
    assert 'another cfg_options' in done.stderr
    assert 'Traceback' not in done.stderr
