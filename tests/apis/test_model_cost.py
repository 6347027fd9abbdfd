"""Costs of networks: closed forms of small ones, and the tiny cascade end to end."""

import json
from types import SimpleNamespace

import pytest
import torch
from helpers_models import tiny_model
from torch import nn

from i2l_plugin.apis import model_cost as module
from i2l_plugin.apis.example_batch import Batch, example_batch
from i2l_plugin.apis.model_cost import OPTIMIZER, Times, model_cost
from i2l_plugin.apis.model_parts import REST

B, H, W = 3, 6, 10


class Small(nn.Module):
    """A convolution, a transposed one, a linear layer and a matrix product."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1, bias=False)
        self.linear = nn.Linear(2 * 4 * H * W, 5)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert data_samples == ['label'] * B
        out = self.linear(self.up(self.conv(inputs)).flatten(1))
        out = out[:, None] @ out.new_ones(B, 5, 7)  # B products of (1, 5) and (5, 7)
        return {'loss_x': out.abs().mean()} if mode == 'loss' else out

    def parse_losses(self, losses):
        return sum(losses.values()), losses


def small_cost(model=None, **options):
    torch.manual_seed(0)
    batch = Batch(torch.randn(B, 3, H, W), ['label'] * B)
    return model_cost(model or Small(), batch, **{'repeats': 0, **options})


def test_parameters_and_multiply_adds_have_closed_forms():
    cost = small_cost()
    assert cost.parameters == {
        'conv': 4 * 3 * 9 + 4,
        'up': 4 * 2 * 16,
        'linear': 8 * H * W * 5 + 5,
        REST: 0,
    }
    assert cost.multiply_adds == {
        'conv': H * W * 4 * 3 * 9,
        'up': H * W * 4 * 2 * 16,  # each input pixel goes to 16 output pixels of 2 channels
        'linear': 8 * H * W * 5,
        REST: 5 * 7,
    }
    assert cost.total_multiply_adds == sum(cost.multiply_adds.values())
    assert cost.batch_size == B
    assert cost.device == 'cpu'


def test_memory_has_a_closed_form():
    cost = small_cost()
    parameters = 4 * 3 * 9 + 4 + 4 * 2 * 16 + 8 * H * W * 5 + 5
    assert cost.total_parameters == parameters
    assert cost.parameter_bytes == cost.gradient_bytes == 4 * parameters
    assert cost.optimizer_bytes == 2 * 4 * parameters + 5 * 4  # Adam: five tensors, five counters
    assert cost.buffer_bytes == 0
    assert cost.peak_bytes is None
    assert cost.activation_bytes['conv'] == 4 * B * 3 * H * W  # inputs of each layer
    assert cost.activation_bytes['up'] == 4 * B * 4 * H * W
    assert cost.activation_bytes['linear'] == 4 * B * 8 * H * W
    held = cost.parameter_bytes + cost.gradient_bytes + cost.optimizer_bytes
    assert cost.training_bytes == held + sum(cost.activation_bytes.values())
    assert cost == small_cost()  # every time


def test_the_configs_optimizer_counts():
    sgd = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    assert small_cost(optimizer=sgd).optimizer_bytes == 0


def test_the_model_is_as_before():
    model = Small()
    model.conv.eval()
    model.linear.weight.grad = torch.ones_like(model.linear.weight)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    small_cost(model, repeats=1)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    assert model.training
    assert not model.conv.training
    assert (model.linear.weight.grad == 1).all()
    assert model.conv.weight.grad is None


def test_times_are_of_the_parts_that_take_them(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module, 'time', SimpleNamespace(perf_counter=lambda: clock[0]))

    def takes(seconds):
        def hook(*_):
            clock[0] += seconds

        return hook

    model = Small()
    model.conv.register_forward_hook(takes(2.0))
    model.up.register_forward_hook(takes(3.0))
    cost = small_cost(model, repeats=2)
    # a module's own hooks are called before those that watch it
    assert cost.forward == Times(5.0, {'conv': 2.0, 'up': 3.0, 'linear': 0.0, REST: 0.0})
    assert cost.step.total_s == 5.0
    assert cost.step.by_part_s == {**cost.forward.by_part_s, OPTIMIZER: 0.0}


def test_no_times_without_repeats_and_no_negative_ones():
    assert small_cost().forward is small_cost().step is None
    with pytest.raises(ValueError, match='repeats: got -1'):
        small_cost(repeats=-1)


def test_the_cascade_end_to_end():
    model = tiny_model()
    one, two = (model_cost(model, example_batch(model, n), repeats=1) for n in (1, 2))
    assert 'BatchNorm1d' in one.notes[0]
    assert two.notes == []
    assert one.multiply_adds == two.multiply_adds
    lixels, vertices, up = 16, model.body_model.num_vertices, 8
    head = vertices * up * 3 * lixels  # three 1x1 convolutions
    head += 64 * up * lixels  # the fully connected layer
    head += 16 * (2 * 2 * 64 * up + 4 * 4 * up * up + 8 * 8 * up * up)  # up-sampling
    assert two.multiply_adds['mesh head'] == head
    assert two.multiply_adds['stem'] == 32 * 32 * 8 * 3 * 49
    # the picture; the convolution's output; what normalisation makes, which ReLU overwrites in
    # place; where the largest were; mean and deviation of each channel
    saved = 4 * 3 * 64 * 64 + 2 * 4 * 8 * 32 * 32 + 8 * 8 * 16 * 16
    assert two.activation_bytes['stem'] == 2 * saved + 2 * 4 * 8
    # but for the batch's statistics all of it is twice as much
    stages = [cost.activation_bytes['stages'] for cost in (one, two)]
    assert stages[0] < stages[1] < 2 * stages[0]
    for times in (two.forward, two.step):
        assert times.total_s > 0
        assert min(times.by_part_s.values()) >= 0
    assert two.step.by_part_s['f_M'] > 0
    content = json.loads(json.dumps(two.as_dict()))
    assert content['training_bytes'] == two.training_bytes
    assert content['step']['total_s'] == two.step.total_s


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_a_gpus_peak_is_at_least_what_training_holds():
    model = tiny_model().cuda()
    cost = model_cost(model, example_batch(model, 2), repeats=1)
    assert cost.device == torch.cuda.get_device_name()
    saved = sum(cost.activation_bytes.values())
    assert cost.peak_bytes >= cost.parameter_bytes + cost.optimizer_bytes + saved
