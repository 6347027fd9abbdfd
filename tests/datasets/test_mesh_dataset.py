import pickle

import cv2
import numpy as np
import pytest
import torch
from helpers_records import save_toy_record
from mmengine.config import Config
from mmengine.dataset import ConcatDataset, RepeatDataset, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets import CombinedDataset
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer
from torch.utils.data import DataLoader

from i2l_plugin.body_models import BODY_29, H36M_17, HAND_21
from i2l_plugin.datasets import HandMeshDataset, MeshDataset
from i2l_plugin.datasets.metainfo import pose_metainfo

TEST_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(64, 64)),
    dict(type='PackMeshInputs'),
]


def dataset_of(folder, cls=MeshDataset, **options):
    return cls(ann_file='record.npz', data_root=str(folder), **options)


@pytest.fixture
def columns(tmp_path):
    return save_toy_record(tmp_path, n=4)


def test_annotated_joints_are_mapped_by_name_with_depth_from_their_own_root(tmp_path, columns):
    info = dataset_of(tmp_path).get_data_info(2)
    cam, px = columns['joints_cam_mm'][2], columns['joints_px'][2]
    pelvis_z = cam[H36M_17.index('Pelvis'), 2]
    for i, name in enumerate(BODY_29.joint_names):
        if name in H36M_17.joint_names:
            a = H36M_17.index(name)
            expected = [*px[a], cam[a, 2] - pelvis_z]
            np.testing.assert_allclose(info['joints_img'][i], expected, atol=1e-3)
            assert info['joints_valid'][i]
        else:
            assert not info['joints_valid'][i]
            assert not info['joints_img'][i].any()
    np.testing.assert_array_equal(info['annotated_joints_cam_mm'], cam)
    assert info['annotated_joint_names'] == H36M_17.joint_names


def test_a_person_is_its_row_of_the_record_in_px_and_mm(tmp_path):
    extra = {'gender': list('nmfn'), 'id_action': [9, 8, 7, 6], 'id_clip': list('wxyz')}
    columns = save_toy_record(tmp_path, extra, n=4)
    info = dataset_of(tmp_path).get_data_info(1)
    assert (info['sample_id'], info['image_id'], info['sample_idx']) == (101, 1, 1)
    assert (info['gender'], info['id_action'], info['id_clip']) == ('m', 8, 'x')
    assert info['img_path'] == str(tmp_path / 'images/1.png')
    np.testing.assert_allclose(info['transl_mm'], 1000 * columns['transl_m'][1])
    for name in ('pose', 'betas', 'focal_px', 'princpt_px'):
        np.testing.assert_array_equal(info[name], columns[name][1])
    assert info['root_depth_mm'] == columns['root_depth_mm'][1]
    assert info['fit_valid']
    assert info['has_depth']


def test_nothing_that_is_not_valid_leaks_into_a_sample(tmp_path, columns):
    changes = {name: np.array(columns[name]) for name in ('joints_cam_mm', 'joints_px', 'pose')}
    changes['pose'][0] = np.nan
    changes['joints_cam_mm'][1] = np.inf
    changes['root_depth_mm'] = np.array(columns['root_depth_mm'])
    changes['root_depth_mm'][1] = -5
    changes['joints_cam_mm'][2, 5] = changes['joints_px'][2, 5] = np.nan
    joints_valid = columns['joints_valid'].copy()
    joints_valid[2, 5] = joints_valid[3, 0] = False
    masks = {
        'fit_valid': np.array([False, True, True, True]),
        'has_depth': np.array([True, False, True, True]),
        'joints_valid': joints_valid,
    }
    dataset = dataset_of(save(tmp_path, columns, changes, masks))
    infos = [dataset.get_data_info(i) for i in range(4)]
    for info in infos:
        for name, value in info.items():
            if isinstance(value, (np.ndarray, float, int)) and name != 'root_depth_mm':
                assert np.isfinite(value).all()
    depths = [info['root_depth_mm'] for info in infos]
    expected = np.where(masks['has_depth'], columns['root_depth_mm'], np.nan)
    np.testing.assert_array_equal(depths, expected)  # unknown is NaN, not what the file holds
    assert not infos[0]['fit_valid']
    assert not infos[0]['pose'].any()
    assert infos[0]['transl_mm'][2] > 0  # can be projected
    assert not infos[1]['has_depth']
    assert infos[1]['joints_valid'].any()
    assert not infos[1]['annotated_joints_valid'].any()
    assert not infos[1]['joints_img'][:, 2].any()
    knee = BODY_29.index(H36M_17.joint_names[5])
    assert not infos[2]['joints_valid'][knee]
    assert not infos[3]['has_depth']  # its root is not annotated
    assert not infos[3]['joints_img'][:, 2].any()


def save(folder, columns, *changes):
    for change in changes:
        columns = {**columns, **change}
    save_toy_record(folder, columns, n=len(columns['sample_id']))
    return folder


def test_a_record_without_the_root_joint_is_refused(tmp_path, columns):
    names = tuple('Hips' if name == 'Pelvis' else name for name in columns['joint_names'])
    save(tmp_path, columns, {'joint_names': names})
    with pytest.raises(ValueError, match=r"record.npz: column 'joint_names': .*'Pelvis' among"):
        dataset_of(tmp_path)


@pytest.mark.usefixtures('columns')
def test_a_record_of_the_other_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="joint_set: got 'hand_21', expected 'body_29' for the b"):
        dataset_of(tmp_path, HandMeshDataset)


def test_hands_are_loaded_with_the_hands_joints(tmp_path):
    columns = save_toy_record(tmp_path, kind='hand', n=2)
    dataset = dataset_of(tmp_path, HandMeshDataset)
    info = dataset.get_data_info(-1)
    np.testing.assert_array_equal(info['joints_img'][:, :2], columns['joints_px'][1])
    assert info['joints_valid'].all()
    assert info['joints_img'][0, 2] == 0  # the wrist
    assert dataset.metainfo['keypoint_id2name'][20] == 'Pinky4'


def test_boxes_are_clipped_and_empty_ones_are_not_trained_on(tmp_path, columns, monkeypatch):
    messages = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', messages.append)
    boxes = [[-9, 20, 500, 90], [400, 9, 500, 90], [5, 5, 5.5, 90], [1, 2, 30, 40]]
    save(tmp_path, columns, {'bbox_px': np.array(boxes)})
    dataset = dataset_of(tmp_path)
    assert [dataset.get_data_info(i)['sample_id'] for i in range(len(dataset))] == [100, 103]
    assert dataset.get_data_info(0)['bbox'].tolist() == [[0, 20, 319, 90]]
    assert '2 of 4 boxes' in messages[0]
    with pytest.raises(ValueError, match=r'record.npz: 2 of 4 boxes .* sample_id \[101, 102\]'):
        dataset_of(tmp_path, test_mode=True)


@pytest.mark.parametrize(
    ('indices', 'expected'), [(2, [100, 101]), (-1, [103]), ([3, 0], [103, 100])]
)
@pytest.mark.usefixtures('columns')
def test_indices_and_subsets_choose_persons(tmp_path, indices, expected):
    def ids(dataset):
        return [dataset.get_data_info(i)['sample_id'] for i in range(len(dataset))]

    assert ids(dataset_of(tmp_path, indices=indices)) == expected
    dataset = dataset_of(tmp_path)
    assert ids(dataset.get_subset(indices)) == expected
    assert len(dataset) == 4
    dataset.get_subset_(indices)
    assert ids(dataset) == expected


def test_a_lazy_dataset_opens_its_file_on_first_use(tmp_path):
    dataset = dataset_of(tmp_path, lazy_init=True, pipeline=TEST_PIPELINE)
    assert dataset.metainfo['dataset_name'] == 'i2l_body_29'
    save_toy_record(tmp_path, n=4)
    assert len(dataset) == 4
    assert dataset[1]['data_samples'].sample_id == 101


@pytest.mark.usefixtures('columns')
def test_the_hosts_wrappers_accept_it(tmp_path):
    cfg = dict(type='MeshDataset', ann_file='record.npz', data_root=str(tmp_path))
    packed = DATASETS.build({**cfg, 'pipeline': TEST_PIPELINE})
    concatenated = ConcatDataset([packed, dataset_of(tmp_path, pipeline=TEST_PIPELINE, indices=2)])
    assert [concatenated[i]['data_samples'].sample_id for i in (3, 4, 5)] == [103, 100, 101]
    repeated = RepeatDataset(packed, times=3)
    assert len(repeated) == 12
    assert repeated[9]['data_samples'].sample_id == 101
    mixed = CombinedDataset(
        metainfo=MeshDataset.METAINFO,
        datasets=[cfg, {**cfg, 'indices': 2}],
        sample_ratio_factor=[0.5, 1.0],
        pipeline=TEST_PIPELINE,
    )
    assert len(mixed) == 4
    assert mixed[3]['data_samples'].sample_id in (100, 101)
    assert mixed[0]['inputs'].shape == (3, 64, 64)


@pytest.mark.usefixtures('columns')
def test_forked_workers_return_what_the_main_process_does(tmp_path):
    dataset = dataset_of(tmp_path, pipeline=TEST_PIPELINE)
    loader = DataLoader(dataset, batch_size=2, num_workers=2, collate_fn=pseudo_collate)
    inputs = [image for batch in loader for image in batch['inputs']]
    for i, image in enumerate(inputs):
        assert torch.equal(image, dataset[i]['inputs'])


@pytest.mark.usefixtures('columns')
def test_spawned_workers_get_the_path_instead_of_the_columns(tmp_path):
    dataset = dataset_of(tmp_path, pipeline=TEST_PIPELINE)
    sent = pickle.dumps(dataset)
    assert dataset.record['joints_px'].tobytes() not in sent
    assert dataset.record['pose'].tobytes() not in sent
    received = pickle.loads(sent)
    assert torch.equal(received[3]['inputs'], dataset[3]['inputs'])


def test_a_missing_image_is_named_with_its_sample(tmp_path, columns):
    (tmp_path / columns['image_path'][2]).unlink()
    with pytest.raises(FileNotFoundError, match=r'sample_id 102 of .*record.npz, image .*2\.png'):
        dataset_of(tmp_path, pipeline=TEST_PIPELINE)[2]


@pytest.mark.parametrize('content', [b'', b'no picture'])
def test_a_corrupt_image_is_named_with_its_sample(tmp_path, columns, content):
    (tmp_path / columns['image_path'][2]).write_bytes(content)
    with pytest.raises(ValueError, match=r'sample_id 102 of .*record.npz, image .*2\.png'):
        dataset_of(tmp_path, pipeline=TEST_PIPELINE)[2]


def test_an_image_of_another_size_than_annotated_is_refused(tmp_path, columns):
    cv2.imwrite(str(tmp_path / columns['image_path'][0]), np.zeros((240, 319, 3), np.uint8))
    with pytest.raises(ValueError, match=r'sample_id 100 .*319 x 240 px, expected \(320, 240\)'):
        dataset_of(tmp_path, pipeline=TEST_PIPELINE)[0]


@pytest.mark.usefixtures('columns')
def test_a_bug_in_a_transform_is_no_users_mistake(tmp_path):
    def buggy(results):
        return results['img'] + None

    pipeline = [dict(type='LoadImage'), buggy]
    with pytest.raises(RuntimeError, match=r'sample_id 103 of .*record.npz.*TypeError'):
        dataset_of(tmp_path, pipeline=pipeline)[3]


@pytest.mark.parametrize('lazy_init', [False, True])
@pytest.mark.usefixtures('columns')
def test_a_crop_that_packing_cannot_tell_the_model_is_refused(tmp_path, lazy_init):
    udp = dict(type='TopdownAffine', input_size=(64, 64), use_udp=True)
    for step in (udp, dict(type='RandomApply', transforms=[udp], prob=0.5)):
        with pytest.raises(ValueError, match=r'use_udp=True.*leave use_udp out'):
            dataset_of(tmp_path, pipeline=[dict(type='LoadImage'), step], lazy_init=lazy_init)


@pytest.mark.parametrize('channels', [1, 3, 4])
def test_grey_and_transparent_images_come_as_three_channels(tmp_path, columns, channels):
    level = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    image = np.stack([level] * channels, axis=-1)
    if channels == 4:
        image[..., 3] = 255
    cv2.imwrite(str(tmp_path / columns['image_path'][0]), image)
    inputs = dataset_of(tmp_path, pipeline=TEST_PIPELINE)[0]['inputs']
    assert inputs.shape == (3, 64, 64)
    assert torch.equal(inputs[0], inputs[1])
    assert torch.equal(inputs[0], inputs[2])
    assert inputs.float().std() > 10


@pytest.mark.parametrize(('cls', 'joint_set'), [(MeshDataset, BODY_29), (HandMeshDataset, HAND_21)])
def test_host_tools_find_names_links_and_mirror_pairs(cls, joint_set):
    config = Config({'train_dataloader': {'dataset': {'type': cls.__name__}}})
    meta = dataset_meta_from_config(config)
    assert tuple(meta['keypoint_id2name'].values()) == joint_set.joint_names
    assert tuple(meta['flip_indices']) == joint_set.mirror_order
    assert [tuple(link) for link in meta['skeleton_links']] == list(joint_set.skeleton)
    assert meta['keypoint_colors'].shape == (len(joint_set), 3)


def test_the_hosts_visualizer_draws_each_joint_in_its_colour(tmp_path, columns):
    del columns
    dataset = dataset_of(tmp_path)
    visualizer = PoseLocalVisualizer(radius=4, line_width=1)
    visualizer.set_dataset_meta(dataset.metainfo)
    keypoints = np.stack([np.arange(29) * 10 + 15, np.full(29, 50)], axis=-1).astype(np.float32)
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(
        keypoints=keypoints[None], keypoint_scores=np.ones((1, 29)), bboxes=np.zeros((1, 4))
    )
    canvas = visualizer.add_datasample(
        'x', np.zeros((100, 320, 3), np.uint8), sample, draw_gt=False, draw_bbox=False
    )
    for (x, y), color in zip(
        keypoints.astype(int), dataset.metainfo['keypoint_colors'], strict=True
    ):
        assert canvas[y, x].tolist() == color.tolist()


def test_another_metainfo_may_be_given(tmp_path, columns):
    del columns
    metainfo = pose_metainfo('mine', BODY_29)
    assert dataset_of(tmp_path, metainfo=metainfo).metainfo['dataset_name'] == 'mine'
