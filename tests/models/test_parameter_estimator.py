"""Direct regression of parameters: known people, unknown ones, and that it learns."""

import math

import numpy as np
import pytest
import torch
from helpers_models import FOCAL_PX, INPUT_PX, LIXELS, PRINCPT_PX, make_sample, tiny_model, toy_body
from helpers_parameters import rotated_crop, true_parameters, upright_people

from i2l_plugin.models.targets import build_targets
from i2l_plugin.models.variants import PlacedParameters

TERMS = {'loss_meshnet_pose', 'loss_pose', 'loss_betas'}
BEFORE_CAMERA_MM = [[300.0, -200.0, 2500.0]]


@pytest.fixture(scope='module')
def body():
    return toy_body()


def parameter_model(body, **options):
    config = dict(
        type='ParameterMeshEstimator',
        mesh_head=dict(type='ParameterHead', hidden_units=64),
        surface_loss=None,
        parameter_loss=dict(type='ParameterLoss', pose_weight=10.0),
    )
    return tiny_model(body, cascade=False, **{**config, **options})


def images(number=1):
    return torch.rand(number, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))


def truth_of(body, sample, rotation_deg):
    """What a perfect head regresses, the true mesh, and the depth of its root."""
    labels = sample.gt_instance_labels
    vertices_mm, joints_mm = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)
    x, y, z = joints_mm[0, body.joint_set.root].tolist()
    pixel = np.array([FOCAL_PX * x / z + PRINCPT_PX, FOCAL_PX * y / z + PRINCPT_PX, 1])
    root_lixel = sample.metainfo['crop_from_image'] @ pixel / INPUT_PX * LIXELS
    placed = PlacedParameters(
        true_parameters(sample, rotation_deg), torch.tensor(root_lixel[None]).float()
    )
    return placed, vertices_mm, z


@pytest.mark.parametrize('rotation_deg', [0.0, 50.0])
def test_the_true_parameters_have_no_loss_and_give_the_true_mesh(body, rotation_deg):
    """The root's orientation is regressed as the picture shows it and given back in the camera."""
    model = parameter_model(body).eval()
    sample = make_sample(
        body, crop_from_image=rotated_crop(rotation_deg), transl_mm=np.array(BEFORE_CAMERA_MM)
    )
    placed, vertices_mm, depth_mm = truth_of(body, sample, rotation_deg)
    sample.set_metainfo(dict(root_depth_mm=depth_mm))
    model.heatmaps = lambda _: (None, placed)
    for name, value in model.loss(images(), [sample]).items():
        assert value.item() < 1e-4, name
    (person,) = model.predict(images(), [sample])
    instances, labels = person.pred_instances, sample.gt_instance_labels
    np.testing.assert_allclose(instances.vertices_cam, vertices_mm, atol=0.05)
    np.testing.assert_allclose(instances.body_pose, labels.pose, atol=1e-4)
    np.testing.assert_array_equal(instances.betas, labels.betas)
    np.testing.assert_allclose(
        instances.joints_cam[0], body.joint_regressor.numpy() @ vertices_mm[0].numpy(), atol=0.05
    )
    xyz = instances.vertices_cam[0]
    pixels = xyz[:, :2] / xyz[:, 2:] * FOCAL_PX + PRINCPT_PX
    np.testing.assert_allclose(instances.vertices_img[0, :, :2], pixels, atol=0.01)
    assert not instances.vertex_spread.any()


def test_a_wrong_orientation_and_a_wrong_place_are_seen(body):
    model = parameter_model(body).eval()
    sample = make_sample(body, crop_from_image=rotated_crop(50.0))
    placed, _, _ = truth_of(body, sample, 0.0)  # as if the picture were upright
    model.heatmaps = lambda _: (None, placed)
    losses = model.loss(images(), [sample])
    assert losses['loss_pose'] > 0.1
    assert losses['loss_meshnet_pose'] > 0.3
    placed, _, _ = truth_of(body, sample, 50.0)
    moved = placed._replace(root_lixel=placed.root_lixel + 3)
    model.heatmaps = lambda _: (None, moved)
    weight = build_targets([sample], body, model.codec).joints.weight
    expected = 3 * weight[..., :2].mean().item() * 2 / 3  # of x and y, not of z
    loss = model.loss(images(), [sample])['loss_meshnet_pose'].item()
    assert loss == pytest.approx(expected, rel=0.05)


def test_a_step_reaches_every_parameter_and_predictions_are_consistent(body):
    model = parameter_model(body)
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(images(2), samples, mode='loss')
    assert set(losses) == TERMS
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters())  # as distributed training needs
    assert all(p.grad.abs().sum() > 0 for p in model.mesh_head.parameters())
    out = model.eval()(images(2), None, mode='tensor')
    assert {name: tuple(t.shape) for name, t in out.items()} == {
        'body_pose': (2, 24, 3),
        'betas': (2, 10),
        'root_lixel': (2, 2),
    }
    for i, person in enumerate(model(images(2), samples, mode='predict')):
        instances = person.pred_instances  # the crop is upright
        np.testing.assert_allclose(instances.body_pose[0], out['body_pose'][i].detach(), atol=1e-4)
        assert instances.joints_cam[0, 0, 2] == pytest.approx(3000.0)  # R


def test_joints_of_people_without_a_fit_count_where_their_depth_is_known(body):
    model = parameter_model(body).eval()
    unknown = make_sample(body, fit_valid=np.zeros(1))
    unknown.set_metainfo(dict(root_depth_mm=float('nan')))
    losses = model.loss(images(), [unknown])
    assert {name: value.item() for name, value in losses.items()} == dict.fromkeys(TERMS, 0.0)
    known = make_sample(body, fit_valid=np.zeros(1))
    losses = model.loss(images(), [known])
    assert losses['loss_pose'].item() == losses['loss_betas'].item() == 0
    assert losses['loss_meshnet_pose'].item() > 0.1
    seven = parameter_model(body, joint_targets=('fitted', 'annotated')).eval()
    losses = seven.loss(images(), [known])
    assert losses['loss_meshnet_pose_fitted'].item() == 0
    assert losses['loss_meshnet_pose_annotated'].item() > 0.1


def test_a_body_behind_the_camera_has_finite_losses_and_gradients(body):
    model = parameter_model(body)
    near = make_sample(body, transl_mm=np.array([[0.0, 0.0, 100.0]]))
    losses = model(images(2), [near, near], mode='loss')
    sum(losses.values()).backward()
    assert all(math.isfinite(value.item()) for value in losses.values())
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_joints_behind_the_camera_are_pulled_before_it(body):
    """At a tenth of the root's depth: else they would be seen mirrored, or anywhere."""
    model = parameter_model(body).eval()
    sample = make_sample(body)
    placed, _, _ = truth_of(body, sample, 0.0)
    joints = model._joints_lixel(placed, [sample], torch.tensor([100.0]))
    tenth = (10 - 100 + 1000) / 2000 * LIXELS
    assert joints[..., 2].min().item() == pytest.approx(tenth, abs=1e-3)
    far = model._joints_lixel(placed, [sample], torch.tensor([3000.0]))
    assert far[..., 2].min() < tenth - 1


def test_options_without_a_meaning_are_refused(body):
    for name, value in {
        'surface_loss': dict(type='NormalEdgeLoss'),
        'meshnet_pose_loss': False,
        'truth_body_models': {'n': body},
        'pose_head': dict(type='LixelHead'),
    }.items():
        with pytest.raises(ValueError, match=rf"got \['{name}'\].*leave it out"):
            parameter_model(body, **{name: value})
    with pytest.raises(ValueError, match=r'test_cfg\.flip_test'):
        parameter_model(body, test_cfg=dict(flip_test=True))


def test_it_overfits_eight_people(body):
    model = parameter_model(body)
    samples = upright_people(body, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    start = None
    for _ in range(60):
        losses = model(images(8), samples, mode='loss')
        values = {name: loss.item() for name, loss in losses.items()}
        start = start or values
        if all(value < 0.4 * start[name] for name, value in values.items()):
            return
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    pytest.fail(f'{values} from {start}')
