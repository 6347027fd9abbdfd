"""People made up for measuring."""

import numpy as np
import pytest
import torch
from helpers_models import tiny_model, toy_body
from helpers_roots import tiny_rootnet
from torch import nn

from i2l_plugin.apis.example_batch import example_batch
from i2l_plugin.models.root_targets import build_root_target
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


def test_rootnet_is_taught_by_it_too():
    """By the roots of fits, and of the annotation where these do not count."""
    model = tiny_rootnet()
    batch = example_batch(model, 2)
    labels = batch.data_samples[1].gt_instance_labels
    labels.fit_valid = torch.zeros(1)
    target = build_root_target(batch.data_samples, model.truth_models, model.codec)
    assert target.depth_mm[1] == 5000
    assert target.depth_mm[0].item() == pytest.approx(5000, abs=1000)
    assert target.xy_weight.min() == target.depth_weight.min() == 1
    assert all(loss > 0 for loss in model.loss(batch.inputs, batch.data_samples).values())


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
