"""People made up for measuring."""

import numpy as np
import pytest
import torch
from helpers_models import tiny_model, toy_body
from torch import nn

from i2l_plugin.apis.example_batch import example_batch
from i2l_plugin.models.targets import build_targets


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_everyone_is_in_the_picture_and_has_all_labels(kind):
    codec = dict(type='SoftArgmaxCodec', input_size=(64, 64), heatmap_size=(16, 16, 16))
    codec['depth_range_mm'] = 2000 if kind == 'body' else 300
    model = tiny_model(toy_body(kind), codec=codec)
    batch = example_batch(model, 3)
    assert (batch.size, batch.inputs.shape) == (3, (3, 3, 64, 64))
    targets = build_targets(batch.data_samples, model.body_model, model.codec)
    assert targets.vertices.weight.mean() > 0.8  # most vertices are in the volume
    assert (targets.annotated_joints.weight == 1).all()
    middle = targets.annotated_joints.lixel.numpy()
    np.testing.assert_allclose(middle, np.full_like(middle, 8.0), atol=1e-5)


def test_the_seed_decides_the_pictures():
    model = tiny_model()
    one, same, other = (example_batch(model, 1, seed).inputs for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='size: got 0'):
        example_batch(tiny_model(), 0)
    with pytest.raises(ValueError, match=r"Linear has no \['codec', 'body_model'\]"):
        example_batch(nn.Linear(1, 1), 1)
