"""A random snapshot of the release's hand network, from its file to what tools/test.py predicts."""

import json
import pickle

import numpy as np
import pytest
import torch
from helpers_dataset_runs import load_tool
from helpers_released_network import random_network, snapshot
from helpers_runs import ROOT, make_project, run_tool
from mmpose.apis import init_model
from mmpose.registry import DATASETS
from scipy.spatial.transform import Rotation

from i2l_plugin.apis.released_network import released_tensors
from i2l_plugin.apis.runner import load_config

CONFIG = ROOT / 'configs/hand/i2l-meshnet_res50_3xb16-5e_freihand-256x256_release_mano.py'
OPEN = dict(kind='hand', path='open')


def release_config(folder):
    """The release's config; the open hand and a tiny record stand for MANO and FreiHAND."""
    config = load_config(str(CONFIG), {'model.body_model.path': 'open'})
    config.visualizer.body_model.path = 'open'
    loader = config.test_dataloader
    loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    root = str(make_project(folder, 'hand') / 'data/test') + '/'
    dataset = dict(type='HandMeshDataset', data_root=root, ann_file='record.npz', test_mode=True)
    loader.dataset = dict(dataset, indices=[0, 3], pipeline=loader.dataset.pipeline)
    config.test_evaluator = [
        dict(type='MeshVertexError', body_model=OPEN),
        dict(type='MeshVertexError', body_model=OPEN, prediction='parameters'),
    ]
    config.dump(folder / 'config.py')
    return load_config(str(folder / 'config.py'))


def convert(monkeypatch, *arguments):
    """Run the tool in this process."""
    monkeypatch.setattr('sys.argv', ['convert_checkpoint.py', *map(str, arguments)])
    load_tool('tools/convert_checkpoint.py').main()


@torch.no_grad()
def test_a_hand_snapshot_predicts_as_in_the_release(tmp_path, monkeypatch, capsys):
    network = random_network('hand', seed=1)
    source, target = tmp_path / 'snapshot_24.pth.tar', tmp_path / 'hand.pth'
    torch.save(snapshot(network, epoch=24), source, _use_new_zipfile_serialization=False)
    convert(monkeypatch, source, target)
    printed = capsys.readouterr().out
    source.unlink()
    assert 'hand.pth: a hand network, epoch 24' in printed
    assert 'kept     parameter_regressor: 18 tensors' in printed
    assert 'dropped  optimizer' in printed
    assert 'never trained' not in printed

    config = release_config(tmp_path)
    run_tool(
        *('tools/test.py', tmp_path / 'config.py', target, '--work-dir', tmp_path / 'work'),
        *('--dump', tmp_path / 'dump.pkl', '--out', tmp_path / 'metrics.json'),
    )
    model = init_model(config, str(target), device='cpu')
    target.unlink()  # half a gigabyte each
    assert model.dataset_meta['num_keypoints'] == 21
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    for prefix in ('vertex', 'param_vertex'):
        assert metrics[f'{prefix}/N'] == 2
        assert np.isfinite(metrics[f'{prefix}/PA-MPVPE'])

    dumped = pickle.loads((tmp_path / 'dump.pkl').read_bytes())
    dataset = DATASETS.build(config.test_dataloader.dataset)
    for i, result in enumerate(dumped):
        packed = dataset[i]
        image = packed['inputs'][None]  # (1, 3, 256, 256) BGR
        (_, joints), (_, vertices) = network(image.flip(1) / 255)
        inputs = model.data_preprocessor({'inputs': [image[0]], 'data_samples': []})['inputs']
        ours = model(inputs, [], mode='tensor')
        torch.testing.assert_close(ours['joints_lixel'], joints, atol=1e-3, rtol=0)
        torch.testing.assert_close(ours['vertices_lixel'], vertices, atol=1e-3, rtol=0)
        # lixels of 4 px in the crop, and of 300 / 64 mm around the root joint
        frame = packed['data_samples'].metainfo
        to_crop = np.vstack([frame['crop_from_image'], [0, 0, 1]])
        crop_px = np.insert(4 * vertices[0, :, :2].numpy(), 2, 1, axis=1)
        image_px = (crop_px @ np.linalg.inv(to_crop).T)[:, :2]
        depth_mm = (vertices[0, :, 2].numpy() / 32 - 1) * 150 + frame['root_depth_mm']
        theirs = np.column_stack([image_px, depth_mm])
        lixel = np.array([4 / to_crop[0, 0], 4 / to_crop[1, 1], 300 / 64])  # in px, px, mm
        predicted = np.asarray(result['pred_instances']['vertices_img'])[0]
        assert (np.abs(predicted - theirs) / lixel).max() < 1e-3
        pose, betas = network.parameters(model.body_model.joint_regressor @ vertices)
        instances = result['pred_instances']  # the crop is upright: its axes are the camera's
        ours, theirs = (Rotation.from_rotvec(p[0]) for p in (instances['body_pose'], pose))
        assert (ours.inv() * theirs).magnitude().max() < 1e-3
        np.testing.assert_allclose(instances['betas'], betas, atol=2e-3)


def failure(monkeypatch, *arguments):
    """What the tool says when it ends with an error."""
    with pytest.raises(SystemExit) as error:
        convert(monkeypatch, *arguments)
    return error.value.code


@pytest.mark.parametrize(
    ('content', 'arguments', 'message'),
    [
        (None, (), "snapshot.pth.tar' does not exist"),
        ({'network': {'module.a': torch.zeros(1)}}, ('--kind', 'body'), 'unknown: a; missing: '),
        ({'epoch': 3}, (), "has no 'network'"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path, monkeypatch, content, arguments, message
):
    source = tmp_path / 'snapshot.pth.tar'
    if content is not None:
        torch.save(content, source)
    error = failure(monkeypatch, source, tmp_path / 'out/hand.pth', *arguments)
    assert error.startswith('error: ')
    assert message in error
    assert not (tmp_path / 'out').exists()


def test_the_snapshot_is_never_overwritten(tmp_path, monkeypatch):
    source = tmp_path / 'snapshot.pth.tar'
    torch.save({'network': {}}, source)
    whole = source.read_bytes()
    assert 'is the snapshot itself' in failure(monkeypatch, source, source)
    assert source.read_bytes() == whole


def test_an_untrained_parameter_regressor_is_told(tmp_path, monkeypatch, capsys):
    network = {n: torch.zeros(()).expand(one.shape) for n, one in released_tensors('hand').items()}
    torch.save({'network': network, 'epoch': 3}, tmp_path / 'a.pth.tar')
    convert(monkeypatch, tmp_path / 'a.pth.tar', tmp_path / 'hand.pth', '--kind', 'hand')
    assert (tmp_path / 'hand.pth').is_file()
    assert 'parameter_regressor was never trained' in capsys.readouterr().out
