"""tools/paper_tables.py by its command line, on toys."""

import json
import re
import sys

import cv2
import pytest
from helpers_dataset_runs import load_tool
from helpers_paper_tables import write_toy_study


@pytest.fixture(scope='module')
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tool')
    write_toy_study(folder)
    return folder


@pytest.fixture
def tool(toys, monkeypatch, capsys):
    """Run the tool on the toy rows; its output."""
    module = load_tool('tools/paper_tables.py')
    monkeypatch.setattr(module, 'CONFIGS', toys / 'configs')

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['paper_tables.py', *map(str, arguments)])
        module.main()
        return capsys.readouterr().out

    return run


def test_a_table_is_trained_printed_and_written(toys, tool):
    """Two steps of two rows on a data set of one's own; again, it only reports."""
    options = ['--table', 9, '--data', toys / 'data.py', '--budget', 2, '--out', toys / 'out']
    printed = tool(*options)
    report = toys / 'out/report'
    assert (report / 'table09.md').read_text() in printed
    content = json.loads((report / 'table09.json').read_text())
    rows = {row['name']: row for row in content['rows']}
    assert {name: row['paper']['MPJPE'] for name, row in rows.items()} == {
        'mean': 86.2,
        'max': 93.5,
    }
    assert content['settings']['budget'] == '2 steps of 8 people'
    for row in rows.values():
        assert f'{row["mean_mm"]["MPJPE"]:.1f}' in printed
    picture = cv2.imread(str(report / 'table09.png'))
    assert picture.shape[1] > picture.shape[0] > 100
    assert picture.std() > 10
    other = tool(*options, '--no-train', '--report', toys / 'again')
    assert printed.endswith(other)
    assert other.startswith('\n## Table 9')
    assert json.loads((toys / 'again/table09.json').read_text()) == content


def test_unfinished_tables_are_reported_as_such(toys, tool):
    options = ['--table', 9, '--data', toys / 'data.py', '--budget', 3, '--out', toys / 'none']
    printed = tool(*options, '--no-train')
    assert '| max pooling | 93.5 | - | 64.1 | - |' in printed
    assert not list((toys / 'none').glob('runs/*'))
    left_out = tool(*options, '--max-memory-gb', 1e-4)
    assert re.search(r'- max was not trained: a training step needs 0\.\d+ GB', left_out)


def test_synthetic_people_are_made_and_their_fits_are_exact(toys, tool):
    """Table 13: their truth is the body model itself."""
    people = ['--data-root', toys / 'people', '--num-train', 4, '--num-test', 2]
    printed = tool('--table', 13, *people, '--out', toys / 'fits')
    assert 'paper: SMPLify-X from true 3D pose (Human3.6M) | - | 13.1' in printed
    assert '| people/train.npz | 4 | 0.0 | 0.0 |' in printed


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--table', 9, '--budget', 'tiny'], "--budget: got 'tiny', expected 'small', 'full'"),
        (['--table', 9, '--data', 'missing.py'], "config 'missing.py' does not exist"),
    ],
)
def test_mistakes_are_named_in_one_line(tool, options, message):
    with pytest.raises(SystemExit, match=message):
        tool(*options)


def test_something_must_be_asked_for(tool, capsys):
    with pytest.raises(SystemExit):
        tool('--seeds', 0)
    assert 'nothing to do: give --table or --memory-plot' in capsys.readouterr().err


def test_the_memory_plot_comes_with_its_numbers(toys, monkeypatch, capsys):
    """Of 40 vertices instead of 6890."""
    module = load_tool('tools/paper_tables.py')
    monkeypatch.setattr(module, 'SMPL_VERTICES', 40)
    path = toys / 'plot/memory.png'
    monkeypatch.setattr(sys, 'argv', ['paper_tables.py', '--memory-plot', str(path)])
    module.main()
    assert str(path) in capsys.readouterr().out
    numbers = json.loads(path.with_suffix('.json').read_text())
    assert numbers['resolutions'] == [8, 16, 32, 64]
    lixel = numbers['lixel']['heatmaps']
    assert lixel[3] == pytest.approx(8 * lixel[0], rel=1e-3)  # linear in D
    assert cv2.imread(str(path)).std() > 10
