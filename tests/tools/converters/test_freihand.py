"""The FreiHAND converter on small downloads, raw and parsed, against the hands they are of."""

import json

import numpy as np
import pytest
import torch
from helpers_converters import edit_json
from helpers_freihand import BACKGROUNDS, ORDER, SIZE, TRUNCATED, freihand_converter, write_freihand
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import HAND_21, BodyModel
from i2l_plugin.datasets import FreiHANDMeshDataset
from i2l_plugin.geometry.camera import project

UNIQUE = 3


@pytest.fixture(
    scope='module', params=[('raw', 'train'), ('parsed', 'train'), ('raw', 'eval')], ids='-'.join
)
def converted(request, tmp_path_factory):
    form, split = request.param
    root = tmp_path_factory.mktemp(form)
    truth = write_freihand(root, form, split, unique=UNIQUE)
    return truth, *freihand_converter(root, split)('--check-images'), root / 'out.npz'


def test_every_image_shows_its_hand(converted):
    truth, record = converted[:2]
    number = np.arange(len(truth.paths))
    assert sorted(record['image_id'].tolist()) == number.tolist()
    np.testing.assert_array_equal(record['id_hand'], record['image_id'] % UNIQUE)
    assert record['has_depth'].all()
    assert record['fit_valid'].all()
    for row, i in enumerate(record['image_id']):
        assert record['image_path'][row].decode() == truth.paths[i]
        hand = i % UNIQUE
        np.testing.assert_allclose(record['bbox_px'][row], truth.box(hand), atol=0.05)
        np.testing.assert_allclose(record['focal_px'][row], truth.focal[hand], rtol=1e-6)
        np.testing.assert_allclose(record['princpt_px'][row], truth.princpt[hand], rtol=1e-6)
        assert record['root_depth_mm'][row] == pytest.approx(
            truth.joints_cam_mm[hand, 0, 2], abs=1e-3
        )
    assert record['fit_error_mm'].max() < 1e-3


def test_posed_meshes_are_the_annotated_ones(converted):
    truth, record, _, file = converted
    body = BodyModel(toy_body_data('hand'))
    dataset = FreiHANDMeshDataset(str(file), test_mode=True)
    assert len(dataset) == len(record)
    for info in map(dataset.get_data_info, range(len(dataset))):
        hand = info['image_id'] % UNIQUE
        parts = (torch.from_numpy(info[n])[None] for n in ('pose', 'betas', 'transl_mm'))
        vertices, _ = body.pose_cam_mm(*parts)
        error_mm = np.linalg.norm(vertices[0].numpy() - truth.vertices_cam_mm[hand], axis=1)
        assert error_mm.max() < 0.1
        camera = (torch.from_numpy(info[name])[None] for name in ('focal_px', 'princpt_px'))
        vertices_px = project(vertices, *camera)[0, :, :2]
        np.testing.assert_allclose(vertices_px, truth.vertices_px[hand], atol=0.05)


def test_joints_are_in_mm_and_by_name(converted):
    truth, record = converted[:2]
    assert record.joint_names == HAND_21.joint_names
    assert record['joints_valid'].all()
    for row, hand in enumerate(record['id_hand']):
        for i, name in enumerate(record.joint_names):
            k = ORDER.index(name)
            expected = truth.joints_cam_mm[hand, k]
            np.testing.assert_allclose(record['joints_cam_mm'][row, i], expected, atol=1e-3)
            expected = truth.joints_px[hand, k]
            np.testing.assert_allclose(record['joints_px'][row, i], expected, atol=1e-3)


def test_the_middle_knuckle_is_where_mano_json_says(tmp_path):
    """Its last numbers are that knuckle's pixel and f / Z: another way to the translation."""
    truth = write_freihand(tmp_path, unique=UNIQUE)
    record, _ = freihand_converter(tmp_path)()
    body = BodyModel(toy_body_data('hand'))
    mano = np.array(json.loads((tmp_path / 'training_mano.json').read_text()))[:, 0]
    knuckle = list(toy_body_data('hand').posed_joints.joint_names).index('Middle1')
    for row, hand in enumerate(record['id_hand']):
        parts = (torch.from_numpy(record[n][row].copy())[None] for n in ('pose', 'betas'))
        transl = torch.from_numpy(record['transl_m'][row].copy())[None]
        posed = body(*parts, transl).lbs_joints_m[0, knuckle].numpy()
        u, v, scale = mano[hand, 58:]
        f = truth.focal[hand].mean()
        x, y = ([u, v] - truth.princpt[hand]) / scale
        np.testing.assert_allclose(posed, [x, y, f / scale], atol=1e-6)


def test_order_of_the_images(tmp_path):
    write_freihand(tmp_path / 'raw', unique=2)
    write_freihand(tmp_path / 'parsed', 'parsed', unique=2)
    raw, _ = freihand_converter(tmp_path / 'raw')()
    assert raw['image_id'].tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    parsed, _ = freihand_converter(tmp_path / 'parsed', model=False)()
    assert parsed['image_id'].tolist() == list(range(2 * BACKGROUNDS))
    assert np.isnan(parsed['fit_error_mm']).all()


@pytest.mark.parametrize('form', ['raw', 'parsed'])
def test_evaluation_images_without_published_annotations_have_a_camera_only(tmp_path, form):
    truth = write_freihand(tmp_path, form, 'eval', published=False)
    if form == 'parsed':  # boxes may be missing or empty there

        def change(content):
            content['annotations'][0].pop('bbox')
            content['annotations'][1]['bbox'] = [0, 0, 0, 0]

        edit_json(tmp_path / 'freihand_eval_coco.json', change)
    record, said = freihand_converter(tmp_path, 'eval', model=False)()
    assert not record['has_depth'].any()
    assert not record['fit_valid'].any()
    assert not record['joints_valid'].any()
    np.testing.assert_allclose(record['focal_px'], truth.focal, rtol=1e-6)
    whole = [0, 0, SIZE - 1, SIZE - 1]
    np.testing.assert_array_equal(record['bbox_px'][:2], [whole, whole])
    last = truth.box(2) if form == 'parsed' else whole
    np.testing.assert_allclose(record['bbox_px'][2], last, atol=0.05)
    info = FreiHANDMeshDataset(str(tmp_path / 'out.npz'), test_mode=True).get_data_info(0)
    assert np.isnan(info['root_depth_mm'])
    source = {'raw': 'raw, cameras only', 'parsed': 'parsed'}[form]
    assert f'source: {source}; 3 of 3960 different hands' in said
    (tmp_path / 'out.npz').unlink()
    out = ('--coco-out', str(tmp_path / 'hands.json'))
    assert '--coco-out needs meshes' in freihand_converter(tmp_path, 'eval').fails(*out)


def test_published_annotations_are_taken_before_parsed_ones_only_for_evaluation(tmp_path):
    for split in ('train', 'eval'):
        write_freihand(tmp_path / 'both', 'raw', split)
        write_freihand(tmp_path / 'parsed', 'parsed', split)
        for file in (tmp_path / 'parsed').glob('freihand_*.json'):
            file.rename(tmp_path / 'both' / file.name)
        _, said = freihand_converter(tmp_path / 'both', split)()
        expected = {'train': 'parsed', 'eval': 'raw'}[split]
        assert f'source: {expected}; 3 of' in said


def test_a_hand_out_of_view_is_dropped_in_training_and_kept_in_tests(tmp_path):
    for split, kept in (('train', 8), ('eval', 3)):
        root = tmp_path / split
        write_freihand(root, 'raw', split)
        folder = {'train': 'training', 'eval': 'evaluation'}[split]

        def move(matrices):
            matrices[TRUNCATED][0][2] += 500

        edit_json(root / f'{folder}_K.json', move)
        record, said = freihand_converter(root, split)()
        assert len(record) == kept
        if split == 'eval':
            np.testing.assert_array_equal(record['bbox_px'][TRUNCATED], [0, 0, 223, 223])
        else:
            assert TRUNCATED not in record['id_hand']
            assert 'dropped: 4 (no box of 1 px or more' in said


def test_a_single_wrong_mesh_loses_its_fit(tmp_path):
    write_freihand(tmp_path)

    def bend(mano):
        mano[2][0][20] += 1

    edit_json(tmp_path / 'training_mano.json', bend)
    record, said = freihand_converter(tmp_path)()
    np.testing.assert_array_equal(record['fit_valid'], record['id_hand'] != 2)
    assert record['joints_valid'].all()
    assert 'without a fit: 1 (mesh over 1 mm off)' in said
    record, _ = freihand_converter(tmp_path)('--max-mesh-error-mm', '100')
    assert record['fit_valid'].all()
    assert (record['fit_error_mm'] > 1).sum() == (record['id_hand'] == 2).sum()
