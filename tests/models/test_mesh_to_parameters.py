"""Parameters from a frozen network's mesh: known people, what is frozen, and that it learns."""

import numpy as np
import pytest
import torch
from helpers_models import INPUT_PX, LIXELS, make_sample, tiny_model, toy_body
from helpers_parameters import about_optical_axis, rotated_crop, true_parameters, upright_people

from i2l_plugin.geometry.rotation import axis_angle_to_matrix
from i2l_plugin.models.parameter_targets import fitted_parameters, joint_targets_mm
from i2l_plugin.models.targets import build_targets

TERMS = {'loss_pose', 'loss_betas', 'loss_joints'}


@pytest.fixture(scope='module')
def body():
    return toy_body()


def second_stage(body, **options):
    config = dict(
        type='MeshToParametersEstimator',
        parameter_regressor=dict(type='ParameterRegressor'),
        parameter_loss=dict(type='ParameterLoss'),
        joint_loss=dict(type='CoordinateL1Loss'),
    )
    return tiny_model(body, **{**config, **options})


def images(number=2):
    return torch.rand(number, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(0))


def see_the_truth(model, body, samples):
    """Let the frozen network give the true mesh, narrow heatmaps around it, but other joints."""
    targets = build_targets(samples, body, model.codec)
    index = torch.arange(float(LIXELS))

    def heatmaps(_):
        return tuple(
            [-(index - points[..., i, None]).square() / (2 * 0.8**2) for i in range(3)]
            for points in (targets.fitted_joints.lixel + 1, targets.vertices.lixel)
        )

    model.heatmaps = heatmaps
    return targets


@pytest.mark.parametrize(('kind', 'rotation_deg'), [('body', 0.0), ('body', 50.0), ('hand', 50.0)])
def test_the_true_parameters_have_no_loss_and_give_the_true_mesh(kind, rotation_deg):
    body = toy_body(kind)
    model = second_stage(body).eval()
    sample = make_sample(body, crop_from_image=rotated_crop(rotation_deg))
    labels = sample.gt_instance_labels
    vertices_mm, joints_mm = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)
    sample.set_metainfo(dict(root_depth_mm=float(joints_mm[0, 0, 2])))
    see_the_truth(model, body, [sample])
    truth = true_parameters(sample, rotation_deg)
    model.parameter_regressor.forward = lambda _: truth
    for name, value in model.loss(images(1), [sample]).items():
        assert value.item() < 1e-4, name
    (person,) = model.predict(images(1), [sample])
    instances = person.pred_instances
    np.testing.assert_allclose(instances.body_pose, labels.pose, atol=1e-4)
    np.testing.assert_array_equal(instances.betas, labels.betas)
    np.testing.assert_allclose(instances.param_vertices_cam, vertices_mm, atol=1)  # of 3 m
    np.testing.assert_allclose(instances.param_joints_cam, joints_mm, atol=1)
    np.testing.assert_allclose(
        instances.param_joints_cam[0, 0], instances.joints_cam[0, 0], atol=0.01
    )


def test_the_regressor_sees_the_joints_of_the_mesh_in_lixels(body):
    model = second_stage(body).eval()
    see_the_truth(model, body, [make_sample(body, 0), make_sample(body, 1)])
    seen = []
    model.parameter_regressor.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    out = model(images(), None, mode='tensor')
    expected = torch.einsum('jv,bvc->bjc', body.joint_regressor, out['vertices_lixel'])
    torch.testing.assert_close(seen[0], expected)
    assert (seen[0] - out['joints_lixel']).abs().max() > 0.5  # PoseNet's
    rotations, betas = model.parameter_regressor(expected)
    torch.testing.assert_close(axis_angle_to_matrix(out['body_pose']), rotations, atol=1e-4, rtol=0)
    torch.testing.assert_close(out['betas'], betas)
    vertices = torch.rand(2, 192, 3).requires_grad_()
    assert model.regress(vertices).betas.requires_grad
    model.regress(vertices).betas.sum().backward()
    assert vertices.grad is None


def test_with_its_mirror_image_a_picture_has_the_parameters_of_the_mean_mesh(body):
    model = second_stage(body, test_cfg=dict(flip_test=True)).eval()
    seen = []
    model.parameter_regressor.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.predict(images(1), [make_sample(body)])
    mirrored = model.estimate(images(1).flip(-1)).mirror(model.codec, body)
    mean = model.estimate(images(1)).average(mirrored).vertices
    torch.testing.assert_close(seen, [body.joint_regressor @ mean])


@pytest.mark.parametrize('cascade', [True, False])
def test_training_changes_the_regressor_and_no_bit_of_the_first_stage(body, cascade):
    model = second_stage(body, cascade=cascade).train()
    frozen = {n: t.clone() for n, t in model.state_dict().items() if 'parameter_reg' not in n}
    trained = {n: p.clone() for n, p in model.parameter_regressor.named_parameters()}
    assert any('running_var' in name for name in frozen)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)  # the host's: of all parameters
    samples = [make_sample(body, i) for i in range(2)]
    for _ in range(2):
        model.train()
        losses = model(images(), samples, mode='loss')
        assert set(losses) == TERMS
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    state = model.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in frozen.items())
    for name, parameter in model.parameter_regressor.named_parameters():
        if name not in ('hidden.0.bias', 'hidden.3.bias'):  # which normalisation takes away
            assert not torch.equal(parameter, trained[name]), name
    assert state['parameter_regressor.hidden.1.num_batches_tracked'] == 2
    assert {n for n, p in model.named_parameters() if p.grad is not None} == {
        f'parameter_regressor.{name}' for name in trained
    }


def test_the_first_stage_stays_in_evaluation_mode(body):
    model = second_stage(body)
    for mode in (True, False):
        model.train(mode)
        training = {n.split('.')[0] for n, m in model.named_modules() if m.training and n}
        assert ('parameter_regressor' in training) is mode
        assert not training & {name for name, _ in model.first_stage()}
    assert len(list(model.first_stage())) == 5
    assert model.eval()(images(), None, mode='tensor')['vertices_lixel'].requires_grad is False


def naive_joints(joints_cam_mm, rotation_deg):
    from_root = joints_cam_mm - joints_cam_mm[0]
    return from_root @ about_optical_axis(rotation_deg).T


def test_joint_targets_are_about_the_root_in_the_axes_of_the_crop(body):
    rng = np.random.default_rng(0)
    true_mm = rng.uniform([-400, -800, 2500], [400, 800, 3500], (29, 3))
    pixels = true_mm[:, :2] / true_mm[:, 2:] * 600 + 160
    joints_img = np.column_stack([pixels, true_mm[:, 2] - true_mm[0, 2]])[None]
    given = dict(joints_img=joints_img, crop_from_image=rotated_crop(50.0))
    some = np.ones((1, 29))
    some[0, 5] = 0
    no_root = np.ones((1, 29))
    no_root[0, 0] = 0
    samples = [
        make_sample(body, 0, **given, joints_valid=some),
        make_sample(body, 1, **given, joints_valid=some, fit_valid=np.zeros(1)),
        make_sample(body, 2, **given, fit_valid=np.zeros(1), has_depth=np.zeros(1)),
        make_sample(body, 3, **given, fit_valid=np.zeros(1), joints_valid=no_root),
        make_sample(body, 4, **given, fit_valid=np.zeros(1)),
    ]
    for sample in samples:
        sample.set_metainfo(dict(root_depth_mm=true_mm[0, 2]))
    samples[4].set_metainfo(dict(root_depth_mm=float('nan')))
    fitted = fitted_parameters(samples, torch.device('cpu'))
    targets = joint_targets_mm(samples, body, fitted)
    for i, sample in enumerate(samples[:2]):
        labels = sample.gt_instance_labels
        posed = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)[1][0].numpy()
        expected = naive_joints(posed, 50.0)
        np.testing.assert_allclose(targets.fitted_joints.joints_mm[i], expected, atol=0.05)
        annotated = targets.annotated_joints.joints_mm[i]
        np.testing.assert_allclose(annotated, naive_joints(true_mm, 50.0), atol=0.05)
    assert targets.fitted_joints.weight[..., 0].mean(1).tolist() == [1, 0, 0, 0, 0]
    known = np.array([some[0], some[0], some[0] * 0, some[0] * 0, some[0] * 0])
    np.testing.assert_array_equal(targets.annotated_joints.weight[..., 0], known)
    mixed = targets.joints
    assert torch.equal(mixed.joints_mm[0], targets.fitted_joints.joints_mm[0])
    assert torch.equal(mixed.joints_mm[1], targets.annotated_joints.joints_mm[1])
    np.testing.assert_array_equal(mixed.weight[..., 0], [[1] * 29, *known[1:]])


def test_losses_are_means_over_everybody_and_the_releases_are_four(body):
    model = second_stage(body).eval()
    samples = [make_sample(body, 0), make_sample(body, 1, fit_valid=np.zeros(1))]
    samples[1].set_metainfo(dict(root_depth_mm=float('nan')))  # nothing is known of the second
    truth = fitted_parameters(samples, torch.device('cpu'))
    wrong = truth._replace(betas=truth.betas + 1)
    model.parameter_regressor.forward = lambda _: wrong
    losses = model.loss(images(), samples)
    assert losses['loss_pose'].item() < 1e-6
    assert losses['loss_betas'].item() == pytest.approx(0.5)
    origin = torch.zeros(1, 3)
    pose, betas = samples[0].gt_instance_labels.pose, samples[0].gt_instance_labels.betas
    joints = [body.pose_cam_mm(pose, b, origin)[1] for b in (betas, betas + 1)]
    one, other = (j - j[:, :1] for j in joints)
    expected = (one - other).abs().mean().item() / 1000 / 2  # m
    assert losses['loss_joints'].item() == pytest.approx(expected, rel=1e-3)
    four = second_stage(body, joint_targets=('fitted', 'annotated'))(images(), samples, mode='loss')
    assert set(four) == TERMS - {'loss_joints'} | {'loss_joints_fitted', 'loss_joints_annotated'}


def test_absurd_shapes_are_kept_by_the_joints(body):
    """The release zeroes the shape's target, not the mesh's."""
    sample = make_sample(body, betas=np.full((1, 10), 3.5))
    model = second_stage(body).eval()
    fitted = fitted_parameters([sample], torch.device('cpu'))
    model.parameter_regressor.forward = lambda _: fitted
    losses = model.loss(images(1), [sample])
    assert losses['loss_betas'].item() == pytest.approx(3.5)
    assert losses['loss_joints'].item() < 1e-6


def test_options_of_the_first_stage_that_it_cannot_have_are_refused(body):
    with pytest.raises(ValueError, match=r'truth_body_models is for .* leave it out'):
        second_stage(body, truth_body_models={'n': body})
    with pytest.raises(ValueError, match=r'fed_pose is for .* got truth: leave it'):
        second_stage(body, fed_pose='truth')


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_it_overfits_eight_people_whose_mesh_it_is_shown(kind):
    model_of = toy_body(kind)
    model = second_stage(model_of)
    samples = upright_people(model_of, 8)
    see_the_truth(model, model_of, samples)
    optimizer = torch.optim.Adam(model.parameter_regressor.parameters(), lr=3e-3)
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
