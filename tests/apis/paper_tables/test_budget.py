"""Every row under the small budget: one recipe and input, the paper's resolutions and ratios."""

import pytest
import torch
from helpers_models import make_sample, toy_body
from helpers_runs import BODY_CONFIG, ROOT
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.paper_tables.budget import (
    Budget,
    parse_budget,
    pipeline_steps,
    table_lixels,
)
from i2l_plugin.apis.paper_tables.data import set_data_root, with_data
from i2l_plugin.apis.paper_tables.rows import TRAINED
from i2l_plugin.apis.paper_tables.tables import build_table, distinct_runs
from i2l_plugin.apis.runner import load_config

CONFIGS = ROOT / 'configs'
WITH_POSENET = {'3', '6', '11', '12', 'figure4'}


@pytest.fixture(scope='module')
def tables(tmp_path_factory):
    """All tables on synthetic data, which are two empty files here."""
    folder = tmp_path_factory.mktemp('budget')
    for name in ('train.npz', 'test.npz'):
        (folder / name).write_bytes(name.encode())
    data = load_config(str(BODY_CONFIG))
    set_data_root(data, str(folder))
    return {t: build_table(CONFIGS, t, data, Budget(40), [0, 1], folder) for t in TRAINED}


def configs(table):
    return {name: runs[0].config for name, runs in table.runs.items()}


@pytest.mark.parametrize('number', TRAINED)
def test_all_rows_of_a_table_have_one_budget(tables, number):
    rows = list(configs(tables[number]).values())
    for name in ('train_cfg', 'param_scheduler', 'train_dataloader', 'val_dataloader'):
        assert all(row[name] == rows[0][name] for row in rows), name
    assert all(row.optim_wrapper.optimizer == rows[0].optim_wrapper.optimizer for row in rows)
    assert all(row.model.codec == rows[0].model.codec for row in rows)
    assert all(row.model.backbone == rows[0].model.backbone for row in rows)
    assert rows[0].train_cfg.max_iters == 40
    assert rows[0].param_scheduler[-1].end == 40
    lixels = 16 if number in WITH_POSENET else 64
    assert rows[0].model.codec.heatmap_size == (lixels,) * 3
    steps = {step.type: step for step in pipeline_steps(rows[0].train_dataloader.dataset)}
    assert steps['TopdownAffine'].input_size == (64, 64)
    assert steps['RandomScaleRotate'].rotate_prob == 0


def test_the_heads_keep_the_papers_resolutions_and_are_a_quarter_as_wide(tables):
    heads = {name: c.model.mesh_head for name, c in configs(tables['2']).items()}
    sizes = {name: (h.get('resolution'), h.num_upsample) for name, h in heads.items()}
    assert sizes['voxel-8'] == sizes['lixel-8'] == ((8, 8, 8), 0)
    assert sizes['pixel-32'] == ((32, 32, 32), 2)
    assert sizes['lixel-64'] == sizes['pixel-64'] == (None, 3)
    assert {head.up_channels for head in heads.values()} == {256 // 4}
    dense = configs(tables['1'])
    assert dense['xyz'].model.mesh_head.hidden_units == 4096 // 4
    assert dense['smpl-parameters'].model.mesh_head.hidden_units == 30720 // 4
    assert dense['lixel-without-spatial'].model.mesh_head.hidden_channels == 384 // 4


def test_what_makes_the_rows_differ_stays(tables):
    assert configs(tables['3'])['truth-pose'].model.fed_pose == 'truth'
    assert configs(tables['9'])['max'].model.mesh_head.marginalise == 'max'
    assert configs(tables['11'])['without-pose-loss'].model.meshnet_pose_loss is False
    assert configs(tables['figure4'])['without-both'].model.surface_loss is None
    second = configs(tables['6'])['smpl-regress']
    assert second.optim_wrapper.constructor == 'TrainedParametersConstructor'
    assert [hook.type for hook in second.custom_hooks] == ['EpochSeedHook', 'FirstStageHook']
    predicted = [metric.get('prediction') for metric in second.test_evaluator]
    assert predicted == [None, None, 'posenet', 'parameters', 'parameters']


def test_a_second_stage_starts_from_its_first_of_the_same_seed(tables):
    table = tables['6']
    for first, second in zip(table.runs['mesh'], table.runs['smpl-regress'], strict=True):
        assert second.parent.key == first.key
        assert second.seed == first.seed


def test_the_same_networks_share_runs(tables):
    def key(table, row):
        return tables[table].runs[row][0].key

    assert key('1', 'lixel') == key('2', 'lixel-64') == key('8', 'upsampled') == key('9', 'mean')
    assert key('10', 'lixel-64') == key('1', 'lixel')
    assert key('10', 'lixel-8') == key('2', 'lixel-8')
    assert key('3', 'cascade') == key('11', 'with-pose-loss') == key('figure4', 'with-both')
    assert key('12', 'posenet') == key('12', 'mesh') == key('6', 'mesh') == key('3', 'cascade')
    assert key('3', 'meshnet') != key('1', 'lixel')  # D = 16, as the cascade's
    # 4 + 7 + 3 + 1 + 1 + 2 + 2 + 1 + 3 networks, two seeds
    runs = distinct_runs(list(tables.values()))
    assert len(runs) == 2 * 24
    assert [run.seed for run in runs] == [0] * 24 + [1] * 24
    last = {run.name for run in runs[22:24]}
    assert last == {'2 voxel-16', '2 pixel-64'}  # what the paper could not train


@pytest.mark.parametrize('number', range(24))
def test_every_network_takes_a_step_with_its_last_layers_at_the_middle(tables, number):
    register_all_modules()
    run = distinct_runs(list(tables.values()))[number]
    body = toy_body()
    torch.manual_seed(0)
    network = MODELS.build({**run.config.model.to_dict(), 'body_model': body})
    network.init_weights()
    samples = [make_sample(body, i) for i in range(2)]
    images = torch.rand(2, 3, 64, 64)
    total = sum(network.train()(images, samples, mode='loss').values())
    total.backward()
    assert torch.isfinite(total)
    with torch.no_grad():
        output = network(images, samples, mode='tensor')
    if 'vertices_lixel' in output:
        middle = run.config.model.codec.heatmap_size[0] / 2
        distance = (output['vertices_lixel'] - middle).abs().max()
        assert distance < 0.15 * middle  # lixels 0..7 have theirs at 3.5, which is 28 of 64


def test_a_full_budget_changes_nothing_but_the_data(tmp_path):
    row = load_config(str(CONFIGS / 'ablations/table09_max.py'))
    full = with_data(row, load_config(str(BODY_CONFIG)))
    assert Budget(None).apply(full, 64, tmp_path).to_dict() == full.to_dict()
    assert full.model.mesh_head == row.model.mesh_head
    assert full.optim_wrapper == row.optim_wrapper
    assert full.train_cfg == row.train_cfg
    assert full.model.body_model.path == 'open'
    assert 'init_cfg' not in full.model.backbone  # nothing to download
    assert full.test_evaluator[1].joint_set == 'body_29'


def test_budgets_by_name():
    assert parse_budget('full').steps is None
    assert parse_budget('small') == Budget()
    assert parse_budget('250').steps == 250
    for wrong in ('1', '-3', 'large', '2.5'):
        with pytest.raises(ValueError, match=f'--budget: got {wrong!r}'):
            parse_budget(wrong)


def test_d_is_16_where_a_row_has_a_posenet():
    with_posenet = load_config(str(CONFIGS / 'ablations/table03_cascade.py'))
    without = load_config(str(CONFIGS / 'ablations/table03_meshnet.py'))
    assert table_lixels({'a': without}) == 64
    assert table_lixels({'a': without, 'b': with_posenet}) == 16
