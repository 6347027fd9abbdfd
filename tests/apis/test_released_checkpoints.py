"""Released snapshots give the release's predictions here; anything that differs is named."""

import hashlib
import os
import pickle
import re

import numpy as np
import pytest
import torch
from helpers_models import toy_body
from helpers_released_network import ReleasedNetwork, random_network, snapshot
from helpers_runs import ROOT
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules
from scipy.spatial.transform import Rotation

from i2l_plugin.apis.released_checkpoints import (
    convert_network,
    convert_snapshot,
    save_atomically,
)
from i2l_plugin.apis.released_network import released_tensors
from i2l_plugin.apis.runner import load_config
from i2l_plugin.geometry.rotation import axis_angle_to_matrix

RELEASE_CONFIG = ROOT / 'configs/body/i2l-meshnet_res50_3xb16-13e_h36m-muco-coco-256x256_release.py'
SMPL_CONFIG = (
    ROOT / 'configs/body/i2l-meshnet_res50_3xb16-5e_h36m-muco-coco-256x256_release_smpl.py'
)
# The first digits of the SHA-256 of the sorted lines "name 64x64x1x1" of the tensors in the
# authors' files, without the body models' buffers; 723 lines each.
OFFICIAL = {'body': '7e2a72d4ee37eaa7', 'hand': 'd506c898fbe6f453'}


def digest(shapes):
    lines = sorted(f'{name} {"x".join(map(str, shape))}' for name, shape in shapes.items())
    assert len(lines) == 723
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()[:16]


def meta_network(kind):
    with torch.device('meta'):
        return ReleasedNetwork(kind)


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_names_and_shapes_are_those_of_the_authors_files(kind):
    table = released_tensors(kind)
    assert digest({name: one.shape for name, one in table.items()}) == OFFICIAL[kind]
    transcribed = meta_network(kind).state_dict()
    assert digest({name: tensor.shape for name, tensor in transcribed.items()}) == OFFICIAL[kind]
    ours = [one.name for one in table.values() if one.name is not None]
    assert len(set(ours)) == len(ours) == 723 - 6  # conv1 and bn1 of the second ResNet


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind: got 'foot', expected one of"):
        released_tensors('foot')


def build(path):
    """The estimator of a config of the release on the open body."""
    register_all_modules()
    config = load_config(str(path), {'model.body_model.path': 'open'})
    return MODELS.build(config.model).eval()


@torch.no_grad()
def check_same_predictions(network, model):
    """The same pictures give the release's joints and vertices, pose and shape."""
    bgr = (torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9), 256) * 255).byte()
    (joint_heatmaps, joints), (heatmaps, vertices) = network(bgr.flip(1) / 255)  # RGB
    _, (_, moved) = network(bgr.flip(1) / 255, moved=0.1)
    for heatmap in (*joint_heatmaps, *heatmaps):  # neither flat nor one peak
        assert heatmap.std(2).mean() > 1
        assert 0.03 < heatmap.softmax(2).amax(2).mean() < 0.8
    assert (moved - vertices).abs().amax() > 0.02  # a tenth of a lixel elsewhere would be seen
    inputs = model.data_preprocessor({'inputs': [bgr[0]], 'data_samples': []})['inputs']
    ours = model(inputs, [], mode='tensor')
    torch.testing.assert_close(ours['joints_lixel'], joints, atol=1e-3, rtol=0)
    torch.testing.assert_close(ours['vertices_lixel'], vertices, atol=1e-3, rtol=0)
    pose, betas = network.parameters(model.body_model.joint_regressor @ vertices)
    matrices = axis_angle_to_matrix(ours['body_pose']).double().numpy()
    np.testing.assert_allclose(matrices[0], Rotation.from_rotvec(pose[0]).as_matrix(), atol=1e-3)
    np.testing.assert_allclose(ours['betas'], betas, atol=2e-3)
    assert np.abs(pose).mean() > 0.5  # people tie themselves in knots
    assert np.abs(betas).mean() > 0.5


def test_a_body_network_predicts_as_in_the_release():
    network = random_network('body')
    kind, state = convert_network(network.state_dict())
    assert kind == 'body'
    model = build(SMPL_CONFIG)
    model.load_state_dict(state)  # all of it, and nothing is missing
    check_same_predictions(network, model)


def test_a_network_without_a_regressor_passes_over_it():
    with torch.device('meta'):
        model = build(RELEASE_CONFIG)
    state = convert_network(light_network('body'))[1]
    loaded = model.load_state_dict(state, strict=False, assign=True)
    assert loaded.missing_keys == []
    assert {name.split('.')[0] for name in loaded.unexpected_keys} == {'parameter_regressor'}


def light_network(kind='hand', fill=0.5):
    """Tensors of the right names and shapes that take no memory."""
    table = released_tensors(kind)
    return {name: torch.tensor(fill).expand(one.shape) for name, one in table.items()}


def test_the_parameter_regressor_keeps_its_numbers():
    network = light_network()
    regressor = meta_network('hand').param_regressor.to_empty(device='cpu')
    for buffer in regressor.buffers():
        buffer.zero_()
    for i, parameter in enumerate(regressor.parameters()):
        torch.nn.init.constant_(parameter, i)
    network.update({f'param_regressor.{n}': t for n, t in regressor.state_dict().items()})
    _, state = convert_network(network)
    names = ('hidden.0', 'hidden.1', 'hidden.3', 'hidden.4', 'pose', 'betas')
    for i, name in enumerate(f'{layer}.{leaf}' for layer in names for leaf in ('weight', 'bias')):
        assert (state[f'parameter_regressor.{name}'] == i).all(), name
    assert state['parameter_regressor.pose.weight'].shape == (16 * 6, 512)
    assert state['parameter_regressor.hidden.0.weight'].shape == (1024, 21 * 3)


def test_half_precision_data_parallel_and_any_order_are_the_same():
    network = light_network(fill=0.3)
    _, expected = convert_network(network)
    halves = {
        f'module.{name}': tensor.half() if name.startswith('pose2feat') else tensor
        for name, tensor in reversed(network.items())
    }
    kind, state = convert_network(halves)
    assert kind == 'hand'
    assert list(state) == list(expected)
    for name, tensor in state.items():
        assert tensor.dtype == (torch.long if tensor.ndim == 0 else torch.float32)
        assert (tensor == expected[name]).all() or name.startswith('pose_to_feature')
    half = state['pose_to_feature.conv.weight']
    torch.testing.assert_close(half, expected['pose_to_feature.conv.weight'], atol=2e-4, rtol=0)


def test_the_unused_first_layer_may_be_missing_or_there():
    network = light_network()
    _, expected = convert_network(network)
    pruned = {
        name: tensor
        for name, tensor in network.items()
        if not name.startswith(('mesh_backbone.conv1', 'mesh_backbone.bn1'))
    }
    assert len(pruned) == len(network) - 6
    assert list(convert_network(pruned)[1]) == list(expected)
    assert 'mesh_backbone.conv1.weight' not in expected


def refused(network, *names, kind=None):
    with pytest.raises(ValueError, match='differ from the release') as error:
        convert_network(network, kind)
    message = str(error.value)
    assert '\n' not in message
    for name in names:
        assert name in message
    return message


def test_unknown_missing_and_misshapen_tensors_are_all_named():
    network = light_network()
    network['pose_net.conv_w.0.weight'] = torch.zeros(2)
    network['extra'] = torch.zeros(2)
    del network['mesh_net.conv_x.0.bias'], network['param_regressor.fc.4.running_var']
    network['pose2feat.conv.0.bias'] = torch.zeros(65)
    network['mesh_backbone.conv1.weight'] = torch.zeros(64, 3, 3, 3)
    network['pose_net.deconv.1.weight'] = [0.0]
    network['pose_net.deconv.1.bias'] = torch.zeros(256, dtype=torch.long)
    message = refused(network)
    assert message.endswith(
        'unknown: pose_net.conv_w.0.weight, extra; '
        'missing: mesh_net.conv_x.0.bias, param_regressor.fc.4.running_var; '
        'misshapen: pose_net.deconv.1.weight is list, expected a tensor, '
        'pose_net.deconv.1.bias is torch.int64, expected floating point, '
        'pose2feat.conv.0.bias is (65,), expected (64,), '
        'mesh_backbone.conv1.weight is (64, 3, 3, 3), expected (64, 3, 7, 7)'
    )


def test_numbers_that_are_none_are_named():
    network = light_network()
    network['mesh_net.conv_x.0.bias'] = torch.full((778,), float('nan'))
    network['pose_net.conv_x.0.bias'] = torch.full((21,), float('inf'))
    refused(network, 'not finite: pose_net.conv_x.0.bias, mesh_net.conv_x.0.bias')


def test_a_wrong_kind_is_told():
    message = refused(light_network('hand'), 'mesh_net.conv_z_2.0.weight is (778,', kind='body')
    assert message.endswith('; its kind seems to be hand')
    with pytest.raises(ValueError, match='kind: got'):
        convert_network(light_network('hand'), 'foot')


def test_a_name_with_and_without_its_prefix_is_refused():
    network = {'module.a': torch.zeros(1), 'a': torch.zeros(1)}
    with pytest.raises(ValueError, match='tensor a is there twice'):
        convert_network(network)


def light_snapshot(path, zipped=True, **changes):
    content = snapshot(toy_body())  # its optimizer; the toy has no network
    network = {f'module.{name}': t for name, t in light_network('body').items()}
    content['network'] = {**content['network'], **network}
    torch.save({**content, **changes}, path, _use_new_zipfile_serialization=zipped)
    return str(path)


@pytest.mark.parametrize('zipped', [True, False])  # False: before PyTorch 1.6
def test_a_snapshot_file_becomes_a_checkpoint_of_weights_only(tmp_path, zipped):
    path = light_snapshot(tmp_path / 'a.pth.tar', zipped)
    kind, checkpoint, kept, dropped = convert_snapshot(path)
    assert kind == 'body'
    # as the paper's parts are counted, with BN's statistics: mean, variance, batches
    assert kept['pose_to_feature'] == (7, 1_106_112 + 2 * 64 + 1)
    assert kept['mesh_head'][1] - kept['pose_head'][1] == 49_403_070 - 44_113_239
    assert sum(tensors for tensors, _ in kept.values()) == 717
    assert re.fullmatch(
        r'human_model_layer\.\*, 2 tensors.*\nmesh_backbone\.conv1 and bn1, 6 tensors.*\n'
        r'optimizer: .*',
        '\n'.join(dropped),
    )
    save_atomically(checkpoint, str(tmp_path / 'new/b.pth'))
    assert os.listdir(tmp_path / 'new') == ['b.pth']
    loaded = torch.load(tmp_path / 'new/b.pth', weights_only=True)  # no arrays, no objects
    assert loaded['meta']['released_epoch'] == 12
    assert loaded['meta']['dataset_meta']['keypoint_id2name'][24] == 'Nose'
    assert loaded['state_dict'].keys() == checkpoint['state_dict'].keys()


def test_whether_the_parameter_regressor_was_trained_is_known(tmp_path):
    for fill, trained in ((0.0, False), (3.0, True)):
        network = light_network('hand', fill)
        path = tmp_path / 'a.pth.tar'
        torch.save({'network': network}, path)
        meta = convert_snapshot(str(path)).checkpoint['meta']
        assert meta['parameter_regressor_trained'] is trained
        assert meta['released_epoch'] is None


class _Hostile:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.system, (f'touch {self.witness}',)


@pytest.mark.parametrize('zipped', [True, False])
def test_a_hostile_snapshot_is_refused_and_executes_nothing(tmp_path, zipped):
    hostile = _Hostile(tmp_path / 'witness')
    path = light_snapshot(tmp_path / 'bad.pth.tar', zipped, optimizer=hostile)
    with pytest.raises(ValueError, match=r'bad\.pth\.tar.* is refused'):
        convert_snapshot(path)
    assert not (tmp_path / 'witness').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'state_dict': {}, 'meta': {}}, r"has no 'network'.*it holds \['meta', 'state_dict'\]"),
        ([1], "has no 'network'.*it holds list"),
        ({'network': torch.zeros(1)}, "has no 'network'"),
        ({'network': {'a': torch.zeros(1)}}, r'a\.pth\.tar.*unknown: a; missing: pose_backbone'),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / 'a.pth.tar')
    with pytest.raises(ValueError, match=message):
        convert_snapshot(str(tmp_path / 'a.pth.tar'))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        convert_snapshot('nowhere.pth.tar')


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match='is a folder'):
        save_atomically({}, str(tmp_path))
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match='cannot be written'):
        save_atomically({}, str(tmp_path / 'file/b.pth'))
    (tmp_path / 'old.pth').write_text('old')
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_atomically({'state_dict': lambda: 0}, str(tmp_path / 'old.pth'))
    assert (tmp_path / 'old.pth').read_text() == 'old'
    assert sorted(os.listdir(tmp_path)) == ['file', 'old.pth']
