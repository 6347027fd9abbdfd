"""The MuCo-3DHP converter on a small data set in the release's format, against its known truth."""

import muco
import numpy as np
import pytest
from helpers_converters import (
    Converter,
    body_off_origin,
    edit_json,
    naive_fit_error_mm,
    posed_vertices_mm,
)
from helpers_muco import SHARED, write_muco
from helpers_runs import save_toy_model

from i2l_plugin.body_models import BODY_29, MUCO_21
from i2l_plugin.datasets import MeshDataset


@pytest.fixture(scope='module')
def data():
    return body_off_origin()


def write(folder, data):
    """The data set, its converter."""
    truth = write_muco(folder, data)
    model = save_toy_model(folder / 'smpl.npz', data=data)
    return truth, Converter(muco, folder, '--split', 'train', '--body-model', str(model))


@pytest.fixture(scope='module')
def converted(tmp_path_factory, data):
    truth, convert = write(tmp_path_factory.mktemp('muco'), data)
    record, said = convert('--check-images')
    return truth, record, said, MeshDataset(str(convert.out))


@pytest.fixture
def small(tmp_path, data):
    """A data set to be broken; its truth, its converter."""
    return write(tmp_path, data)


def people_of(converted):
    truth, record, *_ = converted
    return [truth.people[n] for n in record['sample_id'].tolist()], record


def test_the_closest_person_of_every_image_is_kept(converted):
    truth, record, said, _ = converted
    assert record['sample_id'].tolist() == truth.closest
    people, _ = people_of(converted)
    assert record['image_id'].tolist() == [p.image_id for p in people]
    assert [p.decode() for p in record['image_path']] == [p.file_name for p in people]
    assert len(set(record['image_id'].tolist())) == len(record) == 5
    assert ': 5 people in 5 images, 4 with a fit' in said
    assert 'dropped: 1 (image without people)\n    id 67' in said
    assert 'without a fit: 1 (not in smpl_param)\n    annotation 965' in said


def test_the_fits_are_posed_where_they_were(converted, data):
    people, _ = people_of(converted)
    posed = posed_vertices_mm(data, converted[3])
    for person, vertices in zip(people, posed, strict=True):
        if person.fit != 'missing':
            np.testing.assert_allclose(vertices, person.vertices_cam_mm, atol=0.1, rtol=0)


def test_joints_cameras_and_boxes_are_those_of_the_truth(converted):
    people, record = people_of(converted)
    for row, person in enumerate(people):
        joints_mm = person.joints_cam_mm
        np.testing.assert_allclose(record['joints_cam_mm'][row], joints_mm, atol=0.01, rtol=0)
        in_image = joints_mm[:, :2] / joints_mm[:, 2:] * person.focal_px + person.princpt_px
        np.testing.assert_allclose(record['joints_px'][row], in_image, atol=0.05, rtol=0)
        np.testing.assert_allclose(record['bbox_px'][row], person.bbox_px, atol=0.01)
        np.testing.assert_allclose(record['focal_px'][row], person.focal_px, rtol=1e-6)
        np.testing.assert_allclose(record['princpt_px'][row], person.princpt_px, rtol=1e-6)
        pelvis = record.joint_names.index('Pelvis')
        assert record['root_depth_mm'][row] == pytest.approx(joints_mm[pelvis, 2], abs=0.01)


def test_left_joints_are_on_the_left_of_the_body(converted):
    """The bodies face the camera, which sees their left on its right: at larger x."""
    people, record = people_of(converted)
    names = record.joint_names
    for row, person in enumerate(people):
        if person.fit == 'good':
            joints = record['joints_cam_mm'][row]
            for part in ('Hip', 'Shoulder', 'Hand'):
                assert joints[names.index(f'L_{part}'), 0] > joints[names.index(f'R_{part}'), 0]


def test_fit_errors_are_over_the_14_joints_of_both_data_sets(converted):
    people, record = people_of(converted)
    assert set(muco.SHARED_WITH_H36M) == set(SHARED)
    index = [MUCO_21.index(name) for name in SHARED]
    for row, person in enumerate(people):
        error = record['fit_error_mm'][row]
        if person.fit == 'missing':
            assert np.isnan(error)
            assert not record['fit_valid'][row]
            continue
        expected = naive_fit_error_mm(person.fit_joints_cam_mm, person.joints_cam_mm[index])
        assert error == pytest.approx(expected, abs=0.01)
        assert (error > 25) == (person.fit == 'far')
        assert record['fit_valid'][row]  # the threshold is the data set class's


def test_its_joints_fit_the_models_by_name():
    swap = {'L': 'R', 'R': 'L'}
    names = MUCO_21.joint_names
    for name, i in zip(names, MUCO_21.mirror_order, strict=True):
        side, _, part = name.partition('_')
        assert names[i] == (f'{swap[side]}_{part}' if side in swap and part else name)
    known = [names[i] for i in MUCO_21.indices_in(MUCO_21) if names[i] in BODY_29.joint_names]
    assert sorted(set(names) - set(known)) == ['Head_top', 'Thorax']
    assert names[MUCO_21.root] == 'Pelvis'
    ends = {end for pair in MUCO_21.skeleton for end in pair}
    assert ends == set(range(21))
    assert len(MUCO_21.skeleton) == 20  # a tree
    mirrored = {tuple(sorted(MUCO_21.mirror_order[i] for i in pair)) for pair in MUCO_21.skeleton}
    assert mirrored == {tuple(sorted(pair)) for pair in MUCO_21.skeleton}


def annotation(content, number):
    return next(entry for entry in content['annotations'] if entry['id'] == number)


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (lambda e: e['keypoints_cam'].pop(), 'keypoints_cam: got shape (20, 3), expected (21, 3)'),
        (lambda e: e['keypoints_cam'][3].__setitem__(1, float('nan')), 'keypoints_cam: got NaN'),
        (lambda e: e.pop('keypoints_img'), "it has no 'keypoints_img'"),
        (lambda e: e.update(bbox=[1, 2, -3, 4]), 'bbox: got width -3'),
        (lambda e: e.pop('image_id'), "it has no 'image_id'"),
        (lambda e: e.update(image_id=-9), 'image_id: got -9, but there is no such image'),
    ],
)
def test_a_corrupt_annotation_is_named_and_stops_or_is_left_out(small, change, says):
    truth, convert = small
    number = truth.closest[0]
    file = convert.root / 'data/MuCo-3DHP.json'
    edit_json(file, lambda content: change(annotation(content, number)))
    message = convert.fails()
    assert f'{file}: entry annotations, id {number}: ' in message
    assert says in message
    record, said = convert('--on-error', 'skip')
    assert 'dropped: 1 (corrupt entry)' in said
    assert number not in record['sample_id']
    if 'image_id' not in says:  # nobody else of that image is surely in front
        assert sorted(record['sample_id'].tolist()) == sorted(truth.closest[1:])


def test_a_person_whose_joints_cannot_be_read_may_have_been_the_closest(small):
    truth, convert = small
    farther = next(n for n, p in truth.people.items() if not p.closest)
    image_id = truth.people[farther].image_id
    file = convert.root / 'data/MuCo-3DHP.json'
    edit_json(file, lambda content: annotation(content, farther).update(keypoints_cam=[]))
    assert f'id {farther}: keypoints_cam' in convert.fails()
    record, _ = convert('--on-error', 'skip')
    assert image_id not in record['image_id']
    assert len(record) == 4


def test_the_first_of_equally_close_people_is_kept(small):
    truth, convert = small
    pair = [n for n, p in truth.people.items() if p.file_name.startswith('unaugmented_set/02')]

    def level(content):
        for number in pair:
            annotation(content, number)['keypoints_cam'][MUCO_21.root][2] = 4000.0

    edit_json(convert.root / 'data/MuCo-3DHP.json', level)
    record, _ = convert()
    kept = [n for n in record['sample_id'].tolist() if n in pair]
    assert kept == [next(n for n in truth.people if n in pair)]


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (lambda fit: fit['pose'].pop(), 'pose: got shape (71,), expected (24, 3)'),
        (lambda fit: fit['trans'].__setitem__(0, float('nan')), 'transl_m: got NaN'),
        (lambda fit: fit.pop('shape'), "it has no 'shape'"),
        (lambda fit: fit.update(shape=[[1.0], [2.0, 3.0]]), 'betas: got no array of numbers'),
    ],
)
def test_a_corrupt_fit_is_named_and_stops_or_takes_its_person_along(small, change, says):
    truth, convert = small
    number = next(n for n in truth.closest if truth.people[n].fit == 'good')
    file = convert.root / 'data/smpl_param.json'
    edit_json(file, lambda fits: change(fits[str(number)]))
    message = convert.fails()
    assert f'{file}: entry {number}: {says}' in message
    record, said = convert('--on-error', 'skip')
    assert record['sample_id'].tolist() == [n for n in truth.closest if n != number]
    assert 'dropped: 1 (corrupt entry)' in said
    assert not np.isnan(record['fit_error_mm'][record['fit_valid']]).any()


def test_a_corrupt_fit_of_somebody_else_does_not_matter(small):
    truth, convert = small
    hidden = next(n for n, p in truth.people.items() if not p.closest and p.fit == 'good')
    edit_json(convert.root / 'data/smpl_param.json', lambda fits: fits[str(hidden)].clear())
    edit_json(convert.root / 'data/smpl_param.json', lambda fits: fits.update(comment='x'))
    assert convert()[0]['sample_id'].tolist() == truth.closest


def test_a_corrupt_image_entry_takes_its_people_along(small):
    truth, convert = small
    file = convert.root / 'data/MuCo-3DHP.json'
    edit_json(file, lambda content: content['images'][1].update(f=[0.0]))
    assert f'{file}: entry images, id 36: f: got shape (1,), expected (2,)' in convert.fails()
    record, said = convert('--on-error', 'skip')
    lost = [n for n, p in truth.people.items() if p.image_id == 36]
    assert record['sample_id'].tolist() == [n for n in truth.closest if n not in lost]
    assert 'dropped: 2 (corrupt entry)' in said  # the image, and its person without an image


def test_missing_files_are_listed_together(small):
    _, convert = small
    (convert.root / 'data/smpl_param.json').unlink()
    (convert.root / 'data/augmented_set').rename(convert.root / 'data/elsewhere')
    message = convert.fails()
    assert '2 missing' in message
    assert 'data/smpl_param.json: fitted SMPL by annotation id' in message
    assert 'data/augmented_set: ' in message


def test_a_record_without_anybody_is_refused(small):
    _, convert = small
    edit_json(convert.root / 'data/MuCo-3DHP.json', lambda content: content['annotations'].clear())
    assert "no person is left; dropped: {'image without people': 6}" in convert.fails()
