"""Loss, prediction and metrics on a GPU give what they give on the CPU."""

import copy

import numpy as np
import pytest
import torch
from helpers_models import INPUT_PX, make_sample, tiny_model, toy_body
from mmengine.evaluator import Evaluator

from i2l_plugin.evaluation import FScore, MeshJointError, MeshVertexError

DEVICES = [
    pytest.param(
        'cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
    )
]
pytestmark = pytest.mark.parametrize('device', DEVICES)


@pytest.fixture
def model():
    """In evaluation mode, with heatmaps that are not flat."""
    model = tiny_model(toy_body()).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if 'head.conv' in name:
                weight.mul_(300)
    return model


@pytest.fixture(autouse=True)
def _exact_float32():
    """Convolutions without TF32, which rounds to 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def batch_of(model):
    """As a loader packs it: images and samples on the CPU."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 3, INPUT_PX, INPUT_PX), generator=generator)
    samples = [make_sample(model.body_model, i) for i in range(2)]
    return dict(inputs=list(images.to(torch.uint8)), data_samples=samples)


def losses_and_gradient(model):
    batch = model.data_preprocessor(batch_of(model), training=True)
    losses = model(**batch, mode='loss')
    sum(losses.values()).backward()
    gradient = model.backbone.conv1.weight.grad
    return {name: loss.item() for name, loss in losses.items()}, gradient.cpu()


def test_losses_and_gradients(model, device):
    on_device = copy.deepcopy(model).to(device)
    expected, expected_gradient = losses_and_gradient(model)
    losses, gradient = losses_and_gradient(on_device)
    assert losses == pytest.approx(expected, rel=1e-4)
    difference = (gradient - expected_gradient).abs().max()
    assert difference < 1e-3 * expected_gradient.abs().max()


def test_losses_in_mixed_precision_are_those_of_float32_coordinates(model, device):
    full, _ = losses_and_gradient(model)
    on_device = copy.deepcopy(model).to(device)
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
        half, gradient = losses_and_gradient(on_device)
    assert half == pytest.approx(full, rel=0.05, abs=0.01)
    assert torch.isfinite(gradient).all()


def test_predictions_and_metrics(model, device):
    on_device = copy.deepcopy(model).to(device)
    body = model.body_model
    results = []
    for network in (model, on_device):
        people = network.test_step(batch_of(network))
        metrics = [MeshVertexError(body), MeshJointError(body, 'body_29'), FScore(body)]
        evaluator = Evaluator(metrics)
        evaluator.process(people)
        results.append((people, evaluator.evaluate(2)))
    (expected, expected_metrics), (people, metrics) = results
    assert metrics == pytest.approx(expected_metrics, rel=1e-3, abs=1e-3)
    for person, other in zip(people, expected, strict=True):
        for name in ('vertices_cam', 'posenet_joints_cam', 'keypoints', 'vertex_spread'):
            ours, theirs = person.pred_instances[name], other.pred_instances[name]
            assert isinstance(ours, np.ndarray)
            np.testing.assert_allclose(ours, theirs, atol=0.05)
