"""The true root of a batch: which joint counts, where it lies in the crop, whose depth is known."""

import numpy as np
import pytest
from helpers_genders import gender_body
from helpers_models import INPUT_PX, LIXELS, PRINCPT_PX, toy_body
from helpers_roots import root_sample, tiny_rootnet

from i2l_plugin.body_models import BodyModelsByGender
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.rotation import mirror_pose
from i2l_plugin.models.root_targets import build_root_target

TURNED = np.array([[0.18, 0.05, 10.0], [-0.05, 0.18, 15.0]])


@pytest.fixture(scope='module')
def body():
    return toy_body()


@pytest.fixture
def target_of(body):
    codec = SoftArgmaxCodec((INPUT_PX, INPUT_PX), (LIXELS,) * 3, 2000)
    return lambda *samples: build_root_target(samples, BodyModelsByGender(body), codec)


def lixels(pixel, crop):
    """One image point in the crop's lixels."""
    u, v = crop @ [*pixel, 1]
    return [u / INPUT_PX * LIXELS, v / INPUT_PX * LIXELS]


def test_the_root_of_the_fit_counts_where_the_fit_is_valid(body, target_of):
    samples = [root_sample(body, 0), root_sample(body, 1, crop_from_image=TURNED)]
    for sample in samples:
        camera = dict(focal_px=np.array([500.0, 700.0]), princpt_px=np.array([150.0, 170.0]))
        sample.set_metainfo(camera)
    target = target_of(*samples)
    for i, sample in enumerate(samples):
        labels = sample.gt_instance_labels
        posed = body(labels.pose, labels.betas, labels.transl_mm / 1000).joints_m
        root_mm = posed[0, body.joint_set.root].double().numpy() * 1000
        x, y, z = root_mm
        pixel = 500 * x / z + 150, 700 * y / z + 170
        expected = lixels(pixel, sample.metainfo['crop_from_image'])
        np.testing.assert_allclose(target.xy_lixel[i, 0], expected, atol=1e-3)
        assert target.depth_mm[i].item() == pytest.approx(root_mm[2], abs=0.01)
    assert target.xy_weight.min() == target.depth_weight.min() == 1


def test_the_root_of_people_with_genders_is_that_of_their_own_body(body, target_of):
    """Their shape coefficients mean another body in the neutral model."""
    female = gender_body(2).float()
    samples = [root_sample(body, i, betas=np.full((1, 10), 3.0)) for i in range(2)]
    samples[1].set_metainfo(dict(gender='f'))
    model = tiny_rootnet(body, truth_body_models=dict(f=female))
    target = build_root_target(samples, model.truth_models, model.codec)
    labels = samples[1].gt_instance_labels
    root_mm = female.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)[1][0, 0]
    assert target.depth_mm[1].item() == pytest.approx(root_mm[2].item(), abs=1e-2)
    neutral = target_of(*samples)
    assert neutral.depth_mm[0] == target.depth_mm[0]
    assert abs(neutral.depth_mm[1] - target.depth_mm[1]) > 0.5


def test_the_annotated_root_counts_where_it_is_not(body, target_of):
    known = dict(annotated_mm=(0, 0, 4321), crop_from_image=TURNED)
    sample = root_sample(body, fit_valid=np.zeros(1), **known)
    target = target_of(root_sample(body, 1), sample)
    root_px = sample.gt_instance_labels.joints_img[0, body.joint_set.root, :2].numpy()
    np.testing.assert_allclose(target.xy_lixel[1, 0], lixels(root_px, TURNED), atol=1e-4)
    assert target.depth_mm[1] == 4321
    assert target.depth_mm[0] != 4321
    assert target.depth_weight.tolist() == [1, 1]


@pytest.mark.parametrize('fit_valid', [0.0, 1.0])
def test_without_depth_x_and_y_alone_count(body, target_of, fit_valid):
    """A fit to a picture without depth, as MSCOCO's, stands at a depth that nobody measured."""
    sample = root_sample(body, has_depth=np.zeros(1), fit_valid=np.array([fit_valid]))
    target = target_of(sample)
    assert target.xy_weight.tolist() == [[[1, 1]]]
    assert target.depth_weight.tolist() == [0]


def test_a_root_that_is_not_annotated_does_not_count(body, target_of):
    labels = dict(fit_valid=np.zeros(1), joints_valid=np.zeros((1, body.num_joints)))
    assert target_of(root_sample(body, **labels)).xy_weight.sum() == 0


def test_outside_the_crop_the_depth_alone_counts(body, target_of):
    far_left = root_sample(body, transl_mm=np.array([[-1500.0, 0, 3000]]))
    target = target_of(far_left)
    assert target.xy_weight.sum() == 0
    assert target.depth_weight.tolist() == [1]


def test_a_mirrored_fit_is_mirrored_in_the_crop_and_as_far_away(body, target_of):
    """The mirrored body, in a camera whose principal point is the middle of a 321 px image."""
    plain, order = root_sample(body), list(body.joint_set.mirror_order)
    pose = mirror_pose(plain.gt_instance_labels.pose, order[: body.num_pose])
    mirrored = root_sample(body, pose=pose.numpy(), mirrored=np.ones(1))
    target = target_of(plain, mirrored)
    both = target.xy_lixel[:, 0, 0].sum().item()
    assert both == pytest.approx(2 * PRINCPT_PX * LIXELS / 320, abs=2e-3)
    assert target.depth_mm[1].item() == pytest.approx(target.depth_mm[0].item(), abs=0.1)
