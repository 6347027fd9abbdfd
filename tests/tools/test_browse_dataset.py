"""The tool on shipped configs with the toy body, and what users do wrong."""

import importlib.util
import re

import cv2
import numpy as np
import pytest
from helpers_records import save_toy_record
from helpers_runs import BODY_CONFIG, HAND_CONFIG, ROOT, make_project, run_tool, tiny_config


@pytest.fixture(scope='module')
def projects(tmp_path_factory):
    """Shipped configs of body and hand on the toy models; the third body's camera is wrong."""
    folders = {}
    for kind, config in (('body', BODY_CONFIG), ('hand', HAND_CONFIG)):
        folders[kind] = folder = make_project(tmp_path_factory.mktemp(kind), kind)
        tiny_config(config, folder).dump(folder / 'tiny.py')
    train = folders['body'] / 'data' / 'train'
    camera = save_toy_record(train, n=8)['princpt_px'].copy()
    camera[2] += (60, 0)
    save_toy_record(train, {'princpt_px': camera}, n=8)
    return folders


@pytest.fixture
def browse(monkeypatch):
    """Run the tool in this process."""
    spec = importlib.util.spec_from_file_location('browse', ROOT / 'tools/browse_dataset.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr('sys.argv', ['browse_dataset.py', *map(str, arguments)])
        module.main()

    return run


def cards(page):
    return re.findall(r'<article.*?</article>', page.read_text(), re.DOTALL)


def test_the_wrong_camera_is_found_among_augmented_bodies(projects, browse, tmp_path, capsys):
    browse(projects['body'] / 'tiny.py', '--num', 8, '--out', tmp_path / 'out')
    suspicious = [
        card for card in cards(tmp_path / 'out/index.html') if 'class="suspicious"' in card
    ]
    assert [re.search(r'sample_id (\d+)', card)[1] for card in suspicious] == ['102']
    assert 'a shift by' in suspicious[0]
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'index.html',
        'sheet_001.png',
    ]
    sheet = cv2.imread(str(tmp_path / 'out/sheet_001.png'))
    assert sheet.shape[0] == 8 * 256 + 7 * 4
    printed = capsys.readouterr().out
    assert 'tiny, train: 8 of 8; median distance of mesh to annotated joints: 0.0 px' in printed
    assert '1 suspicious' in printed
    assert 'record.npz, sample_id 102:' in printed


@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_hands_of_every_split(projects, browse, tmp_path, split):
    browse(projects['hand'] / 'tiny.py', '--num', 3, '--out', tmp_path, '--split', split)
    assert len(cards(tmp_path / 'index.html')) == 3


def test_seeds_choose_and_repeat(projects, browse, tmp_path):
    for name, seed in (('a', 0), ('b', 0), ('c', 5)):
        config, out = projects['body'] / 'tiny.py', tmp_path / name
        browse(config, '--num', 2, '--out', out, '--seed', seed)
    a, b, c = ((tmp_path / name / 'index.html').read_text() for name in 'abc')
    assert a == b != c


def test_people_without_fits(projects, browse, tmp_path, capsys):
    save_toy_record(tmp_path, {'fit_valid': np.zeros(3, bool), 'has_depth': np.zeros(3, bool)})
    options = ('--cfg-options', f'train_dataloader.dataset.data_root={tmp_path}')
    browse(projects['body'] / 'tiny.py', '--out', tmp_path / 'out', *options)
    assert 'no sample with a fit' in capsys.readouterr().out
    assert len(cards(tmp_path / 'out/index.html')) == 3


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--num', '0'], 'num: got 0'),
        (['--cfg-options', 'train_dataloader.dataset.ann_file=no.npz'], r'no\.npz'),
        (
            ['--cfg-options', 'train_dataloader.dataset.data_prefix.img=no'],
            r'sample_id \d+ of .*no',
        ),
        (['--cfg-options', 'train_dataloader.dataset.type=NoSet'], 'cannot be built: .*NoSet'),
        (['--cfg-options', 'model.body_model.path=no.pkl'], r'no\.pkl'),
        (['--cfg-options', 'model.body_model.kind=hand'], 'pose of a hand|hand'),
    ],
)
def test_mistakes_end_in_one_line_and_leave_nothing(projects, browse, tmp_path, options, message):
    with pytest.raises(SystemExit) as stopped:
        browse(projects['body'] / 'tiny.py', '--out', tmp_path / 'out', *options)
    first, second = str(stopped.value).split('\n')
    assert re.search(message, first), first
    assert first.startswith('error: ')
    assert second.startswith('(I2L_TRACEBACK=1')
    assert not list((tmp_path / 'out').glob('*'))


def test_as_a_user_runs_it(tmp_path):
    missing = run_tool('tools/browse_dataset.py', 'no_config.py', '--out', tmp_path, check=False)
    assert missing.returncode == 1
    assert "error: config 'no_config.py' does not exist" in missing.stderr
    assert 'Traceback' not in missing.stderr
