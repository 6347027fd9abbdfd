"""The optimizer of what is trained alone, and the weights that a second stage asks for."""

import pytest
import torch
import torch.distributed as dist
from helpers_models import INPUT_PX, make_sample, tiny_model, toy_body
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from i2l_plugin.models import FirstStageHook

STAGE = dict(
    type='MeshToParametersEstimator',
    parameter_regressor=dict(type='ParameterRegressor'),
    parameter_loss=dict(type='ParameterLoss'),
    joint_loss=dict(type='CoordinateL1Loss'),
)
OPTIMIZER = dict(constructor='TrainedParametersConstructor', optimizer=dict(type='Adam', lr=1e-3))


def model_of():
    return tiny_model(toy_body(), **STAGE)


def step(model, optimizer):
    samples = [make_sample(toy_body(), seed) for seed in range(2)]
    images = torch.rand(2, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))
    losses = model(images, samples, mode='loss')
    optimizer.update_params(sum(losses.values()))


def test_the_optimizer_holds_the_regressor_and_no_state_of_the_first_stage():
    model = model_of().train()
    optimizer = build_optim_wrapper(model, dict(OPTIMIZER))
    regressor = list(model.parameter_regressor.parameters())
    held = [p for group in optimizer.param_groups for p in group['params']]
    assert [id(p) for p in held] == [id(p) for p in regressor]
    step(model, optimizer)
    assert {id(p) for p in optimizer.optimizer.state} == {id(p) for p in regressor}


def test_an_optimizer_of_nothing_or_of_named_parameters_is_refused():
    with pytest.raises(ValueError, match='Linear has no parameter that is trained'):
        build_optim_wrapper(nn.Linear(2, 2).requires_grad_(False), dict(OPTIMIZER))
    with pytest.raises(ValueError, match='has no paramwise_cfg'):
        build_optim_wrapper(nn.Linear(2, 2), dict(OPTIMIZER, paramwise_cfg=dict(bias_lr_mult=2)))


class Run:
    """What the hook reads of a runner."""

    def __init__(self, model):
        self.model = model


def loaded(model, state):
    hook = FirstStageHook()
    hook.after_load_checkpoint(Run(model), dict(state_dict=state))
    return hook


def test_training_without_a_checkpoint_is_refused():
    with pytest.raises(ValueError, match=r'load_from: got no checkpoint.*--cfg-options load_from='):
        FirstStageHook().before_train(Run(model_of()))


def test_a_first_stage_must_be_whole_and_of_the_same_sizes():
    model = model_of()
    whole = model.state_dict()
    first = {n: t for n, t in whole.items() if 'parameter_regressor' not in n}
    for state in (whole, first, {f'module.{n}': t for n, t in first.items()}):
        loaded(model, state).before_train(Run(model))
    counters = {n: t for n, t in first.items() if 'num_batches' not in n}
    loaded(model, counters).before_train(Run(model))
    lacking = {n: t for n, t in first.items() if not n.startswith('mesh_backbone.layer1.0.conv1')}
    with pytest.raises(ValueError, match=r'lacks 1 tensors of the first stage.*layer1\.0\.conv1'):
        loaded(model, lacking).before_train(Run(model))
    other = {**first, 'backbone.bn1.running_var': torch.ones(64)}
    with pytest.raises(ValueError, match=r'in another shape: backbone\.bn1\.running_var; give'):
        loaded(model, other).before_train(Run(model))
    with pytest.raises(ValueError, match=r'backbone\.conv1\.weight, .*, \.\.\.; give'):
        loaded(model, {}).before_train(Run(model))


def test_a_test_asks_for_the_regressor_too_unless_it_was_just_trained():
    model = model_of()
    first = {n: t for n, t in model.state_dict().items() if 'parameter_regressor' not in n}
    hook = loaded(model, first)
    with pytest.raises(ValueError, match=r'lacks 16 tensors of this network.*parameter_regressor'):
        hook.before_test(Run(model))
    hook.before_train(Run(model))
    hook.before_test(Run(model))
    loaded(model, model.state_dict()).before_test(Run(model))


@pytest.fixture
def process_group(tmp_path):
    """Of this process alone: enough for its checks of who has a gradient."""
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/group', rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures('process_group')
def test_distributed_training_needs_no_search_for_unused_parameters():
    model = model_of().train()
    frozen = {n: t.clone() for n, t in model.state_dict().items() if 'parameter_reg' not in n}
    network = DistributedDataParallel(model)  # refuses a second step if one had no gradient
    optimizer = build_optim_wrapper(network, dict(OPTIMIZER))
    start = model.parameter_regressor.pose.weight.clone()
    for _ in range(2):
        step(network, optimizer)
    state = model.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in frozen.items())
    assert not torch.equal(model.parameter_regressor.pose.weight, start)
