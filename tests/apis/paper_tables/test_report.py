"""Markdown, plots and surfaces of hand-made results."""

import numpy as np
import pytest
import trimesh

from i2l_plugin.apis.paper_tables.costs import GB, complexity, training_bytes_at
from i2l_plugin.apis.paper_tables.fits import fits_markdown
from i2l_plugin.apis.paper_tables.orderings import pairs
from i2l_plugin.apis.paper_tables.plots import table_bars
from i2l_plugin.apis.paper_tables.report import file_stem, heading, markdown
from i2l_plugin.apis.paper_tables.surface import draw_meshes, edge_length_error, fold_angle_deg


def row(name, paper, seeds, left_out=None, **more):
    mean = {'MPJPE': float(np.mean(seeds)), 'PA-MPJPE': 100.0} if seeds else {}
    spread = float(np.ptp(seeds)) if len(seeds) > 1 else None
    return {
        'name': name,
        'label': f'the {name}',
        'paper': {'out_of_memory': left_out is not None, **paper},
        'mean_mm': mean,
        'spread_mm': {'MPJPE': spread, 'PA-MPJPE': spread},
        'left_out': left_out,
        'memory_complexity': 'O(V D)',
        'parameters': {'full': 72_911_102, 'trained': 500_000},
        'training_bytes': {'full': 3.26 * GB, 'trained': 0.05 * GB},
        'step_s': 0.07,
        **more,
    }


@pytest.fixture
def table():
    paper = {'a': 90.0, 'b': 80.0, 'c': 70.0}
    ours = {'a': [210.0, 214.0], 'b': [200.0, 202.0], 'c': [205.0, 208.0]}
    rows = [row(n, {'MPJPE': mm, 'memory_GB': 4.6}, ours[n]) for n, mm in paper.items()]
    rows.append(row('d', {}, [], left_out='too large'))
    return {
        'table': '2',
        'settings': {
            'budget': '9 steps of 8 people',
            'data': 'toys',
            'mean_mesh_mm': {'MPJPE': 241.0, 'PA-MPJPE': 204.6},
        },
        'rows': rows,
        'orderings': [pair.as_dict() for pair in pairs(paper, ours)],
    }


def test_every_number_stands_in_its_column(table):
    lines = markdown(table).splitlines()
    assert lines[0] == '## Table 2: lixels, pixels and voxels'
    assert 'the mean mesh has MPJPE 241.0, PA-MPJPE 204.6' in lines[2]
    cells = dict(
        zip(*[[c.strip() for c in lines[i].split('|')[1:-1]] for i in (4, 6)], strict=True)
    )
    assert cells['MPJPE paper'] == '90.0'
    errors = '90.0 | 212.0 ± 2.0 | - | 100.0 ± 2.0'
    assert (
        f'| the a | {errors} | - | 72.9 M | 0.50 M | O(V D) | 4.6 | 3.26 | 0.05 | 0.07 |' in lines
    )
    assert '- d was not trained: too large.' in lines
    assert any(line.startswith('| the d | out of memory | - |') for line in lines)


def test_the_verdicts_are_sorted(table):
    text = markdown(table)
    assert "Of the paper's 3 pairs 2 hold." in text
    holds, reverse = text.split('Holds:')[1].split('Does not hold')
    assert '- b better than a: paper by 10.0, ours by 11.0 mm (spread 4.0)' in holds
    assert '- c better than a: paper by 20.0, ours by 5.5 mm (spread 4.0)' in holds
    assert '- c better than b: paper by 10.0, ours by -5.5 mm (spread 3.0)' in reverse


def test_bars_are_as_long_as_the_errors(table):
    paper, ours, memory = table_bars(table).axes
    assert [bar.get_width() for bar in paper.patches] == [0, 70, 80, 90]
    assert [bar.get_width() for bar in ours.patches] == [0, 206.5, 201, 212]
    assert [bar.get_width() for bar in memory.patches][-4:] == [3.26] * 4
    assert [text.get_text() for text in paper.texts] == [' none', ' 70.0', ' 80.0', ' 90.0']
    assert ours.lines[-1].get_xdata()[0] == 241.0  # the mean mesh


def test_names_of_tables_and_figures():
    assert (heading('figure4'), file_stem('figure4')) == (
        *('Figure 4: normal and edge loss', 'figure04'),
    )
    assert file_stem('11') == 'table11'


def test_memory_of_a_batch_lies_on_the_line_of_two_smaller_ones():
    def cost(size):
        return {
            'batch_size': size,
            'activation_bytes': {'a': 7 + 100 * size, 'b': 10 * size},
            'training_bytes': 1000 + 7 + 110 * size,
        }

    assert training_bytes_at([cost(2), cost(3)], 16) == cost(16)['training_bytes']


@pytest.mark.parametrize(
    ('head', 'expected'),
    [('LixelHead', 'O(V D)'), ('PixelHead', 'O(V D²)'), ('VoxelHead', 'O(V D³)')],
)
def test_complexities_are_table_2s(head, expected):
    from mmengine.config import Config

    assert complexity(Config({'model': {'mesh_head': {'type': head}}})) == expected
    assert complexity(Config({'model': {'mesh_head': {'type': 'CoordinateHead'}}})) == 'O(V)'


def test_fits_stand_below_the_papers():
    scores = {
        'a.npz': {'N_fits': 5, 'N': 5, 'MPJPE': 11.04, 'PA-MPJPE': 9.96},
        'b.npz': {'N_fits': 3, 'N': 0},
    }
    lines = fits_markdown(scores).splitlines()
    assert lines[-2:] == ['| a.npz | 5 | 11.0 | 10.0 |', '| b.npz | 3 | - | - |']
    assert '13.1' in lines[-3]


def test_edge_lengths_of_a_mesh_that_is_a_tenth_too_large():
    mesh = trimesh.creation.icosphere(subdivisions=2)
    true = np.stack([mesh.vertices, 2 * mesh.vertices])
    assert edge_length_error(1.1 * true + 5, true, mesh.faces) == pytest.approx(0.1)
    assert edge_length_error(true, true, mesh.faces) == 0


def test_fold_angles_of_a_cube_and_of_noise():
    cube = trimesh.creation.box()
    twelve_edges, six_diagonals = 12 * 90, 6 * 0
    expected = (twelve_edges + six_diagonals) / 18
    assert fold_angle_deg(cube.vertices[None], cube.faces) == pytest.approx(expected)
    ball = trimesh.creation.icosphere(subdivisions=3)
    noise = 0.02 * np.random.default_rng(0).normal(size=ball.vertices.shape)
    smooth, rough = (
        fold_angle_deg(v[None], ball.faces) for v in (ball.vertices, ball.vertices + noise)
    )
    assert rough > 2 * smooth


def test_meshes_are_drawn_side_by_side():
    ball = trimesh.creation.icosphere()
    vertices = 300 * ball.vertices + [0, 0, 3000]
    one = draw_meshes([vertices], ball.faces)
    two = draw_meshes([vertices, vertices], ball.faces)
    np.testing.assert_array_equal(two[:, : one.shape[1]], one)
    np.testing.assert_array_equal(two[:, -one.shape[1] :], one)
    assert (one < 200).any()
