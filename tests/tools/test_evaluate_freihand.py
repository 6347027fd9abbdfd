"""The tool that scores submissions: numbers, table, files, and one line for a user's mistake."""

import importlib.util
import json
import sys

import pytest
from helpers_freihand_scorer import (
    disturb,
    naive_freihand_scores,
    random_hands,
    write_freihand_truth,
)
from helpers_runs import ROOT, run_tool

from i2l_plugin.evaluation.freihand_submission import write_submission

TOOL = ROOT / 'tools' / 'evaluate_freihand.py'
XYZ, VERTS = random_hands(2)


@pytest.fixture
def folder(tmp_path):
    write_submission(tmp_path, disturb(XYZ), disturb(VERTS))
    return write_freihand_truth(tmp_path, XYZ, VERTS)


@pytest.fixture
def run(monkeypatch):
    """Runs the tool here, for speed."""
    spec = importlib.util.spec_from_file_location('evaluate_freihand', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['evaluate_freihand', *map(str, arguments)])
        module.main()

    return call


def test_the_command_prints_a_table_and_writes_the_official_keys(folder):
    out = folder / 'made' / 'scores.json'
    options = '--gt', folder, '--pred', folder / 'pred.zip', '--out', out
    result = run_tool(TOOL, *options, '--workers', 2)
    scores = json.loads(out.read_text())
    assert list(scores) == [
        *('xyz_mean3d', 'xyz_auc3d', 'xyz_al_mean3d', 'xyz_al_auc3d'),
        *('mesh_mean3d', 'mesh_auc3d', 'mesh_al_mean3d', 'mesh_al_auc3d'),
        *('f_score_5', 'f_al_score_5', 'f_score_15', 'f_al_score_15', 'N'),
    ]
    assert scores.pop('N') == 2
    predicted = disturb(XYZ).round(7), disturb(VERTS).round(7)
    expected = naive_freihand_scores(*predicted, XYZ, VERTS)
    assert scores == pytest.approx(expected, rel=0, abs=1e-6)

    assert 'N = 2' in result.stdout
    assert 'the full evaluation set has 3960' in result.stdout
    assert '2/2' in result.stderr  # the progress bar
    rows = {line[:16].strip(): line[16:].split() for line in result.stdout.splitlines()}
    aligned = [scores[f'{key}'] for key in ('mesh_al_mean3d', 'mesh_al_auc3d')]
    aligned += [scores[f'f_al_score_{limit}'] for limit in (5, 15)]
    assert rows['mesh aligned'] == [f'{score:.3f}' for score in aligned]
    assert rows['joints'] == [f'{scores[f"xyz_{key}"]:.3f}' for key in ('mean3d', 'auc3d')]


def test_a_missing_truth_names_both_files(folder, run, capsys):
    for what in ('xyz', 'verts'):
        (folder / f'evaluation_{what}.json').unlink()
    with pytest.raises(SystemExit, match=r'no evaluation_xyz\.json and no evaluation_verts\.json'):
        run('--gt', folder, '--pred', folder / 'pred.json')
    assert 'Traceback' not in capsys.readouterr().err


def test_a_folder_in_the_place_of_the_scores_is_one_line_after_the_table(folder, run, capsys):
    (folder / 'scores').mkdir()
    options = '--gt', folder, '--pred', folder / 'pred.json', '--out', folder / 'scores'
    with pytest.raises(SystemExit, match=r'error: .*directory.*scores'):
        run(*options, '--workers', 1)
    assert 'mesh aligned' in capsys.readouterr().out
    assert not list(folder.glob('.*'))


@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('none.json', r'none\.json: no such file; expected pred\.json or pred\.zip'),
        ('short.json', r'short\.json: xyz, sample 0: .* cut short'),
    ],
)
def test_a_bad_submission_is_one_line_and_writes_nothing(folder, run, name, message, workers):
    (folder / 'short.json').write_text('[[')
    out = folder / 'scores.json'
    with pytest.raises(SystemExit, match=message):
        run('--gt', folder, '--pred', folder / name, '--out', out, '--workers', workers)
    assert not out.exists()
