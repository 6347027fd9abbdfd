"""Trunks that start from a checkpoint of MMEngine's, such as PoseNet's."""

import importlib.util

import pytest
import torch
from helpers_runs import ROOT
from mmengine.config import Config
from mmengine.logging import HistoryBuffer


@pytest.fixture
def train():
    spec = importlib.util.spec_from_file_location('train_tool', ROOT / 'tools/train.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_host_can_load_a_trunk_that_was_looked_at(train, tmp_path, monkeypatch):
    """The original MMEngine loads as PyTorch does by default: weights alone, unless told."""
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '0')  # undone afterwards
    path = tmp_path / 'posenet.pth'
    history = {'train/loss': HistoryBuffer([1.0], [1])}
    torch.save({'state_dict': {'a': torch.ones(2)}, 'message_hub': history}, path)
    start = dict(type='Pretrained', checkpoint=str(path), prefix='backbone.')
    train.admit_pretrained(Config(dict(model=dict(mesh_backbone=dict(init_cfg=start)))))
    assert torch.load(path)['state_dict']['a'].tolist() == [1, 1]
