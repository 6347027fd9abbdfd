"""Detectors: MMDetection's own answers, the right class, and what is kept of them."""

import numpy as np
import pytest
import torch
from helpers_inference import noise_picture, tiny_detector, tiny_network
from mmengine.config import Config

from i2l_plugin.apis.inference import detection
from i2l_plugin.apis.inference.detection import Detector, find_config, keep_people
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer


@pytest.fixture(scope='module')
def detector_files(tmp_path_factory):
    return tiny_detector(tmp_path_factory.mktemp('detector'))


@pytest.fixture(scope='module')
def detector(detector_files):
    return Detector(*detector_files, device='cpu')


def test_the_boxes_are_mmdetections_of_the_class_that_is_named_person(
    detector, detector_files, monkeypatch
):
    from mmdet.apis import inference_detector, init_detector

    picture = noise_picture(3, (120, 80))
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    theirs = inference_detector(init_detector(*detector_files, device='cpu'), picture)
    theirs = theirs.pred_instances
    persons = theirs.labels == 1
    assert 0 < persons.sum() < len(persons)
    expected = torch.cat([theirs.bboxes, theirs.scores[:, None]], dim=1)[persons]
    np.testing.assert_array_equal(detector(picture), expected.numpy())
    assert detector.name == 'tiny_detector'


def test_classes_are_chosen_by_number_where_one_asks(detector_files):
    picture = noise_picture(3, (120, 80))
    counts = [
        len(Detector(*detector_files, class_ids=ids, device='cpu')(picture))
        for ids in (0, 1, (0, 1))
    ]
    assert counts[0] > 0
    assert counts[0] + counts[1] == counts[2]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(kind='hand'), r"\['dog', 'person'\], expected 'hand'.*det_cat_ids"),
        (dict(class_ids=2), r'det_cat_ids: got \[2\].*0 to 1'),
        (dict(class_ids=()), r'det_cat_ids: got \[\]'),
    ],
)
def test_a_class_that_there_is_not_is_refused(detector_files, options, message):
    with pytest.raises(ValueError, match=message):
        Detector(*detector_files, device='cpu', **options)


def test_the_names_of_the_classes_may_stand_in_the_config(detector_files, tmp_path):
    config, checkpoint = detector_files
    state = torch.load(checkpoint)
    torch.save({'state_dict': state['state_dict']}, tmp_path / 'bare.pth')
    config, _ = find_config(config)
    config.test_dataloader.dataset.metainfo = dict(classes=('person', 'dog'))
    config.dump(tmp_path / 'config.py')
    files = str(tmp_path / 'config.py'), str(tmp_path / 'bare.pth')
    assert Detector(*files, device='cpu').class_ids == [0]


def test_models_are_found_by_their_names_in_mmdetection(tmp_path):
    config, name = find_config('RTMDet_tiny_8xb32-300e_coco')
    assert name == 'rtmdet_tiny_8xb32-300e_coco'
    assert config.model.type == 'RTMDet'
    with pytest.raises(ValueError, match=r"neither a config file nor the name.*'rtmdet_tiny"):
        find_config('yolo-of-next-year')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        find_config(str(tmp_path / 'nowhere.py'))


def test_configs_made_in_python_have_the_name_of_their_file_or_model(detector_files):
    assert find_config(Config.fromfile(detector_files[0]))[1] == 'tiny_detector'
    assert find_config(Config(dict(model=dict(type='RTMDet'))))[1] == 'RTMDet'


def test_nothing_is_downloaded():
    with pytest.raises(ValueError, match=r'no checkpoint and nothing is downloaded.*det_weights'):
        Detector('rtmdet_tiny_8xb32-300e_coco', None)
    with pytest.raises(ValueError, match='is an address'):
        Detector('rtmdet_tiny_8xb32-300e_coco', 'https://example.org/rtmdet.pth', device='cpu')


def test_the_checkpoint_of_another_detector_is_refused(detector_files, tmp_path):
    state = torch.load(detector_files[1])['state_dict']
    torch.save({'state_dict': dict(list(state.items())[:-3])}, tmp_path / 'part.pth')
    with pytest.raises(ValueError, match=r'not of this RTMDet: of its weights 3 are missing'):
        Detector(detector_files[0], str(tmp_path / 'part.pth'), device='cpu')


def test_weights_that_a_detector_has_no_use_for_are_let_pass(detector_files, tmp_path):
    state = torch.load(detector_files[1])['state_dict']
    torch.save({'state_dict': {**state, 'ema.steps': torch.ones(1)}}, tmp_path / 'more.pth')
    Detector(detector_files[0], str(tmp_path / 'more.pth'), class_ids=1, device='cpu')


def test_boxes_are_dropped_by_score_overlap_and_where_they_have_no_area():
    found = np.array(
        [
            [10, 10, 110, 110, 0.5],
            [12, 12, 112, 112, 0.9],  # the better of two that overlap
            [200, 10, 250, 60, 0.4],
            [300, 10, 350, 60, 0.2],  # not sure enough
            [-50, -50, 20, 30, 0.6],  # cut to the picture
            [500, 500, 600, 600, 0.9],  # outside
        ],
        np.float32,
    )
    kept = keep_people(found, (400, 300), 'some detector', bbox_thr=0.3, nms_thr=0.5)
    expected = [[12, 12, 112, 112], [0, 0, 20, 30], [200, 10, 250, 60]]
    np.testing.assert_array_equal(kept.bbox_px, expected)
    np.testing.assert_allclose(kept.score, [0.9, 0.6, 0.4])
    assert kept.source == 'some detector'
    assert len(keep_people(found, (400, 300), '', 0.3, nms_thr=0.95)) == 4
    assert len(keep_people(found[:0], (400, 300), '', 0.3, 0.5)) == 0
    with pytest.raises(ValueError, match=r"'mine': got boxes of shape \(6, 4\), expected \(M, 5\)"):
        keep_people(found[:, :4], (400, 300), 'mine', 0.3, 0.5)


def test_found_and_given_boxes_give_the_same_meshes_bit_for_bit(detector_files, tmp_path):
    network = tiny_network(tmp_path)
    picture = noise_picture(3)
    config, checkpoint = detector_files
    finds = MeshInferencer(network, det_model=config, det_weights=checkpoint, device='cpu')
    options = dict(return_datasamples=True, batch_size=4)
    (result,) = finds(picture, bbox_thr=0.5, nms_thr=0.2, **options)
    found = result['predictions'][0]
    assert len(found.pred_instances) > 1
    assert found.metainfo['bbox_source'] == 'tiny_detector'
    boxes = np.column_stack([found.pred_instances.bboxes, found.pred_instances.bbox_scores])
    (result,) = MeshInferencer(network)(picture, bboxes=boxes, **options)
    given = result['predictions'][0]
    assert given.metainfo['bbox_source'] == 'given'
    for name, values in found.pred_instances.items():
        np.testing.assert_array_equal(given.pred_instances[name], values, err_msg=name)


def test_without_cuda_operators_the_detector_runs_on_the_cpu(monkeypatch):
    import mmcv.ops

    monkeypatch.setattr(detection, 'find_device', lambda _: torch.device('cuda:0'))
    for built, place in (('not available', 'cpu'), ('12.4', 'cuda:0')):
        monkeypatch.setattr(mmcv.ops, 'get_compiling_cuda_version', lambda built=built: built)
        assert detection._device('cuda:0') == place
