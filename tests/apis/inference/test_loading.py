"""Networks for inference: the right weights or one clear line; nothing in a checkpoint runs."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from helpers_inference import tiny_network
from helpers_runs import HAND_CONFIG, ROOT, make_project, tiny_config

from i2l_plugin import apis
from i2l_plugin.apis import init_model
from i2l_plugin.apis.inference.loading import find_device, load_weights


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    """A network, its config file and its checkpoint."""
    folder = tmp_path_factory.mktemp('loading')
    network = tiny_network(folder)
    network.cfg.dump(folder / 'config.py')
    torch.save({'state_dict': network.state_dict(), 'meta': {'epoch': 3}}, folder / 'a.pth')
    return network, folder / 'config.py', folder / 'a.pth'


def change(saved, tmp_path, changed):
    """A checkpoint whose state_dict went through `changed`."""
    path = tmp_path / 'changed.pth'
    torch.save({'state_dict': changed(dict(torch.load(saved[2])['state_dict']))}, path)
    return str(path)


def test_init_model_loads_every_weight(saved):
    network, config, checkpoint = saved
    torch.manual_seed(1)
    model = init_model(str(config), str(checkpoint), 'cpu')
    assert not model.training
    for name, value in network.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert model.dataset_meta['keypoint_id2name'][0] == 'Pelvis'
    assert model.checkpoint_meta == {'epoch': 3}


def test_overrides_and_config_objects(saved):
    network, config, _ = saved
    options = {'model.test_cfg': {'flip_test': True}}
    model = init_model(str(config), None, 'cpu', options)
    assert model.test_cfg['flip_test']
    again = init_model(network.cfg, None, 'cpu', options)
    assert again.test_cfg['flip_test']
    assert not network.cfg.model.get('test_cfg')  # the caller's config stays as it was


def test_weights_of_parallel_training_are_the_same(saved, tmp_path):
    path = change(saved, tmp_path, lambda s: {f'module.{name}': v for name, v in s.items()})
    load_weights(saved[0], path)


def test_the_regressor_of_a_converted_snapshot_is_passed_over(saved, tmp_path):
    regressor = {'parameter_regressor.pose.weight': torch.zeros(144, 512)}
    load_weights(saved[0], change(saved, tmp_path, lambda state: {**state, **regressor}))


def test_modules_are_told_the_version_of_their_weights(tmp_path):
    class Versioned(torch.nn.Linear):
        _version = 7

        def _load_from_state_dict(self, state, prefix, local_metadata, *args):
            self.told = local_metadata.get('version')
            super()._load_from_state_dict(state, prefix, local_metadata, *args)

    model = Versioned(2, 2)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
    load_weights(model, str(tmp_path / 'a.pth'))
    assert model.told == 7


@pytest.mark.parametrize(
    ('changed', 'message'),
    [
        (lambda s: dict(list(s.items())[2:]), r'2 are missing \(backbone'),
        (lambda s: {**s, 'param_head.weight': torch.ones(1)}, r'1 are unknown to it \(param_head'),
        (
            lambda s: {**s, 'mesh_head.conv_x.bias': torch.ones(7)},
            r'1 differ \(size mismatch for mesh_head.conv_x.bias',
        ),
    ],
)
def test_the_checkpoint_of_another_network_is_refused_in_one_line(
    saved, tmp_path, changed, message
):
    path = change(saved, tmp_path, changed)
    with pytest.raises(ValueError, match=f'changed.pth.*not of this Cascaded.*{message}') as error:
        init_model(str(saved[1]), path, 'cpu')
    assert '\n' not in str(error.value)


def test_a_hostile_checkpoint_is_refused_and_runs_nothing(saved, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path}/witness',)

    torch.save({'state_dict': saved[0].state_dict(), 'meta': Hostile()}, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='refused'):
        init_model(str(saved[1]), str(tmp_path / 'bad.pth'), 'cpu')
    assert not (tmp_path / 'witness').exists()


def test_missing_files_addresses_and_devices_are_named(saved, tmp_path):
    config = str(saved[1])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        init_model(config, str(tmp_path / 'nowhere.pth'), 'cpu')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        init_model(str(tmp_path / 'nowhere.py'))
    with pytest.raises(ValueError, match='is an address'):
        init_model(config, 'https://example.org/a.pth', 'cpu')
    with pytest.raises(ValueError, match='expected a file or a Config'):
        init_model(3)
    with pytest.raises(ValueError, match="got 'gpu'"):
        init_model(config, None, 'gpu')
    with pytest.raises(ValueError, match='CUDA devices'):
        find_device(f'cuda:{torch.cuda.device_count()}')


def test_configs_of_something_else_are_refused(saved):
    network = saved[0]
    other = copy.deepcopy(network.cfg)
    other.model = dict(type='ResNet', depth=18)
    with pytest.raises(ValueError, match='ResNet is no mesh network'):
        init_model(other, None, 'cpu')
    wrong = copy.deepcopy(network.cfg)
    wrong.model.mesh_head.type = 'NoSuchHead'
    with pytest.raises(ValueError, match=r'config cannot be built.*NoSuchHead'):
        init_model(wrong, None, 'cpu')
    with pytest.raises(ValueError, match='fed_pose'):
        init_model(network.cfg, None, 'cpu', {'model.fed_pose': 'truth'})


def test_a_hand_network_knows_the_joints_of_hands(tmp_path):
    config = tiny_config(HAND_CONFIG, make_project(tmp_path / 'project', 'hand', people=2))
    model = init_model(config, None, 'cpu')
    assert model.dataset_meta['keypoint_id2name'][0] == 'Wrist'


def test_importing_the_package_stays_cheap():
    code = (
        'import sys, i2l_plugin.apis as apis; print(sorted({"torch", "mmpose"} & set(sys.modules)))'
        '; print(apis.__all__)'
    )
    out = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.splitlines() == ['[]', "['MeshInferencer', 'infer_meshes', 'init_model']"]
    with pytest.raises(AttributeError, match="has no attribute 'infer_mesh'"):
        apis.infer_mesh  # noqa: B018
