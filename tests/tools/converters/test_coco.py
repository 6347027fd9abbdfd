"""The MSCOCO converter on a small download, against the bodies that it was made from."""

import cv2
import numpy as np
import pytest
import torch
from helpers_coco import (
    CASES,
    DROPPED,
    KEYPOINTS,
    WITHOUT_FIT,
    coco_converter,
    plugin_name,
    rows_of,
    write_coco,
)
from helpers_converters import edit_json
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BODY_29, COCO_18, BodyModel
from i2l_plugin.datasets import COCOMeshDataset
from i2l_plugin.geometry.camera import project

PEOPLE = 'annotations/person_keypoints_train2017.json'
FITS = 'annotations/coco_smplifyx_train.json'


@pytest.fixture(scope='module')
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp('coco')
    truth = write_coco(folder)
    record, _ = coco_converter(folder)('--check-images')
    return (
        truth,
        record,
        COCOMeshDataset('out.npz', data_root=str(folder), max_fit_error_lixel=None),
    )


@pytest.fixture
def truth(converted):
    return converted[0]


@pytest.fixture
def record(converted):
    return converted[1]


@pytest.fixture
def dataset(converted):
    return converted[2]


def test_the_joint_set_is_cocos_with_the_pelvis_as_root():
    assert COCO_18.joint_names == (*map(plugin_name, KEYPOINTS), 'Pelvis')
    assert COCO_18.joint_names[COCO_18.root] == 'Pelvis'
    names = COCO_18.joint_names
    mirrored = [names[i].translate(str.maketrans('LR', 'RL', '')) for i in COCO_18.mirror_order]
    sides = [i for i, name in enumerate(names) if name[1] == '_']
    assert all(mirrored[i] == names[i] for i in sides)
    assert [i for i, k in enumerate(COCO_18.mirror_order) if i == k] == [0, 17]


def samples(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_everyone_but_crowds_and_people_without_joints_or_box_is_kept(truth, record):
    assert record['sample_id'].tolist() == truth.kept
    assert record['fit_valid'].sum() == sum(c not in WITHOUT_FIT for _, c in CASES.values())
    for number, row in rows_of(record).items():
        image_id = truth.image_ids[number]
        assert record['image_id'][row] == image_id
        assert record['image_path'][row].decode() == f'train2017/{image_id:012d}.jpg'
        assert tuple(record['image_size_px'][row]) == truth.sizes[image_id]
        x, y, width, height = truth.boxes_xywh[number]
        np.testing.assert_allclose(record['bbox_px'][row], [x, y, x + width, y + height], atol=1e-4)


def test_posed_fits_are_the_true_bodies(truth, dataset):
    body = BodyModel(toy_body_data())
    seen = set()
    for info in samples(dataset):
        if not info['fit_valid']:
            continue
        number = info['sample_id']
        parts = (torch.from_numpy(info[n])[None] for n in ('pose', 'betas', 'transl_mm'))
        vertices, joints = body.pose_cam_mm(*parts)
        error_mm = np.linalg.norm(vertices[0].numpy() - truth.fit_vertices_cam_mm[number], axis=1)
        assert error_mm.max() < 0.1
        camera = (torch.from_numpy(info[name])[None] for name in ('focal_px', 'princpt_px'))
        joints_px = project(joints, *camera)[0, :, :2].numpy()
        for name, point in zip(body.joint_set.joint_names, joints_px, strict=True):
            np.testing.assert_allclose(point, truth.fit_joints_px[number][name], atol=0.05)
        seen.add(number)
    assert seen == set(truth.fit_vertices_cam_mm)


def test_joints_are_the_labelled_ones_by_name(truth, record):
    names = record.joint_names
    for number, row in rows_of(record).items():
        valid = dict(zip(names, record['joints_valid'][row], strict=True))
        labelled = truth.joints_px[number]
        assert {name for name in names if valid[name]} - {'Pelvis'} == set(labelled)
        hips = [labelled.get('L_Hip'), labelled.get('R_Hip')]
        assert valid['Pelvis'] == all(hip is not None for hip in hips)
        expected = dict(labelled)
        if valid['Pelvis']:
            expected['Pelvis'] = (hips[0] + hips[1]) / 2
        for name, point in expected.items():
            got = record['joints_px'][row, names.index(name)]
            np.testing.assert_allclose(got, point, atol=0.05)
    (hidden,) = truth.ids('hidden_hip')
    assert not record['joints_valid'][rows_of(record)[hidden], names.index('Pelvis')]


def test_left_is_on_the_right_of_people_who_look_at_the_camera(truth, record):
    names = record.joint_names
    frontal = [rows_of(record)[number] for number in truth.ids('fit')]
    for part in ('Shoulder', 'Ear', 'Hip'):
        left, right = (names.index(f'{side}_{part}') for side in 'LR')
        known = record['joints_valid'][frontal][:, [left, right]].all(axis=1)
        x = record['joints_px'][frontal][known, :, 0]
        assert known.sum() >= 3
        assert (x[:, left] > x[:, right]).all()


def test_the_data_set_maps_the_joints_onto_the_bodys_and_knows_no_depth(truth, dataset):
    absent = set(BODY_29.joint_names) - set(COCO_18.joint_names)
    for info in samples(dataset):
        assert np.isnan(info['root_depth_mm'])
        assert not info['has_depth']
        assert not info['annotated_joints_valid'].any()
        valid = dict(zip(BODY_29.joint_names, info['joints_valid'], strict=True))
        assert not any(valid[name] for name in absent)
        for name, point in truth.joints_px[info['sample_id']].items():
            i = BODY_29.index(name)
            np.testing.assert_allclose(info['joints_img'][i], [*point, 0], atol=0.05)


def test_cameras_are_those_of_the_fits_else_1500_px_at_the_image_centre(truth, record):
    for number, row in rows_of(record).items():
        focal, princpt = truth.cameras.get(
            number, ((1500, 1500), np.array(truth.sizes[truth.image_ids[number]]) / 2)
        )
        np.testing.assert_allclose(record['focal_px'][row], focal, rtol=1e-6)
        np.testing.assert_allclose(record['princpt_px'][row], princpt, rtol=1e-6)


def released_error_lixel(truth, number):
    """By three point pairs through OpenCV, as top-down crops are usually made."""
    width, height = truth.sizes[truth.image_ids[number]]
    x, y, box_width, box_height = truth.boxes_xywh[number]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + box_width, width - 1), min(y + box_height, height - 1)
    center = np.array([(left + right) / 2, (top + bottom) / 2])
    half = 1.25 * max(right - left, bottom - top) / 2 * np.eye(2)
    source = np.float32([center, center + half[1], center + half[0]])
    matrix = cv2.getAffineTransform(source, np.float32([[32, 32], [32, 64], [64, 32]]))
    errors = []
    for name, point in truth.joints_px[number].items():
        fitted = matrix @ [*truth.fit_joints_px[number][name], 1]
        errors.append(np.linalg.norm(fitted - matrix @ [*point, 1]))
    return np.mean(errors)


def test_fit_errors_are_mean_distances_in_the_64_lixel_crop(truth, record, dataset):
    rows = rows_of(record)
    for number in truth.kept:
        error = record['fit_error_lixel'][rows[number]]
        if number in truth.fit_vertices_cam_mm:
            assert error == pytest.approx(released_error_lixel(truth, number), abs=1e-3)
        else:
            assert np.isnan(error)
    (wrong,) = truth.ids('wrong_fit')
    assert record['fit_valid'][rows[wrong]]  # the data set class decides
    trusting = [info['sample_id'] for info in samples(dataset) if info['fit_valid']]
    data = COCOMeshDataset(dataset.ann_file)
    trusted = [info['sample_id'] for info in samples(data) if info['fit_valid']]
    assert set(trusting) - set(trusted) == {wrong}


def test_the_summary_counts_what_was_dropped(tmp_path):
    write_coco(tmp_path)
    _, said = coco_converter(tmp_path)()
    assert '11 people in 8 images, 9 with a fit' in said
    assert 'raw keypoints with parsed fits' in said
    assert '8 of 9 fits within 3 px' in said
    for reason in ('crowd', 'no labelled joint', 'box under 1 px'):
        assert f'dropped: 1 ({reason})' in said
    assert len(DROPPED) == 3


@pytest.mark.parametrize(('split', 'fits'), [('val', True), ('train', False)])
def test_without_a_file_of_fits_nobody_has_one(tmp_path, split, fits):
    truth = write_coco(tmp_path, split, fits)
    images = tmp_path / 'images'
    images.mkdir()
    (tmp_path / f'{split}2017').rename(images / f'{split}2017')  # the other usual place
    record, said = coco_converter(tmp_path, split, model=False)()
    assert record['sample_id'].tolist() == truth.kept
    assert not record['fit_valid'].any()
    assert np.isnan(record['fit_error_lixel']).all()
    assert record['image_path'][0].startswith(f'images/{split}2017/'.encode())
    assert 'nobody has a fit' in said
    assert (FITS in said) == (split == 'train')


def test_lists_in_lists_and_joints_behind_the_camera(tmp_path):
    truth = write_coco(tmp_path)
    good, near, behind = truth.ids('fit')[:3]

    def change(fits):
        fits[str(good)]['smpl_param'] = {
            name: [numbers] for name, numbers in fits[str(good)]['smpl_param'].items()
        }
        fits[str(near)]['smpl_param']['trans'] = [0.0, 0.0, 0.2]  # the pelvis is in front
        fits[str(behind)]['smpl_param']['trans'] = [0.0, 0.0, -3.0]

    edit_json(tmp_path / FITS, change)
    record, said = coco_converter(tmp_path)()
    rows = rows_of(record)
    assert record['fit_error_lixel'][rows[good]] < 1e-3
    assert record['fit_error_lixel'][rows[near]] == 1e6
    assert not record['fit_valid'][rows[behind]]
    assert record['joints_valid'][rows[behind]].any()
    assert 'behind the camera' in said
