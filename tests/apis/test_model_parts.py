"""Parts of a network, and which of them is at work."""

import torch
from helpers_models import tiny_model
from torch import nn

from i2l_plugin.apis.example_batch import example_batch
from i2l_plugin.apis.model_parts import REST, ModelParts, PartWatcher


class Pair(nn.Module):
    """Two layers with arithmetic before, between and after them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.my_loss = nn.L1Loss()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        x = self.first(x.sin() * self.scale).exp()
        return self.my_loss(self.second(x), torch.zeros(2, 2)) * 2


def followed(model, x):
    """Parts in the order in which they are at work: forward, then backward."""
    forward, backward = [], []
    seen = forward
    parts = ModelParts(model)
    watcher = PartWatcher(lambda part: seen.append(part), backward=True)
    with parts.watch(watcher):
        loss = model(x)
        watcher.follow(loss)
        seen = backward
        loss.backward()
        watcher.switch('end')
    return forward, backward


def test_parts_take_turns_forward_and_in_reverse_backward():
    forward, backward = followed(Pair(), torch.randn(2, 2))
    expected = [REST, 'first', REST, 'second', REST, 'losses']
    assert forward == expected
    assert backward == [REST, 'losses', 'second', REST, 'first', REST]


def test_nothing_is_watched_afterwards():
    model, x = Pair(), torch.randn(2, 2)
    seen = []
    watcher = PartWatcher(seen.append, backward=True)
    with ModelParts(model).watch(watcher):
        loss = model(x)
        watcher.follow(loss)
    seen.clear()
    loss.backward()
    model(x).backward()
    assert seen == []


def test_a_part_within_a_part_hides_it_until_it_ends():
    seen = []
    watcher = PartWatcher(seen.append)
    watcher.enter('outer', ())
    watcher.enter('inner', ())
    watcher.leave(torch.zeros(()))
    assert (seen, watcher.current) == ([REST, 'outer', 'inner'][:3], 'outer')
    watcher.leave({'a': [torch.zeros(())], 'b': 'text'})
    assert (seen[-1], watcher.current) == ('outer', REST)


def test_parameters_count_once_and_those_of_the_model_itself_are_the_rest():
    model = Pair()
    assert ModelParts(model).parameters() == {'first': 6, 'second': 6, 'losses': 0, REST: 1}
    model.second.weight = model.first.weight
    assert ModelParts(model).parameters()['second'] == 2


def test_the_cascade_has_the_papers_parts():
    parts = ModelParts(tiny_model())
    assert set(parts.names()) == {
        *('stem', 'stages', 'pose head', 'f_M', 'mesh stages', 'mesh head'),
        *('losses', 'body model', REST),
    }
    trunk = parts.members['stages']
    assert trunk == [getattr(parts.model.backbone, f'layer{i}') for i in (1, 2, 3, 4)]
    total = sum(p.numel() for p in parts.model.parameters())
    assert sum(parts.parameters().values()) == total
    assert parts.parameters()['stem'] == 8 * 3 * 49 + 2 * 8


def test_a_training_step_of_the_cascade_goes_through_its_parts_in_order():
    model = tiny_model()
    batch = example_batch(model, 2)
    forward, backward = [], []
    seen = forward
    watcher = PartWatcher(lambda part: seen.append(part), backward=True)
    with ModelParts(model).watch(watcher):
        loss = model.parse_losses(model(*batch, mode='loss'))[0]
        watcher.follow(loss)
        seen = backward
        loss.backward()
    network = ['stem', 'stages', 'pose head', 'f_M', 'mesh stages', 'mesh head']
    order = [part for part in dict.fromkeys(forward) if part in network]
    assert order == network
    assert 'body model' in forward
    assert 'losses' in forward
    ends = [len(backward) - 1 - backward[::-1].index(part) for part in network[1:]]
    assert ends == sorted(ends, reverse=True)
    assert 'body model' not in backward  # the targets need no gradients
