"""Studies of toy rows: sharing, keeping, resuming, refusing, reporting."""

import copy
import dataclasses
import json

import pytest
from helpers_paper_tables import write_toy_study

from i2l_plugin.apis.paper_tables.budget import Budget
from i2l_plugin.apis.paper_tables.plots import save, table_bars
from i2l_plugin.apis.paper_tables.report import markdown
from i2l_plugin.apis.paper_tables.results import add_orderings
from i2l_plugin.apis.paper_tables.study import Study
from i2l_plugin.apis.paper_tables.tables import distinct_runs

STEPS = 4


def make_study(folder, data, out='out', **options):
    options = {'budget': Budget(STEPS, batch_size=4), **options}
    return Study(folder / 'configs', data, 'toys', out=folder / out, **options)


@pytest.fixture(scope='module')
def toys(tmp_path_factory):
    """Folder, data and a study whose Table 9 is trained."""
    folder = tmp_path_factory.mktemp('study')
    data = write_toy_study(folder)
    study = make_study(folder, data)
    table = study.table('9', [0])
    said = []
    study.train(distinct_runs([table]), said.append)
    return folder, data, study, table, said


def test_every_row_is_trained_tested_and_told(toys):
    study, table, said = toys[2:]
    assert [line.split(':')[0] for line in said] == ['Table 9 max, seed 0', 'Table 9 mean, seed 0']
    for (run,) in table.runs.values():
        result = study.runs.result(run)
        assert 0 < result['metrics']['joint/PA-MPJPE'] < result['metrics']['joint/MPJPE'] < 3000
        assert study.runs.checkpoint(run).name == f'iter_{STEPS}.pth'


def test_the_report_holds_the_papers_numbers_and_ours(toys, tmp_path):
    _, _, study, table, _ = toys
    result = study.results(table)
    add_orderings(result, None)
    text = markdown(result)
    rows = {row['name']: row for row in result['rows']}
    assert rows['max']['paper']['MPJPE'] == 93.5
    trained = json.loads(json.dumps(result))['rows'][0]['mean_mm']['MPJPE']
    assert f'| max pooling | 93.5 | {trained:.1f} | 64.1 |' in text
    assert len(result['orderings']) == 1
    assert result['settings']['mean_mesh_mm']['MPJPE'] > 0
    for row in rows.values():
        assert row['training_bytes']['trained'] > 16 * row['parameters']['trained']
        assert row['step_s'] > 0
    save(table_bars(result), tmp_path / 'bars.png')
    assert (tmp_path / 'bars.png').read_bytes().startswith(b'\x89PNG')


def test_finished_rows_are_kept(toys):
    folder, data, _, table, _ = toys
    files = sorted((folder / 'out/runs').glob('*/result.json'))
    times = [file.stat().st_mtime_ns for file in files]
    make_study(folder, data).train(distinct_runs([table]), str)
    assert [file.stat().st_mtime_ns for file in files] == times
    assert len(files) == 2


def test_a_killed_run_goes_on_where_it_stopped(toys):
    """In another folder; it dies after step 3 of 4, and every step has a checkpoint."""
    folder, data, study, table, _ = toys
    (run,) = table.runs['mean']
    again = make_study(folder, data, out='killed')
    (folder / 'kill').write_text('3')
    with pytest.raises(ValueError, match='train_and_test ended with status -9'):
        again.runs.finish(run)
    assert again.runs.result(run) is None
    resumed = again.runs.finish(run)['metrics']['joint/MPJPE']
    log = (folder / 'killed/runs' / run.key / 'log.txt').read_text()
    assert 'resumed epoch: 0, iter: 3' in log
    unbroken = study.runs.result(run)['metrics']['joint/MPJPE']
    assert resumed == pytest.approx(unbroken, rel=1e-3)  # it draws other augmentations


def test_rows_that_are_the_same_network_share_a_run(toys):
    _, _, study, table, _ = toys
    other = study.table('9', [0, 1])
    runs = distinct_runs([table, other])
    assert [run.seed for run in runs] == [0, 0, 1, 1]
    assert len({run.key for run in runs}) == 4


def test_another_seed_data_or_config_is_another_run(toys):
    _, _, _, table, _ = toys
    (run,) = table.runs['mean']
    changed = dataclasses.replace(run, config=copy.deepcopy(run.config))
    assert changed.key == run.key
    changed.config.model.mesh_head.up_channels += 1
    others = [
        changed,
        dataclasses.replace(run, seed=1),
        dataclasses.replace(run, data=[*run.data, 'more']),
        dataclasses.replace(run, parent=table.runs['max'][0]),
    ]
    assert len({run.key, *(other.key for other in others)}) == 5


def test_the_folder_of_the_data_makes_no_other_run(toys):
    _, _, _, table, _ = toys
    (run,) = table.runs['mean']
    moved = dataclasses.replace(run, config=copy.deepcopy(run.config))
    moved.config.train_dataloader.dataset.data_root = '/elsewhere/'
    moved.config.work_dir = '/elsewhere'
    assert moved.key == run.key


def test_another_budget_in_the_same_folder_is_refused(toys):
    folder, data, _, _, _ = toys
    with pytest.raises(ValueError, match='holds runs with another budget: choose another --out'):
        make_study(folder, data, budget=Budget(9, batch_size=4))


def test_a_result_of_other_settings_is_refused(toys, tmp_path):
    _, _, study, table, _ = toys
    (run,) = table.runs['mean']
    runs = dataclasses.replace(run)
    path = tmp_path / run.key / 'result.json'
    path.parent.mkdir()
    path.write_text(json.dumps({'settings': {**run.settings, 'seed': 5}, 'metrics': {}}))
    with pytest.raises(ValueError, match='is of other settings than its folder says'):
        type(study.runs)(tmp_path).result(runs)


def test_rows_that_need_too_much_memory_are_left_out_and_named(toys):
    folder, data, _, _, _ = toys
    study = make_study(folder, data, max_memory_gb=1e-3)
    table = study.table('9', [0])
    (run,) = table.runs['max']
    assert 'more than --max-memory-gb 0.001' in study.left_out(run)
    said = []
    study.train([dataclasses.replace(run, seed=7)], said.append)
    assert said[0].startswith('Table 9 max, seed 7: left out, a training step needs 0.0')


def test_missing_data_are_named(toys):
    folder, data, _, _, _ = toys
    data = copy.deepcopy(data)
    data.train_dataloader.dataset.ann_file = 'other.npz'
    with pytest.raises(FileNotFoundError, match=r'other.npz: the train data are not there'):
        make_study(folder, data, out='new')


def test_a_failed_run_names_its_log(toys, tmp_path):
    _, _, _, table, _ = toys
    (run,) = table.runs['mean']
    broken = dataclasses.replace(run, config=copy.deepcopy(run.config))
    broken.config.train_dataloader.dataset.data_root = '/nowhere/'
    study_runs = type(toys[2].runs)(tmp_path)
    with pytest.raises(ValueError, match=r'FileNotFoundError: /nowhere/record.npz.*log.txt\)'):
        study_runs.finish(broken)
    assert not list(tmp_path.glob('*/result.json'))
