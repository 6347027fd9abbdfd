"""Averaging a picture with its mirror image: exact symmetry, the mean, and who may use it."""

import numpy as np
import pytest
import torch
from helpers_models import INPUT_PX, LIXELS, make_sample, tiny_model, toy_body


@pytest.fixture(scope='module')
def body():
    return toy_body()


def images(batch=2, seed=0):
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(seed))


def test_flip_test_gives_mirrored_pictures_mirrored_people(body):
    """A picture and its mirror image: the answers are each other's mirror images, exactly."""
    model = tiny_model(body, test_cfg=dict(flip_test=True)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # untrained heatmaps are too flat to show an error
            parameter.mul_(8)  # more would leave one lixel of each
    inputs = images(1)
    last_px = INPUT_PX - 1
    sample = make_sample(body, crop_from_image=np.eye(2, 3))
    sample.set_metainfo(dict(princpt_px=np.array([last_px / 2, last_px / 2])))
    (plain,) = model.predict(inputs, [sample.clone()])
    (flipped,) = model.predict(inputs.flip(-1), [sample.clone()])
    joint_order = list(body.joint_set.mirror_order)
    for name, order, signs in (
        ('vertices_cam', list(body.vertex_mirror), [-1, 1, 1]),
        ('vertex_spread', list(body.vertex_mirror), [1, 1, 1]),
        ('joints_cam', joint_order, [-1, 1, 1]),
        ('posenet_joints_cam', joint_order, [-1, 1, 1]),
    ):
        one, other = (p.pred_instances[name][0] for p in (plain, flipped))
        assert np.abs(one - one[order]).max() > 0.1, name  # left and right do differ
        np.testing.assert_allclose(other, one[order] * signs, atol=0.02, err_msg=name)


def test_flip_test_averages_the_plain_answer_with_the_mirrored_one(body):
    model = tiny_model(body).eval()
    inputs, sample = images(1), make_sample(body)
    (plain,) = model.predict(inputs, [sample.clone()])
    with torch.no_grad():
        unflipped = model.estimate(inputs.flip(-1)).vertices
    x_px = INPUT_PX - 1 - unflipped[..., 0] * INPUT_PX / LIXELS
    model.test_cfg = dict(flip_test=True)
    (both,) = model.predict(inputs, [sample.clone()])
    scale = 320 / INPUT_PX  # of the sample's crop
    expected = (
        plain.pred_instances.vertices_img[0, :, 0]
        + scale * x_px[0].numpy()[list(body.vertex_mirror)]
    ) / 2
    np.testing.assert_allclose(both.pred_instances.vertices_img[0, :, 0], expected, atol=1e-2)


def test_flip_test_needs_a_symmetric_mesh():
    body = toy_body()
    body.vertex_mirror = None
    with pytest.raises(ValueError, match='flip_test'):
        tiny_model(body, test_cfg=dict(flip_test=True))
