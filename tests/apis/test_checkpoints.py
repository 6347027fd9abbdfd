"""Checkpoints: the host's own pass, hostile and broken ones are refused and execute nothing."""

import os
import pickle
import re

import pytest
import torch
from mmengine.logging import HistoryBuffer

from i2l_plugin.apis.checkpoints import check_checkpoint


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


class _Getattr:
    def __reduce__(self):
        return getattr, (torch.Tensor, 'numpy')


def test_getattr_serves_loss_histories_only(tmp_path):
    path = tmp_path / 'bad.pth'
    torch.save({'state_dict': {'w': torch.ones(2)}, 'extra': _Getattr()}, path)
    with pytest.raises(ValueError, match='refused'):
        check_checkpoint(str(path))
