"""Bytes that training holds, counted by hand."""

import pytest
import torch
from torch import nn

from i2l_plugin.apis.training_memory import (
    SavedActivations,
    distinct_bytes,
    gradient_bytes,
    optimizer_bytes,
)


def saved_bytes(model, run):
    with SavedActivations(model) as saved:
        out = run()
    return saved, out


def test_layers_save_their_inputs_and_relu_its_output():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    inputs = torch.randn(4, 5)
    saved, _ = saved_bytes(model, lambda: model(inputs))
    # the first layer saves its input, ReLU its output, which the second layer saves again
    assert saved.total == 4 * (4 * 5 + 4 * 7)


def test_a_convolution_saves_its_input():
    model = nn.Conv2d(3, 8, 3, padding=1)
    saved, _ = saved_bytes(model, lambda: model(torch.randn(2, 3, 10, 6)))
    assert saved.total == 4 * (2 * 3 * 10 * 6)


def test_a_storage_counts_once_and_whole():
    inputs = torch.randn(100)
    weight = torch.ones(10, requires_grad=True)
    model = nn.Module()
    model.weight = nn.Parameter(weight.detach())

    def run():
        return (model.weight * inputs[:10]).sum() + (model.weight * inputs[50:60]).sum()

    saved, _ = saved_bytes(model, run)
    assert saved.total == 4 * 100


def test_two_storages_of_one_size_count_twice():
    a, b = (torch.randn(10, requires_grad=True) for _ in range(2))
    saved, _ = saved_bytes(nn.Module(), lambda: a * b)
    assert saved.total == 2 * 4 * 10


def test_parameters_and_buffers_count_nothing():
    model = nn.BatchNorm1d(6)
    inputs = torch.randn(4, 6)
    inputs_bytes, statistics = 4 * 4 * 6, 2 * 4 * 6  # mean and inverse deviation of the batch
    saved, _ = saved_bytes(model, lambda: model(inputs))
    assert saved.total == inputs_bytes + statistics
    model = nn.Linear(6, 6, bias=False)
    saved, _ = saved_bytes(model, lambda: model(model.weight))  # saves nothing but the weight
    assert saved.total == 0


def test_nothing_is_saved_without_gradients():
    model = nn.Linear(6, 6)
    with torch.no_grad():
        saved, _ = saved_bytes(model, lambda: model(torch.randn(2, 6)))
    assert saved.total == 0


def test_gradients_are_the_same_while_counting():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten()
    )
    inputs = torch.randn(2, 3, 8, 8)
    model(inputs).square().sum().backward()
    expected = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    _, out = saved_bytes(model, lambda: model(inputs))
    out.square().sum().backward()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=0)


def test_what_is_saved_belongs_to_the_part_that_is_named():
    parts = iter(['a', 'b'])
    x = torch.randn(3, requires_grad=True)
    with SavedActivations(nn.Module(), lambda: next(parts)) as saved:
        x.exp()  # saves its output
        (x.double() ** 2).sum()  # saves the double
    assert saved.by_part == {'a': 12, 'b': 24}


def test_distinct_bytes_of_views_are_those_of_the_storage():
    x = torch.zeros(10, dtype=torch.float64)
    assert distinct_bytes([x[:2], x[5:], torch.zeros(3)]) == 80 + 12


def test_frozen_parameters_have_no_gradients():
    model = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3, bias=False).double())
    assert gradient_bytes(model) == 4 * (35 + 7) + 8 * 21
    model[0].weight.requires_grad = False
    assert gradient_bytes(model) == 4 * 7 + 8 * 21


@pytest.mark.parametrize(
    ('make', 'expected'),
    [
        # two moments of 4 bytes a parameter; a step counter of 4 bytes a tensor
        (lambda p: torch.optim.Adam(p, lr=1e-3), 2 * 4 * (35 + 7) + 2 * 4),
        (lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9), 4 * (35 + 7)),
        (lambda p: torch.optim.SGD(p, lr=1e-3), 0),
    ],
)
def test_optimizer_state(make, expected):
    model = nn.Linear(5, 7)
    optimizer = make(model.parameters())
    assert optimizer_bytes(optimizer) == 0
    model(torch.randn(2, 5)).sum().backward()
    optimizer.step()
    assert optimizer_bytes(optimizer) == expected


def test_state_in_nested_lists_counts():
    model = nn.Linear(5, 1, bias=False)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    inputs = torch.randn(8, 5)

    def closure():
        optimizer.zero_grad()
        loss = model(inputs).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    (state,) = optimizer.state.values()
    assert len(state['old_dirs']) > 0  # a list of tensors of 5 numbers
    assert optimizer_bytes(optimizer) >= 4 * 5 * (len(state['old_dirs']) + len(state['old_stps']))
