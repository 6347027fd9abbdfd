"""Both stages through the runner: train a mesh, freeze it, train parameters, test both meshes."""

import pytest
import torch
from helpers_runs import BODY_CONFIG, make_project, tiny_config

from i2l_plugin.apis.runner import build_runner

SECOND = BODY_CONFIG.with_name('i2l-meshnet_res50_3xb16-5e_synthetic-256x256_smpl.py')


def config_of(path, project, folder, load_from=None):
    config = tiny_config(path, project)
    config.work_dir, config.load_from = str(folder), load_from
    config.experiment_name = folder.name
    return config


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp('two_stages'), people=8)


@pytest.fixture(scope='module')
def first_stage(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp('first')
    build_runner(config_of(BODY_CONFIG, project, folder)).train()
    return folder / 'epoch_1.pth'


def read(path):
    return torch.load(path, map_location='cpu', weights_only=False)


def test_the_second_stage_keeps_the_first_and_reports_both_meshes(project, first_stage, tmp_path):
    runner = build_runner(config_of(SECOND, project, tmp_path, str(first_stage)))
    runner.train()
    metrics = runner.test()

    mesh, saved = read(first_stage)['state_dict'], read(tmp_path / 'epoch_1.pth')
    for name, tensor in mesh.items():
        assert torch.equal(saved['state_dict'][name], tensor), name
    rest = [name for name in saved['state_dict'] if name not in mesh]
    assert {name.split('.')[0] for name in rest} == {'parameter_regressor'}
    assert saved['state_dict']['parameter_regressor.hidden.1.num_batches_tracked'] == 2
    assert len(saved['optimizer']['state']) == 12  # weights and biases of four layers and two BN

    for name in ('joint/{}MPJPE', 'vertex/{}MPVPE'):
        for prefix in ('', 'param_'):
            assert metrics[prefix + name.split('/')[0] + '/N'] == 5
            raw, aligned = (metrics[prefix + name.format(kind)] for kind in ('', 'PA-'))
            assert 0 < aligned < raw < 2000
    assert metrics['param_joint/MPJPE'] != metrics['joint/MPJPE']

    again = build_runner(config_of(SECOND, project, tmp_path / 'test', saved_path(tmp_path)))
    assert again.test() == metrics


def saved_path(folder):
    return str(folder / 'epoch_1.pth')


def test_a_random_or_another_first_stage_is_refused(project, first_stage, tmp_path):
    with pytest.raises(ValueError, match='load_from: got no checkpoint, expected one of the first'):
        build_runner(config_of(SECOND, project, tmp_path / 'random')).train()
    config = config_of(SECOND, project, tmp_path / 'other', str(first_stage))
    config.model.mesh_head.up_channels = 12
    with pytest.raises(ValueError, match=r'tensors of the first stage.*mesh_head\.upsample\.0'):
        build_runner(config).train()
    with pytest.raises(ValueError, match=r'lacks 16 tensors of this network.*parameter_regressor'):
        build_runner(config_of(SECOND, project, tmp_path / 'half', str(first_stage))).test()
