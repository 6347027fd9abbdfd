"""The six data set classes: boxes and root depths from files."""

import json
import pickle

import numpy as np
import pytest
import torch
from helpers_benchmarks import CLASSES, TEST_PIPELINE, build, save
from mmengine.logging import MMLogger

from i2l_plugin.datasets.person_matching import grow_box
from i2l_plugin.geometry.crop import clip_box


def write(folder, entries, name='results.json'):
    (folder / name).write_text(json.dumps(entries))
    return name


def rootnet_entries(columns, unit_mm, ids=False):
    """What RootNet writes of the persons, its depths off by a tenth."""
    boxes = grow_box(clip_box(columns['bbox_px'], columns['image_size_px']))
    return [
        {
            'image_id': int(columns['image_id'][i]),
            **({'ann_id': int(columns['sample_id'][i])} if ids else {}),
            'bbox': [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
            'root_cam': [0.1, 0.2, float(columns['root_depth_mm'][i]) * 1.1 / unit_mm],
        }
        for i, box in enumerate(boxes)
    ]


@pytest.mark.parametrize('name', CLASSES)
@pytest.mark.parametrize('ids', [False, True])
def test_rootnets_boxes_are_not_grown_again_and_its_depths_are_in_mm(tmp_path, name, ids):
    unit_mm = CLASSES[name][3]
    columns = save(tmp_path, name, n=4)
    entries = rootnet_entries(columns, unit_mm, ids)
    for entry in entries:
        entry['bbox'][0] -= 3.25
    file = write(tmp_path, entries[::-1])
    dataset = build(
        tmp_path, name, bbox_file=file, root_depth_file=file, pipeline=TEST_PIPELINE, test_mode=True
    )
    for i, entry in enumerate(entries):
        sample = dataset[i]['data_samples']
        x, y, width, height = entry['bbox']
        corners = np.array([[x, y, 1], [x + width, y + height, 1]])
        np.testing.assert_allclose(
            corners @ sample.crop_from_image.T, [[0, 0], [64, 64]], atol=1e-4
        )
        assert sample.root_depth_mm == pytest.approx(1.1 * columns['root_depth_mm'][i], rel=1e-5)
        assert (sample.box_source, sample.root_depth_source) == ('RootNet', 'RootNet')


def test_the_files_own_boxes_give_the_very_crop_of_the_annotated_ones(tmp_path):
    columns = save(tmp_path, 'Human36MMeshDataset', n=4)
    write(tmp_path, rootnet_entries(columns, 1))
    annotated, from_file = (
        build(tmp_path, 'Human36MMeshDataset', pipeline=TEST_PIPELINE, bbox_file=file)
        for file in (None, 'results.json')
    )
    for i in range(4):
        difference = annotated[i]['inputs'].int() - from_file[i]['inputs'].int()
        assert difference.abs().max() <= 1


def test_detections_are_grown_as_annotated_boxes_are(tmp_path):
    columns = save(tmp_path, 'FreiHANDMeshDataset', n=3)
    boxes = clip_box(columns['bbox_px'], columns['image_size_px']) + np.array([2, -3, 4, 1])
    entries = [
        {
            'image_id': i,
            'category_id': 1,
            'bbox': [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
            'score': 0.5 + 0.1 * i,
        }
        for i, box in enumerate(boxes)
    ]
    weak = {**entries[0], 'bbox': [0, 0, 5, 5], 'score': 0.99}
    file = write(tmp_path, [weak, *entries])
    dataset = build(tmp_path, 'FreiHANDMeshDataset', bbox_file=file, pipeline=TEST_PIPELINE)
    for i, box in enumerate(clip_box(boxes, columns['image_size_px'])):
        sample = dataset[i]['data_samples']
        np.testing.assert_allclose(sample.gt_instances.bboxes[0], box, atol=1e-4)
        assert sample.gt_instances.bbox_scores[0] == pytest.approx(0.5 + 0.1 * i)
        center, half = (box[:2] + box[2:]) / 2, 1.25 * (box[2:] - box[:2]).max() / 2
        corners = np.array([[*(center - half), 1], [*(center + half), 1]])
        np.testing.assert_allclose(
            corners @ sample.crop_from_image.T, [[0, 0], [64, 64]], atol=1e-3
        )
        assert (sample.box_source, sample.root_depth_source) == ('detector', 'annotated')


def test_files_are_needed_for_the_persons_of_the_protocol_only(tmp_path):
    columns = save(
        tmp_path,
        'Human36MMeshDataset',
        n=4,
        id_subject=[9, 11, 9, 11],
        id_camera=[4, 4, 1, 2],
        id_frame=[0, 64, 0, 64],
    )
    file = write(tmp_path, rootnet_entries(columns, 1)[:2])
    options = dict(bbox_file=file, root_depth_file=file, pipeline=TEST_PIPELINE)
    assert len(build(tmp_path, 'Human36MMeshDataset', protocol='h36m/paper', **options)) == 2
    with pytest.raises(ValueError, match=r'no box for 2 of 4 persons, sample_id \[102, 103\]'):
        build(tmp_path, 'Human36MMeshDataset', **options)


def test_missing_persons_may_keep_what_is_annotated(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', messages.append)
    columns = save(tmp_path, 'COCOMeshDataset', n=2, has_depth=np.array([True, False]))
    file = write(tmp_path, rootnet_entries(columns, 1)[:1])
    dataset = build(
        tmp_path,
        'COCOMeshDataset',
        bbox_file=file,
        root_depth_file=file,
        unmatched='ground_truth',
        pipeline=TEST_PIPELINE,
    )
    kept = dataset.get_data_info(1)
    for name in ('box_source', 'root_depth_source'):  # which the metrics' results say
        assert kept[name] == 'RootNet (annotated for 1 of 2 persons)'
    np.testing.assert_array_equal(
        kept['bbox'], clip_box(columns['bbox_px'], columns['image_size_px'])[1:]
    )
    assert np.isnan(kept['root_depth_mm'])  # nor is it annotated
    assert dataset.get_data_info(0)['root_depth_mm'] > 0
    assert len(messages) == 2


def test_files_may_lie_anywhere(tmp_path):
    columns = save(tmp_path, 'PW3DMeshDataset')
    (tmp_path / 'elsewhere').mkdir()
    write(tmp_path / 'elsewhere', rootnet_entries(columns, 1000))
    for path in ('elsewhere/results.json', str(tmp_path / 'elsewhere/results.json')):
        dataset = build(tmp_path, 'PW3DMeshDataset', root_depth_file=path)
        depth = 1.1 * columns['root_depth_mm'][0]
        assert dataset.get_data_info(0)['root_depth_mm'] == pytest.approx(depth, rel=1e-5)
    with pytest.raises(FileNotFoundError, match=r'nowhere.json: no such file'):
        build(tmp_path, 'PW3DMeshDataset', root_depth_file='nowhere.json')


@pytest.mark.parametrize('steps', [0, 2])
def test_grown_boxes_need_a_pipeline_that_says_how_far_it_grows_them(tmp_path, steps):
    columns = save(tmp_path, 'Human36MMeshDataset')
    write(tmp_path, rootnet_entries(columns, 1))
    pipeline = [dict(type='GetBBoxCenterScale')] * steps
    with pytest.raises(ValueError, match=f'got {steps} GetBBoxCenterScale, expected one'):
        build(tmp_path, 'Human36MMeshDataset', bbox_file='results.json', pipeline=pipeline)


def test_detected_boxes_outside_the_image_are_refused_in_tests(tmp_path):
    columns = save(tmp_path, 'Human36MMeshDataset', n=1)
    box = clip_box(columns['bbox_px'], columns['image_size_px'])[0]
    sliver = [float(box[0]), float(box[1]), 0.5, float(box[3] - box[1])]
    entry = {'image_id': 0, 'category_id': 1, 'bbox': sliver, 'score': 0.9}
    write(tmp_path, [entry])
    with pytest.raises(ValueError, match=r'1 of 1 boxes .* sample_id \[100\]'):
        build(tmp_path, 'Human36MMeshDataset', bbox_file='results.json', test_mode=True)


def test_boxes_and_depths_from_files_reach_spawned_workers(tmp_path):
    columns = save(tmp_path, 'Human36MMeshDataset')
    file = write(tmp_path, rootnet_entries(columns, 1))
    dataset = build(
        tmp_path,
        'Human36MMeshDataset',
        bbox_file=file,
        root_depth_file=file,
        pipeline=TEST_PIPELINE,
    )
    received = pickle.loads(pickle.dumps(dataset))
    for i in range(3):
        ours, theirs = dataset[i], received[i]
        assert torch.equal(ours['inputs'], theirs['inputs'])
        assert ours['data_samples'].root_depth_mm == theirs['data_samples'].root_depth_mm
