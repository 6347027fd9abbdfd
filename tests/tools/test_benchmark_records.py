import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def records(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / 'tools'))
    return importlib.import_module('benchmarks.records')


def test_both_ways_hold_the_same_persons(records, tmp_path):
    records.write_files(tmp_path, 7)
    columns, host = (records._open(way, str(tmp_path)) for way in ('columns', 'list'))
    assert len(columns) == len(host) == 7
    for i in range(7):
        ours, theirs = columns.get_data_info(i), host.get_data_info(i)
        assert ours['sample_id'] == theirs['sample_id']
        for name in ('pose', 'betas', 'focal_px'):
            np.testing.assert_array_equal(ours[name], theirs[name])
        np.testing.assert_array_equal(ours['annotated_joints_cam_mm'], theirs['joints_cam_mm'])


def test_a_broken_promise_shows_in_the_exit_status(records, monkeypatch, capsys):
    def measured(way, folder):
        del folder
        return dict.fromkeys(records._ROWS, 6.0 if way == 'columns' else 3.0)

    monkeypatch.setattr(records, '_in_fresh_process', measured)
    monkeypatch.setattr(records, 'write_files', lambda *_: None)
    assert records.run(type('Args', (), {'num': 5})) == 1
    table = capsys.readouterr().out
    assert table.count('TOO MUCH') == 1  # 6 s to open; 6 MB are allowed
    assert '0.5x' in table
