"""Checkpoints: the host's own pass, hostile and broken ones are refused and execute nothing."""

import os
import pickle
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MMLogger

from i2l_plugin.apis.checkpoints import (
    admit_checkpoint,
    check_checkpoint,
    latest_checkpoint,
    pretrained_files,
)


class _Hostile:
    """Unpickling runs a command that leaves a file."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.system, (f'touch {self.witness}',)


def test_a_plain_checkpoint_passes(tmp_path):
    path = tmp_path / 'ok.pth'
    torch.save({'state_dict': {'w': torch.ones(2)}, 'meta': {'epoch': 3}}, path)
    check_checkpoint(str(path))


def _write(path, what, witness):
    if what == 'hostile':
        torch.save({'state_dict': {'w': torch.ones(2)}, 'extra': _Hostile(witness)}, path)
    elif what == 'pickle':
        path.write_bytes(pickle.dumps(_Hostile(witness)))
    elif what == 'truncated':
        torch.save({'state_dict': {'w': torch.ones(1000)}}, path)
        path.write_bytes(path.read_bytes()[:-500])
    elif what == 'empty':
        path.write_bytes(b'')
    elif what == 'text':
        path.write_text('not a checkpoint')
    else:
        torch.save({'epoch': 3}, path)


@pytest.mark.parametrize(
    'what', ['hostile', 'pickle', 'truncated', 'empty', 'text', 'no state_dict']
)
def test_a_bad_checkpoint_is_refused_by_name_and_executes_nothing(tmp_path, what):
    path, witness = tmp_path / 'bad.pth', tmp_path / 'witness'
    _write(path, what, witness)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        check_checkpoint(str(path))
    assert not witness.exists()
    if what == 'hostile':  # it is the file that is harmless to us, not we who are to everything
        torch.load(path, weights_only=False)
        assert witness.exists()


def test_a_missing_checkpoint_is_refused_by_name():
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pth'):
        check_checkpoint('nowhere.pth')


def test_loss_histories_of_the_host_pass(tmp_path):
    path = tmp_path / 'ok.pth'
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save({'state_dict': {'w': torch.ones(2)}, 'message_hub': {'loss': history}}, path)
    check_checkpoint(str(path))
    assert history.statistics('mean') == 1.5  # looking at a file changes nothing


class _Getattr:
    def __reduce__(self):
        return getattr, (torch.Tensor, 'numpy')


def test_getattr_serves_loss_histories_only(tmp_path):
    path = tmp_path / 'bad.pth'
    torch.save({'state_dict': {'w': torch.ones(2)}, 'extra': _Getattr()}, path)
    with pytest.raises(ValueError, match='refused'):
        check_checkpoint(str(path))


FORCE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """Undone after each test."""
    monkeypatch.setenv(FORCE, '0')


def save_as_the_host_does(path, epoch=1):
    content = {'state_dict': {'w': torch.full((2,), float(epoch))}, 'meta': {'epoch': epoch}}
    torch.save({**content, 'message_hub': {'loss': HistoryBuffer([1.0], [1])}}, path)
    return path


@pytest.mark.filterwarnings('ignore:Environment variable TORCH_FORCE')
def test_the_original_host_can_load_what_was_admitted_and_nothing_else(tmp_path):
    """MMEngine 0.10.7 calls torch.load(path, map_location=...)."""
    path = save_as_the_host_does(tmp_path / 'ok.pth')
    bad = tmp_path / 'bad.pth'
    _write(bad, 'hostile', tmp_path / 'witness')
    with pytest.raises(ValueError, match='refused'):
        admit_checkpoint(str(bad))
    assert os.environ[FORCE] == '0'
    admit_checkpoint(str(path))
    assert torch.load(path, map_location='cpu')['meta']['epoch'] == 1


@pytest.mark.parametrize('scheme', ['https', 'torchvision', 'open-mmlab'])
def test_addresses_are_refused_with_the_way_out(scheme):
    with pytest.raises(ValueError, match=rf"'{scheme}://x' is an address.*download it"):
        admit_checkpoint(f'{scheme}://x')


@pytest.fixture
def warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', messages.append)
    return messages


def save_run(folder, last, epochs=(2, 9, 10)):
    for epoch in epochs:
        path = save_as_the_host_does(folder / f'epoch_{epoch}.pth', epoch)
        os.utime(path, (1000, 1000))  # within one tick of the clock
    save_as_the_host_does(folder / 'best_joint_epoch_11.pth')
    (folder / 'last_checkpoint').write_text(str(folder / last))
    return folder


def test_the_latest_checkpoint_is_the_one_that_the_host_names(tmp_path, warnings):
    assert latest_checkpoint(save_run(tmp_path, 'epoch_9.pth')) == str(tmp_path / 'epoch_9.pth')
    assert warnings == []
    assert os.environ[FORCE] == '1'


def test_a_gone_or_broken_latest_checkpoint_is_replaced_by_the_newest_whole_one(tmp_path, warnings):
    save_run(tmp_path, 'epoch_11.pth')
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')
    assert len(warnings) == 1
    assert re.search(r'epoch_11\.pth.* does not exist; looking for an older', warnings[0])
    (tmp_path / 'epoch_10.pth').write_bytes((tmp_path / 'epoch_10.pth').read_bytes()[:-200])
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_10.pth'))
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_9.pth')
    assert len(warnings) == 2
    assert re.search(r'epoch_10\.pth.* cannot be read', warnings[1])
    iteration = save_as_the_host_does(tmp_path / 'iter_7.pth')  # newer by the clock
    assert latest_checkpoint(tmp_path) == str(iteration)


def test_without_a_whole_checkpoint_there_is_none(tmp_path, warnings):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / 'nowhere') is None
    assert warnings == []
    (tmp_path / 'epoch_1.pth').write_bytes(b'')
    assert latest_checkpoint(tmp_path) is None
    assert len(warnings) == 1


def test_every_local_file_of_pretrained_weights_is_found():
    def trunk(path):
        return dict(type='ResNet', init_cfg=[dict(type='Normal'), dict(type='Pretrained', **path)])

    config = Config(
        dict(
            backbone=trunk(dict(checkpoint='a.pth')),
            mesh_backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='b.pth')),
            other=trunk(dict(checkpoint='torchvision://resnet50')),
            checkpoint='c.pth',
        )
    )
    assert list(pretrained_files(config._cfg_dict)) == ['a.pth', 'b.pth']
