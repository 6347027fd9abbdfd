"""Other protocols, boxes and depths by the documented options, and pictures of every data set."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers_dataset_runs import (
    DATASET_CONFIGS,
    DOCUMENT,
    bash_commands,
    config_named,
    convert_as_documented,
    load_tool,
    shrunk,
    write_hands,
)
from helpers_runs import ROOT
from mmengine.config import Config

from i2l_plugin.apis.runner import build_runner
from i2l_plugin.body_models import H36M_17
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.evaluation.freihand_files import read_submission

WITH_OPTIONS = [
    command
    for command in bash_commands(DOCUMENT.read_text())
    if command[1] == 'tools/test.py'
    and '--cfg-options' in command
    and 'configs/detectors' not in command[2]
]


def write_rootnet(path, boxes_px, roots):
    """RootNet's file: annotated boxes x1 y1 x2 y2 by image id, which it makes square and grows."""
    entries = []
    for image_id, (x1, y1, x2, y2) in boxes_px.items():
        side = 1.25 * max(x2 - x1, y2 - y1)
        corner = [(x1 + x2 - side) / 2, (y1 + y2 - side) / 2]
        box = [*map(float, corner), float(side), float(side)]
        entries.append(
            dict(image_id=image_id, bbox=box, root_cam=list(map(float, roots[image_id])))
        )
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(entries))


def write_result_files(truths):
    """Files of RootNet and of a detector as the documentation names them."""
    people = truths['human36m'].people.values()
    write_rootnet(
        Path('data/Human36M/rootnet_output/bbox_root_human36m_output.json'),
        {one.image_id: one.bbox_px for one in people},
        {one.image_id: one.joints_cam_mm[H36M_17.root] + 50 for one in people},
    )
    hands = truths['freihand']['eval']
    boxes = [hands.box(hand).tolist() for hand in range(len(hands))]
    found = [
        dict(image_id=i, category_id=1, bbox=[x1, y1, x2 - x1, y2 - y1], score=0.9)
        for i, (x1, y1, x2, y2) in enumerate(boxes)
    ]
    Path('data/freihand/hands.bbox.json').write_text(json.dumps(found))


@pytest.mark.parametrize('command', WITH_OPTIONS, ids=lambda command: command[-1])
def test_documented_options_of_the_test(command, truths, tmp_path, monkeypatch):
    monkeypatch.setattr(Config, 'pretty_text', '')
    convert_as_documented('human36m', also=['--frame-step'])  # one record for all protocols
    write_result_files(truths)
    monkeypatch.setattr('sys.argv', command[1:])
    options = load_tool('tools/test.py').parse_args().cfg_options
    runner = build_runner(shrunk(ROOT / command[2], tmp_path, options))
    metrics = runner.test()
    log = '\n'.join(file.read_text() for file in tmp_path.glob('*/*.log'))

    select = truths['human36m'].selected
    protocol = options.get('test_dataloader.dataset.protocol')
    number = {
        'h36m/protocol2': len(select((9, 11), [5], (4,))),
        'surreal/507': 3,
        None: len(
            truths['freihand']['eval'] if 'freihand' in command[2] else select((9, 11), [64], (4,))
        ),
    }[protocol]
    prefix = 'freihand' if 'freihand' in command[2] else 'joint'
    assert metrics[f'{prefix}/N'] == number
    (line,) = re.findall(rf'{prefix}: .*, N \d+ .*', log)
    assert (protocol or '/paper') in line
    if 'test_dataloader.dataset.bbox_file' in options:
        boxes = 'RootNet' if 'rootnet' in command[-1] else 'detector'
        depths = 'RootNet' if 'root_depth_file' in command[-1] else 'annotated'
        assert f'boxes: {boxes}; root depth: {depths})' in line


def test_hands_without_annotations_can_be_submitted(truths, tmp_path, monkeypatch):  # noqa: ARG001
    """The documented config for the evaluation set of 2019."""
    (tmp_path / 'body_models').symlink_to(Path('body_models').resolve())
    monkeypatch.chdir(tmp_path)
    folder = Path('data/freihand')
    hands = write_hands(folder, 'eval', monkeypatch, published=False)
    convert_as_documented('freihand', splits=['eval'])
    everywhere = dict.fromkeys(range(len(hands)), (0, 0, 223, 223))
    write_rootnet(
        folder / 'rootnet_output/bbox_root_freihand_output.json',
        everywhere,
        {i: joints[0] / 1000 for i, joints in enumerate(hands.joints_cam_mm)},  # m
    )
    (block,) = re.findall(r'```python\n(_base_ = .*?)```', DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / 'mine.py').write_text(block.replace("'configs/", f"'{ROOT}/configs/"))
    runner = build_runner(shrunk(tmp_path / 'mine.py', tmp_path / 'work', train=False))
    assert runner.test() == {'freihand/N': 0}
    xyz, verts = read_submission('work_dirs/freihand_submission/pred.zip')
    assert (len(xyz), verts.shape[1]) == (len(hands), 778)
    depths_m = verts[..., 2].mean(axis=1)
    np.testing.assert_allclose(depths_m, hands.joints_cam_mm[:, 0, 2] / 1000, atol=0.15)


def test_there_are_documented_options():
    assert len(WITH_OPTIONS) == 4


@pytest.fixture
def browse(monkeypatch, tmp_path, capsys):
    """Run the tool on a shipped config as it is; what it printed."""
    tool = load_tool('tools/browse_dataset.py')

    def run(path, *options):
        arguments = [str(path), '--out', str(tmp_path / 'out'), *options]
        monkeypatch.setattr('sys.argv', ['browse_dataset.py', *arguments])
        tool.main()
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize('path', DATASET_CONFIGS, ids=lambda path: path.stem)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_pictures_of_every_config(path, split, truths, browse, tmp_path):  # noqa: ARG001
    printed = browse(path, '--num', '2', '--split', split)
    assert re.search(rf'{path.stem}, {split}: 2 of \d+', printed)
    assert '\n0 suspicious' in printed
    assert {file.name for file in (tmp_path / 'out').iterdir()} == {'index.html', 'sheet_001.png'}


def test_exchanged_sides_are_named(truths, browse):  # noqa: ARG001
    record = AnnotationRecord.load('data/Human36M/train.npz')
    columns = {name: np.array(column) for name, column in record.columns.items()}
    for name in ('joints_cam_mm', 'joints_px'):
        columns[name] = columns[name][:, list(H36M_17.mirror_order)]
    AnnotationRecord('body', columns).save('data/Human36M/swapped.npz')
    options = ('--num', '12', '--cfg-options', 'train_dataloader.dataset.ann_file=swapped.npz')
    printed = browse(config_named('12e_h36m-256x256'), *options)
    assert len(re.findall('left and right look exchanged', printed)) >= 4
