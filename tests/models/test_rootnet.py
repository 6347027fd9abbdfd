"""RootNet: k from camera and box, exact depth of a perfect gamma, invariances, losses, learning."""

import numpy as np
import pytest
import torch
from helpers_models import FOCAL_PX, INPUT_PX, LIXELS, PRINCPT_PX, toy_body
from helpers_roots import images, root_sample, tiny_rootnet

from i2l_plugin.geometry.crop import crop_from_image
from i2l_plugin.models.decoding import read_views
from i2l_plugin.models.root_targets import RootTarget
from i2l_plugin.models.rootnet import MIN_GAMMA, RootEstimate

BOX = dict(center_px=(150.0, 170.0), scale_px=(200.0, 200.0), rotation_deg=0.0)
ROOT_MM = np.array([-40.0, 55.0, 3210.0])


@pytest.fixture(scope='module')
def body():
    return toy_body()


@pytest.fixture(scope='module')
def model(body):
    return tiny_rootnet(body).eval()


def views_of(focal_px=(500.0, 600.0), princpt_px=(PRINCPT_PX, 140.0), resize=1.0, **box):
    """Views of a crop; with `resize` its picture, camera and box are as many times as large."""
    box = {**BOX, **box}
    for name in ('center_px', 'scale_px'):
        box[name] = np.array(box[name]) * resize
    crop = crop_from_image(**box, output_size=(INPUT_PX, INPUT_PX))
    return dict(
        crop_from_image=torch.from_numpy(crop)[None],
        focal_px=torch.tensor([focal_px], dtype=torch.float64) * resize,
        princpt_px=torch.tensor([princpt_px], dtype=torch.float64) * resize,
    )


def perfect(views, root_mm=ROOT_MM):
    """The true root's place in the crop and its gamma, by hand."""
    focal, princpt = views['focal_px'][0].numpy(), views['princpt_px'][0].numpy()
    crop = views['crop_from_image'][0].numpy()
    pixel = root_mm[:2] / root_mm[2] * focal + princpt
    xy_crop = crop[:, :2] @ pixel + crop[:, 2]
    box_px = INPUT_PX / np.sqrt(np.linalg.det(crop[:, :2]))
    k_mm = np.sqrt(focal[0] * focal[1] * 2000 * 2000 / box_px**2)
    return RootEstimate(
        torch.tensor(xy_crop * LIXELS / INPUT_PX).view(1, 1, 2), torch.tensor([root_mm[2] / k_mm])
    )


def test_k_is_where_a_square_of_two_metres_fills_the_box(model):
    """sqrt(500 * 600 * 2000^2 / (200 * 200)) mm; a turned box has the same area."""
    expected = (500 * 600) ** 0.5 * 2000 / 200
    for rotation in (0, 25, -60):
        assert model.box_depth_mm(views_of(rotation_deg=rotation)).item() == pytest.approx(expected)


def test_of_a_box_that_is_no_square_the_area_counts(body):
    """48 x 64 px that show 150 x 200 px of the picture, turned or not."""
    codec = dict(type='SoftArgmaxCodec', input_size=(48, 64), heatmap_size=(12, 16, 16))
    model = tiny_rootnet(body, codec=codec)
    views = views_of(rotation_deg=30)
    views['crop_from_image'] *= (48 / 150) / (INPUT_PX / 200)
    expected = (500 * 600 / (150 * 200)) ** 0.5 * 2000
    assert model.box_depth_mm(views).item() == pytest.approx(expected)


def test_of_a_hand_the_square_has_sides_of_its_own():
    codec = dict(type='SoftArgmaxCodec', depth_range_mm=300)
    hand = tiny_rootnet(toy_body('hand'), codec=codec)
    views = views_of()
    views['crop_from_image'] *= 256 / INPUT_PX
    assert hand.box_depth_mm(views).item() == pytest.approx((500 * 600) ** 0.5 * 300 / 200)
    assert hand.real_size_mm == (300, 300)


@pytest.mark.parametrize('rotation_deg', [0.0, 40.0])
def test_a_perfect_gamma_gives_the_exact_root(model, rotation_deg):
    views = views_of(rotation_deg=rotation_deg)
    (person,) = model.decode(perfect(views), views)
    np.testing.assert_allclose(person['root_cam'], [ROOT_MM], atol=1e-3)
    pixel = [-40 / 3210 * 500 + PRINCPT_PX, 55 / 3210 * 600 + 140]
    np.testing.assert_allclose(person['root_img'], [[*pixel, 3210]], atol=1e-3)


@pytest.mark.parametrize('factor', [0.8, 1.25])
def test_a_larger_box_has_the_same_root_by_as_much_more_gamma(model, factor):
    """The person is as much smaller in it, which is all that the network sees."""
    plain = perfect(views_of())
    views = views_of(scale_px=(200 * factor, 200 * factor), center_px=(140.0, 180.0))
    shown = perfect(views)
    assert shown.gamma.item() == pytest.approx(plain.gamma.item() * factor)
    (person,) = model.decode(shown, views)
    np.testing.assert_allclose(person['root_cam'], [ROOT_MM], atol=1e-3)


@pytest.mark.parametrize('resize', [0.5, 3.0])
def test_a_resized_picture_shows_the_same_crop_and_the_same_root(model, resize):
    """With its camera and box; the crop, hence the network's answer, is the same."""
    plain, resized = views_of(), views_of(resize=resize)
    estimate = perfect(plain)
    people = [model.decode(estimate, views)[0] for views in (plain, resized)]
    for name in ('root_cam', 'root_gamma'):
        np.testing.assert_allclose(people[0][name], people[1][name], atol=1e-3)


def test_a_longer_lens_means_a_farther_root_for_the_same_picture(model):
    views = [views_of(focal_px=(f, f), princpt_px=(150.0, 170.0)) for f in (400.0, 800.0)]
    estimate = perfect(views[0], np.array([0.0, 0.0, 3000.0]))
    depths_mm = [model.decode(estimate, one)[0]['root_cam'][0, 2] for one in views]
    assert depths_mm == pytest.approx([3000, 6000])


def test_nobody_is_behind_the_camera(model):
    views = views_of()
    estimate = RootEstimate(perfect(views).xy_lixel, torch.tensor([-2.0], dtype=torch.float64))
    (person,) = model.decode(estimate, views)
    assert person['root_gamma'] == pytest.approx(MIN_GAMMA)
    assert person['root_cam'][0, 2] > 0


def test_predictions_are_what_the_tensors_say(body, model):
    samples = [root_sample(body, i) for i in range(2)]
    out = model(images(), None, mode='tensor')
    results = model(images(), [sample.clone() for sample in samples], mode='predict')
    for i, result in enumerate(results):
        instances = result.pred_instances
        pixel = out['root_lixel'][i, 0].numpy(force=True) * INPUT_PX / LIXELS * 320 / INPUT_PX
        depth_mm = out['root_gamma'][i].item() * FOCAL_PX * 2000 / 320
        np.testing.assert_allclose(instances.root_img[0], [*pixel, depth_mm], rtol=1e-5)
        x_mm, y_mm = (pixel - PRINCPT_PX) / FOCAL_PX * depth_mm
        np.testing.assert_allclose(instances.root_cam[0], [x_mm, y_mm, depth_mm], rtol=1e-4)
        assert instances.root_gamma.shape == (1,)
        np.testing.assert_array_equal(instances.bboxes, samples[i].gt_instances.bboxes)
        np.testing.assert_array_equal(instances.bbox_scores, [1])


def test_no_depth_needs_to_be_known(body, model):
    sample = root_sample(body)
    sample.set_metainfo(dict(root_depth_mm=float('nan')))
    (result,) = model.predict(images(1), [sample])
    assert np.isfinite(result.pred_instances.root_cam).all()


def test_losses_are_mean_distances_in_lixels(body):
    """Of x and y together, and of the depth, of which 2 m are 20, or the box's own depth is."""
    size = dict(input_size=(INPUT_PX, INPUT_PX), heatmap_size=(LIXELS, LIXELS, 20))
    model = tiny_rootnet(body, codec=dict(type='SoftArgmaxCodec', **size))
    estimate = RootEstimate(
        torch.tensor([[[3.0, 5.0]], [[9.0, 9.0]], [[1.0, 1.0]]]),
        torch.tensor([1.1, 0.9, 5.0]),
    )
    target = RootTarget(
        torch.tensor([[[4.0, 7.0]], [[8.5, 9.0]], [[float('nan')] * 2]]),
        torch.tensor([1.0, 1, 0]).view(3, 1, 1).expand(3, 1, 2),
        torch.tensor([4000.0, 5000.0, float('nan')]),
        torch.tensor([1.0, 1, 0]),
    )
    losses = model.losses_of(estimate, target, torch.tensor([4000.0, 5000.0, 6000.0]))
    assert losses['loss_root_xy'].item() == pytest.approx((1 + 2 + 0.5) / 6)
    assert losses['loss_root_depth'].item() == pytest.approx((400 + 500) / 100 / 3, rel=1e-5)
    model.relative_depth = True
    relative = model.losses_of(estimate, target, torch.tensor([4000.0, 5000.0, 6000.0]))
    assert relative['loss_root_depth'].item() == pytest.approx((0.1 + 0.1) * 20 / 3, rel=1e-5)


def test_people_without_depth_teach_x_and_y_alone(body):
    model = tiny_rootnet(body)
    samples = [root_sample(body, i, has_depth=np.zeros(1)) for i in range(2)]
    losses = model.loss(images(), samples)
    assert losses['loss_root_depth'] == 0
    sum(losses.values()).backward()
    assert model.root_head.conv_gamma.weight.grad.abs().sum() == 0
    assert model.backbone.conv1.weight.grad.abs().sum() > 0


def test_flip_test_gives_a_mirrored_picture_the_mirrored_root(body):
    model = tiny_rootnet(body, test_cfg=dict(flip_test=True)).eval()
    with torch.no_grad():
        for parameter in model.root_head.parameters():  # untrained heatmaps are too flat
            parameter.mul_(30)
    sample, last_px = root_sample(body, crop_from_image=np.eye(2, 3)), INPUT_PX - 1
    sample.set_metainfo(dict(princpt_px=np.array([last_px / 2, last_px / 2])))
    answers = [
        model.predict(picture, [sample.clone()])[0].pred_instances
        for picture in (images(1), images(1).flip(-1))
    ]
    plain, flipped = (answer.root_cam[0] for answer in answers)
    assert abs(plain[0]) > 1
    np.testing.assert_allclose(flipped, plain * [-1, 1, 1], atol=0.05)

    model.test_cfg = {}
    single = [
        model.predict(picture, [sample.clone()])[0].pred_instances.root_gamma[0]
        for picture in (images(1), images(1).flip(-1))
    ]
    assert single[0] != pytest.approx(single[1], abs=1e-6)
    assert answers[0].root_gamma[0] == pytest.approx(sum(single) / 2)


def test_hands_are_not_flipped():
    with pytest.raises(ValueError, match=r'flip_test.*left one'):
        tiny_rootnet(toy_body('hand'), test_cfg=dict(flip_test=True))


def test_it_learns_where_four_people_stand(body):
    """Four pictures, four depths; from the box's size alone it is far off."""
    model = tiny_rootnet(body).train()
    depths_mm = (2400.0, 3000.0, 3600.0, 4500.0)
    samples = [
        root_sample(body, i, transl_mm=np.array([[(i - 1.5) * 150, 50.0 * i, depth]]))
        for i, depth in enumerate(depths_mm)
    ]
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    first = None
    for _ in range(50):
        losses = model.loss(images(4), samples)
        first = first or {name: loss.item() for name, loss in losses.items()}
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    for name, loss in losses.items():
        assert loss.item() < 0.25 * first[name], name


def test_views_are_read_from_the_samples(body):
    samples = [root_sample(body, i) for i in range(3)]
    views = read_views(samples, torch.device('cpu'))
    assert views['focal_px'].tolist() == [[FOCAL_PX, FOCAL_PX]] * 3
    assert views['crop_from_image'][:, 0, 0].tolist() == pytest.approx([INPUT_PX / 320] * 3)
