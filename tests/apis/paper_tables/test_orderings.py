"""Verdicts on hand-made numbers."""

import pytest

from i2l_plugin.apis.paper_tables.orderings import HOLDS, REVERSED, UNDECIDED, pairs, spread
from i2l_plugin.apis.paper_tables.results import add_orderings, row_result, usual_spread
from i2l_plugin.apis.paper_tables.rows import Row


def verdict(better, worse, usual=None):
    (pair,) = pairs({'b': 80.0, 'w': 90.0}, {'b': better, 'w': worse}, usual)
    assert (pair.better, pair.worse, pair.paper_mm) == ('b', 'w', 10.0)
    return pair.ours_mm, pair.spread_mm, pair.verdict


def test_a_difference_beyond_the_spread_decides():
    assert verdict([200, 204], [210, 212]) == (9.0, 4.0, HOLDS)
    assert verdict([210, 212], [200, 204]) == (-9.0, 4.0, REVERSED)


def test_a_difference_within_the_wider_spread_decides_nothing():
    assert verdict([200, 210], [206, 207]) == (1.5, 10.0, UNDECIDED)
    assert verdict([206, 207], [200, 210]) == (-1.5, 10.0, UNDECIDED)
    assert verdict([200, 204], [204, 208])[2] == UNDECIDED  # just as far as the spread


def test_one_seed_borrows_the_spread_of_others():
    assert verdict([200], [205]) == (5.0, 0.0, HOLDS)
    assert verdict([200], [205], usual=6.0) == (5.0, 6.0, UNDECIDED)
    assert verdict([200, 201], [205], usual=3.0) == (4.5, 3.0, HOLDS)
    assert verdict([200, 201], [205, 205], usual=30.0)[1] == 1.0  # both have their own


def test_all_pairs_but_those_without_numbers_or_difference():
    paper = {'a': 1.0, 'b': 2.0, 'c': 3.0, 'same': 3.0}
    ours = {'a': [1], 'b': [2], 'c': [], 'same': [9], 'unknown': [4]}
    assert {(p.better, p.worse) for p in pairs(paper, ours)} == {
        *(('a', 'b'), ('a', 'same'), ('b', 'same')),
    }
    assert not pairs({'c': 3.0, 'same': 3.0}, {'c': [1], 'same': [2]})


def test_spread_is_the_range_and_needs_two_seeds():
    assert spread([4.0, 1.0, 3.0]) == 3.0
    assert spread([4.0]) is None


@pytest.fixture
def row(tmp_path):
    path = tmp_path / 'configs/ablations/table02_x.py'
    return Row('2', 'x', 'an x', path, {'MPJPE': 90.0}, prefix='param_joint')


def finished(seed, mpjpe, prefix='param_joint'):
    scores = {f'{prefix}/MPJPE': mpjpe, f'{prefix}/PA-MPJPE': mpjpe / 2, 'joint/MPJPE': 0.0}
    return {'metrics': scores, 'settings': {'seed': seed}}


def test_a_rows_means_and_spreads_are_of_its_own_metric(row):
    result = row_result(row, [finished(0, 200.0), finished(3, 206.0)], step_s=0.5)
    assert result['mean_mm'] == {'MPJPE': 203.0, 'PA-MPJPE': 101.5}
    assert result['spread_mm'] == {'MPJPE': 6.0, 'PA-MPJPE': 3.0}
    assert result['seeds'] == [0, 3]
    assert result['config'] == 'configs/ablations/table02_x.py'
    assert result['step_s'] == 0.5


def test_a_row_without_results_has_no_means(row):
    result = row_result(row, [])
    assert result['mean_mm'] == {}
    assert result['spread_mm'] == {'MPJPE': None, 'PA-MPJPE': None}


def test_a_tables_verdicts_borrow_the_widest_spread_of_all_tables(row):
    other = Row('2', 'y', 'a y', row.path, {'MPJPE': 80.0}, prefix='param_joint')
    two_seeds = {'rows': [row_result(row, [finished(0, 100.0), finished(1, 107.0)])]}
    rows = [row_result(row, [finished(0, 205.0)]), row_result(other, [finished(0, 200.0)])]
    table = {'rows': rows}
    assert usual_spread([table]) is None
    assert usual_spread([two_seeds, table]) == 7.0
    add_orderings(table, None)
    assert [(p['better'], p['verdict']) for p in table['orderings']] == [('y', HOLDS)]
    add_orderings(table, 7.0)
    assert table['orderings'][0]['verdict'] == UNDECIDED
