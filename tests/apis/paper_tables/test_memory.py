"""Memory over resolution: exact counts, their slopes, and the same number from real tensors."""

import numpy as np
import pytest
import torch
from helpers_runs import ROOT
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.paper_tables.memory import (
    HEADS,
    RESOLUTIONS,
    head_bytes,
    heatmap_bytes,
    network_bytes,
    paper_memory,
    slope,
)
from i2l_plugin.apis.paper_tables.rows import find_rows
from i2l_plugin.apis.training_memory import SavedActivations

B, V, FLOAT = 2, 40, 4


@pytest.fixture(autouse=True)
def registered():
    register_all_modules()


def heatmaps(name, d):
    """Values of one point's heatmaps, and of the lines that they are read from."""
    return {'lixel': 3 * d, 'pixel': d * d + d, 'voxel': d**3}[name], 3 * d


@pytest.mark.parametrize('name', HEADS)
def test_a_points_heatmaps_are_saved_once_and_its_lines_once(name):
    """The softmax saves its output, three lines; logsumexp its input, the map, and its output."""
    for d in RESOLUTIONS[:3]:
        values, lines = heatmaps(name, d)
        maps = 0 if name == 'lixel' else values - (d if name == 'pixel' else 0)
        marginals = {'lixel': 0, 'pixel': 2 * d, 'voxel': 3 * d}[name]
        expected = FLOAT * B * V * (maps + marginals + lines)
        assert heatmap_bytes(dict(type=HEADS[name]), V, d, B) == expected


def test_slopes_are_those_of_the_papers_complexities():
    curves = {
        name: [heatmap_bytes(dict(type=kind), V, d, B) for d in RESOLUTIONS]
        for name, kind in HEADS.items()
    }
    slopes = {name: slope(RESOLUTIONS, values) for name, values in curves.items()}
    assert slopes['lixel'] == pytest.approx(1, abs=0.01)  # O(V D)
    assert slopes['pixel'] == pytest.approx(2, abs=0.25)  # O(V D^2), and lines of O(V D)
    assert slopes['voxel'] == pytest.approx(3, abs=0.05)  # O(V D^3)
    last = {name: np.log2(values[-1] / values[-2]) for name, values in curves.items()}
    assert last == {n: pytest.approx(k, abs=0.11) for n, k in zip(HEADS, (1, 2, 3), strict=True)}


def test_slope_of_a_power_law():
    assert slope([1, 2, 4, 8], [5 * d**2.5 for d in (1, 2, 4, 8)]) == pytest.approx(2.5)


@pytest.mark.parametrize('name', HEADS)
def test_fake_tensors_count_what_real_ones_do(name):
    head = dict(type=HEADS[name], up_channels=8)
    module = MODELS.build(
        {**head, 'in_channels': 16, 'num_points': V, 'heatmap_size': (16,) * 3, 'num_upsample': 1}
    ).train()
    saved = SavedActivations(module)
    with saved:
        module.coordinates(module(torch.rand(B, 16, 8, 8, requires_grad=True)))
    assert head_bytes(head, V, 16, B, in_channels=16) == saved.total


def test_a_network_holds_its_parameters_four_times_and_what_its_head_saves():
    """MeshNet alone has 72,911,102 parameters (Table 1: 73M)."""
    small, large = (network_bytes(dict(type='LixelHead'), 6890, 64, b) for b in (2, 3))
    each = large - small
    channels = 26_560 + 3 * 256 + 256 * 64  # normalised: ResNet-50, up-sampling, z branch
    statistics = 2 * channels  # mean and deviation of a batch
    lixels = 3 * 64 + 3  # indices, and the ratio to the codec's lixels
    assert small - 2 * each == FLOAT * (4 * 72_911_102 + statistics + lixels)
    head = [head_bytes(dict(type='LixelHead'), 6890, 64, b) for b in (2, 3)]
    assert each > head[1] - head[0]


def test_the_papers_gpu_memory_is_that_of_table_2():
    memory = paper_memory(find_rows(ROOT / 'configs', '2'))
    assert {name: dict(points) for name, points in memory.items()} == {
        'lixel': {8: 3.4, 32: 4.0, 64: 4.6},
        'pixel': {8: 3.5, 32: 5.7},
        'voxel': {8: 4.3},
    }
