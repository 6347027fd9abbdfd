import cv2
import numpy as np
import pytest
import torch
from helpers_records import TRAIN_PIPELINE, save_toy_record
from helpers_runs import BODY_CONFIG
from helpers_toy_body import toy_body_data
from mmengine.dataset import Compose
from mmengine.runner import set_random_seed
from mmpose.registry import TRANSFORMS
from scipy.stats import truncnorm

from i2l_plugin.apis.runner import load_config
from i2l_plugin.body_models import BODY_29, H36M_17, HAND_21, BodyModel
from i2l_plugin.body_models.joint_sets import JOINT_SETS
from i2l_plugin.datasets import ColorScale, MeshDataset, PackMeshInputs, RandomMirror
from i2l_plugin.datasets.transforms import mirror_order_of_names
from i2l_plugin.geometry.camera import project


def load_sample(folder, index=0, pipeline=({'type': 'LoadImage'},), **options):
    save_toy_record(folder, **options)
    return MeshDataset('record.npz', data_root=str(folder), pipeline=pipeline)[index]


def copy_of(sample):
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in sample.items()}


def as_batch(sample, *names):
    return (torch.from_numpy(np.asarray(sample[name]))[None] for name in names)


def test_mirroring_twice_is_the_identity(tmp_path):
    sample = load_sample(tmp_path)
    mirror = RandomMirror(prob=1)
    once = mirror.transform(copy_of(sample))
    twice = mirror.transform(copy_of(once))
    assert twice.keys() == sample.keys()
    changed = {'img', 'bbox', 'princpt_px', 'pose', 'joints_img', 'annotated_joints_cam_mm'}
    for name, value in sample.items():
        if isinstance(value, np.ndarray):
            assert twice[name].dtype == value.dtype
            np.testing.assert_allclose(twice[name], value, atol=1e-4)
            assert np.array_equal(once[name], value) == (name not in changed)
        else:
            assert twice[name] == value
            assert (once[name] == value) == (name != 'mirrored')


def test_the_mirrored_body_through_the_mirrored_camera_gives_the_mirrored_pixels(tmp_path):
    data = toy_body_data('body')
    body = BodyModel(data)
    sample = load_sample(tmp_path)
    mirrored = RandomMirror(prob=1).transform(copy_of(sample))
    points = []
    for s in (sample, mirrored):
        pose, betas, transl, focal, princpt = as_batch(
            s, 'pose', 'betas', 'transl_mm', 'focal_px', 'princpt_px'
        )
        vertices, joints = body.pose_cam_mm(pose, betas, transl, torch.tensor([s['mirrored']]))
        points.append([project(p, focal, princpt)[0].numpy() for p in (vertices, joints)])
    width = sample['img'].shape[1]
    orders = (data.vertex_mirror, list(BODY_29.mirror_order))
    for original, landed, order in zip(*points, orders, strict=True):
        expected = original[order] * [-1, 1, 1] + [width - 1, 0, 0]
        np.testing.assert_allclose(landed[:, :2], expected[:, :2], atol=2e-3)
        np.testing.assert_allclose(landed[:, 2], expected[:, 2], atol=2e-2)


def test_mirrored_annotations_are_the_mirrored_bodys_joints(tmp_path):
    body = BodyModel(toy_body_data('body'))
    mirrored = RandomMirror(prob=1).transform(load_sample(tmp_path))
    pose, betas, transl, focal, princpt = as_batch(
        mirrored, 'pose', 'betas', 'transl_mm', 'focal_px', 'princpt_px'
    )
    vertices, joints = body.pose_cam_mm(pose, betas, transl, torch.tensor([True]))
    cam = body.regressor('h36m_17') @ vertices
    np.testing.assert_allclose(mirrored['annotated_joints_cam_mm'], cam[0], atol=2e-2)
    img = project(joints, focal, princpt)[0]
    img[:, 2] -= cam[0, H36M_17.index('Pelvis'), 2]
    known = mirrored['joints_valid']
    assert known.sum() == 16
    np.testing.assert_allclose(mirrored['joints_img'][known], img[known], atol=2e-2)
    assert not mirrored['joints_img'][~known].any()


def test_validity_follows_a_joint_to_the_other_side(tmp_path):
    sample = load_sample(tmp_path)
    for names, key in (
        (BODY_29.joint_names, 'joints_valid'),
        (H36M_17.joint_names, 'annotated_joints_valid'),
    ):
        sample[key] = np.array([name != 'L_Knee' for name in names])
    mirrored = RandomMirror(prob=1).transform(sample)
    assert [
        n for n, v in zip(BODY_29.joint_names, mirrored['joints_valid'], strict=True) if not v
    ] == ['R_Knee']
    assert not mirrored['annotated_joints_valid'][H36M_17.index('R_Knee')]
    assert mirrored['annotated_joints_valid'].sum() == 16


def test_image_and_box_are_flipped_pixel_by_pixel(tmp_path):
    sample = load_sample(tmp_path)
    sample['bbox'] = np.array([[10, 20, 30, 60]], np.float32)
    image = sample['img'].copy()
    mirrored = RandomMirror(prob=1).transform(sample)
    np.testing.assert_array_equal(mirrored['img'], np.fliplr(image))
    x1, y1, x2, y2 = mirrored['bbox'][0].astype(int)
    inside = mirrored['img'][y1 : y2 + 1, x1 : x2 + 1]
    np.testing.assert_array_equal(np.fliplr(inside), image[20:61, 10:31])


@pytest.mark.parametrize('joint_set', JOINT_SETS.values(), ids=lambda joint_set: joint_set.name)
def test_names_alone_say_which_joints_mirroring_exchanges(joint_set):
    assert mirror_order_of_names(joint_set.joint_names) == joint_set.mirror_order


def test_a_joint_without_a_partner_stays():
    assert mirror_order_of_names(('L_Wrist', 'Nose', 'R_Knee', 'L_Knee')) == (0, 1, 3, 2)


@pytest.mark.parametrize('prob', [0.0, 0.3, 1.0])
def test_samples_are_mirrored_with_the_given_probability(tmp_path, prob):
    set_random_seed(0)
    sample = load_sample(tmp_path)
    sample['img'] = sample['img'][:8]
    mirror = RandomMirror(prob=prob)
    share = np.mean([mirror.transform(copy_of(sample))['mirrored'] for _ in range(1000)])
    assert share == pytest.approx(prob, abs=3 * np.sqrt(prob * (1 - prob) / 1000))


def test_a_hand_cannot_be_mirrored():
    with pytest.raises(ValueError, match='pose of 16 joints, expected a body of 24'):
        RandomMirror(prob=0).transform({'pose': np.zeros((16, 3))})


def test_a_box_in_use_cannot_be_mirrored():
    with pytest.raises(ValueError, match='put it between LoadImage and GetBBoxCenterScale'):
        RandomMirror().transform({'pose': np.zeros((24, 3)), 'bbox_center': np.zeros((1, 2))})


def test_every_channel_gets_its_own_factor_in_range():
    set_random_seed(0)
    image = np.full((2, 2, 3), 100, np.uint8)
    scaled = [ColorScale(0.2).transform({'img': image})['img'][0, 0] for _ in range(2000)]
    low, high = np.min(scaled, axis=0), np.max(scaled, axis=0)
    np.testing.assert_array_equal([low, high], [[80] * 3, [120] * 3])
    np.testing.assert_allclose(np.std(scaled, axis=0), 40 / np.sqrt(12), rtol=0.05)  # uniform
    assert abs(np.corrcoef(np.array(scaled).T)[np.triu_indices(3, 1)]).max() < 0.1


def test_colours_are_the_rounded_and_clipped_product():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    transform = ColorScale(0.2)
    set_random_seed(3)
    factors = transform._choose()
    set_random_seed(3)
    expected = np.minimum(np.rint(image * factors), 255)
    np.testing.assert_array_equal(transform.transform({'img': image})['img'], expected)


@pytest.mark.parametrize('image', [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 1), np.uint8)])
def test_colours_that_are_not_8_bit_are_refused(image):
    with pytest.raises(ValueError, match=r'ColorScale: got an image \(4, 4, .* to_float32=False'):
        ColorScale().transform({'img': image})


def test_shipped_scale_and_rotation_have_the_ranges_of_the_paper():
    set_random_seed(0)
    pipeline = load_config(str(BODY_CONFIG)).train_dataloader.dataset.pipeline
    (step,) = (step for step in pipeline if 'Rotate' in step.type or 'BBoxT' in step.type)
    transform = TRANSFORMS.build(step)
    size = np.array([[100.0, 200.0]])
    results = [transform.transform({'bbox_scale': size}) for _ in range(2000)]
    scale = np.array([r['bbox_scale'][0] / size[0] for r in results])
    np.testing.assert_allclose(scale[:, 0], scale[:, 1])
    angle = np.array([r['bbox_rotation'][0] for r in results])
    turned = angle != 0
    assert turned.mean() == pytest.approx(0.6, abs=0.03)
    normal = truncnorm(-1, 1)
    for values, spread in ((scale[:, 0] - 1, 0.25), (angle[turned], 60)):
        assert 0.98 * spread < abs(values).max() <= spread * (1 + 1e-6)
        assert values.std() == pytest.approx(spread * normal.std(), rel=0.05)
        assert values.mean() == pytest.approx(0, abs=0.05 * spread)


@pytest.mark.parametrize('value', [-0.1, 50, float('nan')])
def test_fractions_outside_0_to_1_are_refused(value):
    with pytest.raises(ValueError, match=r'RandomMirror: got prob=.*expected a number in \[0, 1\]'):
        RandomMirror(prob=value)
    with pytest.raises(ValueError, match=r'ColorScale: got factor=.*expected a number in'):
        ColorScale(factor=value)


def test_a_packed_sample_holds_what_the_model_and_the_metrics_read(tmp_path):
    extra = {'gender': list('nmf'), 'id_action': [9, 8, 7]}
    pipeline = [
        dict(step, prob=1.0) if step['type'] == 'RandomMirror' else step for step in TRAIN_PIPELINE
    ]
    packed = load_sample(tmp_path, 1, pipeline, changes=extra)
    raw = RandomMirror(prob=1).transform(
        MeshDataset('record.npz', data_root=str(tmp_path), pipeline=[{'type': 'LoadImage'}])[1]
    )
    inputs, sample = packed['inputs'], packed['data_samples']
    assert inputs.shape == (3, 256, 256)
    assert inputs.dtype == torch.uint8
    labels = sample.gt_instance_labels
    for name in PackMeshInputs.label_keys:
        assert labels[name].dtype == torch.float32
        np.testing.assert_array_equal(labels[name][0], np.float32(raw[name]))
    assert labels.pose.shape == (1, 24, 3)
    assert labels.mirrored.tolist() == [1]
    truth = sample.gt_instances
    np.testing.assert_array_equal(truth.bboxes, raw['bbox'])
    assert truth.bbox_scores.tolist() == [1]
    np.testing.assert_array_equal(truth.annotated_joints_cam_mm[0], raw['annotated_joints_cam_mm'])
    assert truth.annotated_joints_valid.shape == (1, 17)
    for name in PackMeshInputs.meta_keys:
        if name != 'input_size':
            np.testing.assert_array_equal(sample.metainfo[name], raw[name])
    assert (sample.gender, sample.id_action) == ('m', 8)
    assert sample.input_size == (256, 256)
    assert sample.ori_shape == (240, 320)
    assert sample.crop_from_image.dtype == np.float64


def test_packing_needs_a_crop(tmp_path):
    with pytest.raises(ValueError, match='put TopdownAffine before it'):
        PackMeshInputs().transform(load_sample(tmp_path))


def test_a_sample_without_rotation_shows_the_grown_box(tmp_path):
    pipeline = [step for step in TRAIN_PIPELINE if not step['type'].startswith('Random')]
    box = np.tile([100.0, 60, 180, 160], (3, 1))
    crop = load_sample(tmp_path, 0, pipeline, changes={'bbox_px': box})[
        'data_samples'
    ].crop_from_image
    corners = np.array([[140 - 62.5, 110 - 62.5, 1], [140 + 62.5, 110 + 62.5, 1]])
    np.testing.assert_allclose(corners @ crop.T, [[0, 0], [256, 256]], atol=1e-4)


def centroid_near(image, point, radius):
    """Centre of mass of a grey image within `radius` px of a point."""
    x, y = np.round(point).astype(int)
    window = image[y - radius : y + radius + 1, x - radius : x + radius + 1].astype(float)
    rows, columns = np.mgrid[y - radius : y + radius + 1, x - radius : x + radius + 1]
    return np.array([(window * columns).sum(), (window * rows).sum()]) / window.sum()


@pytest.mark.parametrize('prob', [0.0, 1.0])
@pytest.mark.parametrize('seed', [1, 2])
def test_painted_dots_land_where_crop_from_image_says(tmp_path, seed, prob):
    dots = np.array([[130.0, 100], [190, 100], [160, 120], [130, 145], [185, 150.0]])
    y, x = np.mgrid[:240, :320]
    image = sum(np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 2.5**2)) for u, v in dots)
    image = np.repeat(np.rint(250 * image)[..., None], 3, axis=-1).astype(np.uint8)
    changes = {'bbox_px': np.tile([100.0, 60, 220, 180], (3, 1))}
    changed = {'RandomMirror': {'prob': prob}, 'RandomScaleRotate': {'rotate_prob': 1.0}}
    pipeline = [{**step, **changed.get(step['type'], {})} for step in TRAIN_PIPELINE]
    set_random_seed(seed)
    packed = load_sample(tmp_path, 0, pipeline, changes=changes, image=image)
    sample = packed['data_samples']
    crop = sample.crop_from_image
    if prob:
        dots = np.array([319, 0]) - dots * [1, -1]
    landed = dots @ crop[:, :2].T + crop[:, 2]
    assert abs(crop[0, 1]) > 0.05  # the seed gives a rotation
    grey = cv2.GaussianBlur(packed['inputs'][0].numpy().astype(float), (0, 0), 1)
    for point in landed:
        np.testing.assert_allclose(centroid_near(grey, point, 18), point, atol=0.1)


def test_hands_pass_the_pipeline_without_a_mirror(tmp_path):
    save_toy_record(tmp_path, kind='hand')
    pipeline = Compose([step for step in TRAIN_PIPELINE if step['type'] != 'RandomMirror'])
    dataset = MeshDataset('record.npz', data_root=str(tmp_path), joint_set=HAND_21.name)
    labels = pipeline(dataset.get_data_info(0))['data_samples'].gt_instance_labels
    assert labels.pose.shape == (1, 16, 3)
    assert labels.joints_valid.sum() == 21
