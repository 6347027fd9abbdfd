"""The paper's numbers, read from the configs' headers, against the tables that it prints."""

import pytest
from helpers_runs import ROOT

from i2l_plugin.apis.paper_tables.rows import TRAINED, find_rows, read_row

CONFIGS = ROOT / 'configs'
# Copied from the paper: MPJPE, PA-MPJPE, millions of parameters, GB; None is not printed.
PAPER = {
    '1': {
        'smpl-parameters': (100.3, None, 91, 4.3),
        'xyz': (114.3, None, 117, 5.4),
        'lixel-without-spatial': (92.6, None, 82, 4.5),
        'lixel': (86.2, None, 73, 4.6),
    },
    '2': {
        'voxel-8': (102.8, None, None, 4.3),
        'voxel-16': (None, None, None, None),
        'pixel-8': (97.9, None, None, 3.5),
        'pixel-32': (89.4, None, None, 5.7),
        'pixel-64': (None, None, None, None),
        'lixel-8': (100.2, None, None, 3.4),
        'lixel-32': (94.8, None, None, 4.0),
        'lixel-64': (86.2, None, None, 4.6),
    },
    '3': {
        'meshnet': (86.2, 59.8, 73, None),  # 73M is Table 1's
        'cascade': (81.8, 58.0, None, None),
        'truth-pose': (25.5, 17.1, None, None),
    },
    '6': {
        'mesh': (93.2, 57.7, None, None),
        'smpl-regress': (100.0, 60.0, None, None),
    },
    '8': {'feature': (93.5, 64.1, None, 4.4), 'upsampled': (86.2, 59.8, None, 4.6)},
    '9': {
        'max': (93.5, 64.1, None, None),
        'weighted': (89.4, 61.4, None, None),
        'mean': (86.2, 59.8, None, None),
    },
    '10': {
        'depth-map-8': (107.4, None, None, 3.6),
        'depth-map-32': (100.4, None, None, 8.4),
        'lixel-8': (100.2, None, None, 3.4),
        'lixel-32': (94.8, None, None, 4.0),
        'lixel-64': (86.2, None, None, 4.6),
    },
    '11': {
        'without-pose-loss': (84.5, 58.5, None, None),
        'with-pose-loss': (81.8, 58.0, None, None),
    },
    '12': {'posenet': (62.2, 47.2, None, None), 'mesh': (55.7, 41.7, None, None)},
    'figure4': {
        'with-both': (55.7, 41.7, None, None),
        'without-both': (None, None, None, None),
        'without-edge': (None, None, None, None),
        'without-normal': (None, None, None, None),
    },
}
NAMES = ('MPJPE', 'PA-MPJPE', 'parameters_M', 'memory_GB')


@pytest.mark.parametrize('table', TRAINED)
def test_headers_hold_the_numbers_that_the_paper_prints(table):
    read = {
        row.name: tuple(row.paper.get(name) for name in NAMES) for row in find_rows(CONFIGS, table)
    }
    assert read == PAPER[table]


def test_rows_are_sorted_by_the_papers_errors_and_those_without_come_last():
    names = [row.name for row in find_rows(CONFIGS, '2')]
    assert names[:2] == ['voxel-8', 'lixel-8']
    assert names[5] == 'lixel-64'
    assert set(names[6:]) == {'voxel-16', 'pixel-64'}


def test_out_of_memory_is_known():
    lacking = {r.name for r in find_rows(CONFIGS, '2') if r.paper_out_of_memory}
    assert lacking == {'voxel-16', 'pixel-64'}


def test_a_second_stage_names_its_first_and_is_about_its_parameters():
    rows = {row.name: row for row in find_rows(CONFIGS, '6')}
    assert rows['smpl-regress'].first_stage == 'mesh'
    assert rows['smpl-regress'].prefix == 'param_joint'
    assert rows['mesh'].first_stage is None


def test_labels_are_the_papers_words():
    labels = {row.name: row.label for row in find_rows(CONFIGS, '10')}
    assert labels['depth-map-8'] == '2.5D heatmap, 8x8, 8x8'
    assert labels['lixel-64'] == 'lixel heatmaps (ours), 64, 64, 64'
    (label,) = {r.label for r in find_rows(CONFIGS, 'figure4') if r.name == 'without-edge'}
    assert label == 'without the edge loss (Eq. 12)'


def test_another_docstring_is_refused(tmp_path):
    path = tmp_path / 'table02_mine.py'
    path.write_text('"""My own network."""\n')
    with pytest.raises(
        ValueError, match=r"starts with 'My own network\.', expected e\.g\. 'Table 2"
    ):
        read_row(path)


def test_a_header_of_another_table_is_refused(tmp_path):
    folder = tmp_path / 'ablations'
    folder.mkdir()
    (folder / 'table02_mine.py').write_text('"""Table 3, mine. Paper (x): MPJPE 1.0 mm."""\n')
    with pytest.raises(ValueError, match="its header is of table '3', not '2'"):
        find_rows(tmp_path, '2')
    with pytest.raises(ValueError, match="no row of table '9'"):
        find_rows(tmp_path, '9')


def test_a_header_is_read_and_not_executed(tmp_path):
    path = tmp_path / 'table09_mine.py'
    path.write_text('"""Table 9, mine. Paper (x): MPJPE 12.5 mm."""\nraise SystemExit\n')
    assert read_row(path).paper == {'MPJPE': 12.5}
