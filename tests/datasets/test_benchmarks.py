"""The six data set classes: joints by name, meta information, protocols, trusted fits."""

import numpy as np
import pytest
from helpers_benchmarks import CLASSES, NO_LIMIT, TEST_PIPELINE, build, save
from mmengine.config import Config
from mmengine.dataset import ConcatDataset
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.registry import DATASETS

from i2l_plugin.body_models.joint_sets import (
    BODY_29,
    H36M_17,
    HAND_21,
    MUCO_21,
)
from i2l_plugin.protocols import PROTOCOLS


@pytest.mark.parametrize('name', CLASSES)
def test_joints_are_mapped_onto_the_models_by_name(tmp_path, name):
    annotated, model, *_ = CLASSES[name]
    columns = save(tmp_path, name)
    info = build(tmp_path, name).get_data_info(1)
    by_name = dict(zip(annotated.joint_names, columns['joints_px'][1], strict=True))
    for i, joint in enumerate(model.joint_names):
        assert info['joints_valid'][i] == (joint in by_name)
        expected = by_name.get(joint, np.zeros(2))
        np.testing.assert_allclose(info['joints_img'][i, :2], expected, rtol=1e-6)
    assert info['annotated_joint_names'] == annotated.joint_names


@pytest.mark.parametrize('name', CLASSES)
def test_meta_information_names_both_joint_sets(tmp_path, name):
    annotated, model, *_ = CLASSES[name]
    save(tmp_path, name)
    drawn = dataset_meta_from_config(Config({'train_dataloader': {'dataset': {'type': name}}}))
    meta = build(tmp_path, name).metainfo
    assert meta['dataset_name'] == drawn['dataset_name'] != 'i2l_body_29'
    for host in (meta, drawn):
        assert tuple(host['keypoint_id2name'].values()) == model.joint_names
    own = DATASETS.get(name).METAINFO['annotated_joints']
    assert own == meta['annotated_joints']
    assert own['joint_names'] == annotated.joint_names
    assert own['root'] == annotated.joint_names.index('Wrist' if model == HAND_21 else 'Pelvis')
    for side in own['mirror_pairs']:
        left, right = sorted(own['joint_names'][i] for i in side)
        assert (left[:2], right[:2], left[2:]) == ('L_', 'R_', right[2:])
    assert own['skeleton']
    ends = {own['joint_names'][i] for pair in own['skeleton'] for i in pair}
    assert len(ends) > 0.8 * len(annotated)


def test_the_names_of_human36ms_evaluation_joints_are_the_papers(tmp_path):
    save(tmp_path, 'Human36MMeshDataset')
    own = build(tmp_path, 'Human36MMeshDataset').metainfo['annotated_joints']
    left_out = set(own['joint_names']) - {own['joint_names'][i] for i in own['evaluation_joints']}
    assert left_out == {'Pelvis', 'Torso', 'Nose'}


@pytest.mark.parametrize('name', CLASSES)
def test_the_record_of_another_data_set_is_refused(tmp_path, name):
    other = 'COCOMeshDataset' if name == 'Human36MMeshDataset' else 'Human36MMeshDataset'
    save(tmp_path, other)
    message = (
        r"joint_set: got 'hand_21'" if name.startswith('Frei') else "'joint_names': got .* own"
    )
    with pytest.raises(ValueError, match=message):
        build(tmp_path, name)


def test_the_order_of_the_annotated_joints_is_free(tmp_path):
    names = H36M_17.joint_names[::-1]
    columns = save(tmp_path, 'Human36MMeshDataset', joint_names=names)
    info = build(tmp_path, 'Human36MMeshDataset').get_data_info(0)
    knee = columns['joints_px'][0, names.index('L_Knee')]
    np.testing.assert_allclose(info['joints_img'][BODY_29.index('L_Knee'), :2], knee, rtol=1e-6)


@pytest.mark.parametrize('name', CLASSES)
def test_protocols_are_those_of_the_data_set(tmp_path, name):
    ids = {'id_subject': [1, 5, 6, 7, 8, 9, 11], 'id_camera': [1, 2, 3, 4, 4, 4, 4]}
    save(tmp_path, name, n=7, **ids, id_frame=np.zeros(7, int))
    key = CLASSES[name][2]
    for protocol in PROTOCOLS.values():
        if protocol.dataset == key:
            dataset = build(tmp_path, name, protocol=protocol.name, pipeline=TEST_PIPELINE)
            sample = dataset[0]['data_samples']
            assert sample.metainfo['protocol'] == protocol.name
        else:
            with pytest.raises(ValueError, match='of another data set, expected one of'):
                build(tmp_path, name, protocol=protocol.name)
    assert 'protocol' not in build(tmp_path, name, pipeline=TEST_PIPELINE)[0]['data_samples']


def test_a_protocol_leaves_the_rows_of_the_others_out(tmp_path):
    save(
        tmp_path,
        'Human36MMeshDataset',
        n=5,
        id_subject=[9, 9, 11, 11, 11],
        id_camera=[4, 1, 4, 4, 4],
        id_frame=[0, 64, 64, 5, 128],
        bbox_px=np.array([[10, 20, 90, 99], [0, 0, 0, 0]] + [[10, 20, 90, 99]] * 3),
    )
    dataset = build(
        tmp_path,
        'Human36MMeshDataset',
        protocol='h36m/paper',
        pipeline=TEST_PIPELINE,
        test_mode=True,
    )  # in which the empty box of a person who is left out does not matter
    found = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [info['sample_id'] for info in found] == [100, 102, 104]
    assert dataset[1]['data_samples'].id_frame == 64


@pytest.mark.parametrize(
    ('name', 'column', 'limit'),
    [
        ('Human36MMeshDataset', 'fit_error_mm', 25.0),
        ('MuCo3DHPMeshDataset', 'fit_error_mm', 25.0),
        ('COCOMeshDataset', 'fit_error_lixel', 3.0),
    ],
)
def test_bad_fits_are_not_trained_on(tmp_path, name, column, limit):
    errors = np.array([limit, limit * 1.01, np.nan, 0.1], np.float32)
    save(tmp_path, name, n=4, **{column: errors})

    def trusted(**options):
        cfg = dict(type=name, ann_file='record.npz', data_root=str(tmp_path), **options)
        dataset = DATASETS.build(cfg)
        return [dataset.get_data_info(i)['fit_valid'] for i in range(4)]

    assert trusted() == [True, False, False, True]
    assert trusted(**{f'max_{column}': 1.0}) == [False, False, False, True]
    assert trusted(**{f'max_{column}': None}) == [True] * 4
    bad = build(tmp_path, name, **{f'max_{column}': limit}).get_data_info(1)
    assert not bad['pose'].any()  # as of a person without a fit
    assert bad['joints_valid'].any()


@pytest.mark.parametrize('name', list(NO_LIMIT))
def test_a_record_without_fit_errors_is_refused_unless_all_fits_are_wanted(tmp_path, name):
    save(tmp_path, name)
    with pytest.raises(ValueError, match='trust every fit'):
        DATASETS.build(dict(type=name, ann_file='record.npz', data_root=str(tmp_path)))
    assert build(tmp_path, name).get_data_info(0)['fit_valid']


@pytest.mark.parametrize('step', ['RandomMirror', 'RandomFlip'])
@pytest.mark.parametrize('wrapped', [False, True])
def test_freihand_is_never_mirrored(tmp_path, step, wrapped):
    save(tmp_path, 'FreiHANDMeshDataset')
    mirror = dict(type=step, prob=0.5)
    if wrapped:
        mirror = dict(type='RandomApply', transforms=[mirror], prob=0.5)
    with pytest.raises(
        ValueError, match=f'pipeline: {step} makes left hands .*remove it for hands'
    ):
        build(tmp_path, 'FreiHANDMeshDataset', pipeline=[TEST_PIPELINE[0], mirror])


def test_the_hosts_flip_is_refused_for_bodies_too(tmp_path):
    save(tmp_path, 'COCOMeshDataset')
    with pytest.raises(ValueError, match='RandomFlip mirrors neither the camera nor the pose'):
        build(tmp_path, 'COCOMeshDataset', pipeline=[dict(type='RandomFlip')])


def test_the_hosts_concatenation_takes_different_data_sets_of_one_model(tmp_path):
    members = []
    for name in ('Human36MMeshDataset', 'MuCo3DHPMeshDataset'):
        (tmp_path / name).mkdir()
        save(tmp_path / name, name)
        members.append(build(tmp_path / name, name))
    both = ConcatDataset(members, ignore_keys=['dataset_name', 'annotated_joints'])
    assert len(both) == 6
    assert both.get_data_info(4)['annotated_joint_names'] == MUCO_21.joint_names
