"""The detector of synthetic scenes: reads them, learns, and runs by MMDetection's own functions."""

import json

import numpy as np
import pytest
from helpers_runs import ROOT, read_scalars, run_tool
from mmdet.apis import inference_detector, init_detector
from mmdet.registry import DATASETS, MODELS
from mmdet.utils import register_all_modules
from synthetic_humans.generate import Settings, generate

from i2l_plugin.apis.inference.detection import Detector
from i2l_plugin.apis.runner import load_config
from i2l_plugin.datasets import AnnotationRecord

(CONFIG,) = (ROOT / 'configs/detectors').glob('rtmdet-*_synthetic-*.py')
SIZE = (96, 72)


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('scenes')
    settings = Settings('scenes', 0, SIZE, people=(2, 2))
    generate(settings, folder, {'train': 8, 'test': 3}, 1)
    return folder


def options(folder):
    loaders = [f'{split}_dataloader.dataset.data_root' for split in ('train', 'val', 'test')]
    files = [f'{split}_evaluator.ann_file' for split in ('val', 'test')]
    return {
        **dict.fromkeys(loaders, f'{folder}/'),
        **dict.fromkeys(files, f'{folder}/test_coco.json'),
    }


def test_the_config_reads_the_scenes(scenes):
    register_all_modules(init_default_scope=False)
    config = load_config(str(CONFIG), options(scenes))
    for split, part in (('train', 'train'), ('test', 'test')):
        record = AnnotationRecord.load(scenes / f'{split}.npz')
        dataset = DATASETS.build(config[f'{part}_dataloader'].dataset)
        assert dataset.metainfo['classes'] == ('person',)
        assert len(dataset) == len(set(record['image_id']))
        packed = dataset[0]
        size = config.test_dataloader.dataset.pipeline[1].scale
        assert tuple(packed['inputs'].shape) == (3, *size[::-1])
        boxes = packed['data_samples'].gt_instances.bboxes
        assert len(boxes) == (record['image_id'] == dataset.get_data_info(0)['img_id']).sum()


def test_the_network_is_smaller_than_rtmdet_tiny():
    register_all_modules(init_default_scope=False)
    small = MODELS.build(load_config(str(CONFIG)).model)
    weights = sum(p.numel() for p in small.parameters())
    assert weights < 4_900_000 / 2  # of RTMDet-tiny, Lyu et al. 2022, Table 7
    assert small.bbox_head.num_classes == 1


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """A few iterations on eight scenes. -> folder with work/, config, checkpoint"""
    folder = tmp_path_factory.mktemp('trained')
    config = load_config(str(CONFIG), options(scenes))
    config.train_cfg.max_epochs = 24
    config.param_scheduler = [dict(type='ConstantLR', factor=1, by_epoch=False)]
    config.default_hooks.logger.interval = 1
    config.default_hooks.checkpoint.interval = 24
    config.dump(folder / 'config.py')
    words = ('tools/train.py', folder / 'config.py', '--work-dir', folder / 'work')
    run_tool(*words, '--no-validate')
    return folder / 'config.py', folder / 'work/epoch_24.pth'


def test_it_learns(trained):
    losses = [line['loss'] for line in read_scalars(trained[1].parent) if 'loss' in line]
    assert len(losses) == 24
    assert np.mean(losses[-3:]) < 0.9 * max(losses)


def test_mmdetection_tests_it(trained, tmp_path):
    config, checkpoint = trained
    out = ('--work-dir', tmp_path, '--out', tmp_path / 'scores.json')
    results = f'test_evaluator.outfile_prefix={tmp_path / "people"}'
    run_tool('tools/test.py', config, checkpoint, *out, '--cfg-options', results)
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert 0 <= scores['coco/bbox_mAP_50'] <= 1
    boxes = json.loads((tmp_path / 'people.bbox.json').read_text())
    assert {box['image_id'] for box in boxes} <= {0, 1, 2}
    assert all(box['category_id'] == 1 for box in boxes)


def test_mmdetections_functions_and_ours_find_the_same(trained, scenes):
    """Boxes are px of the picture, whatever size the network works at."""
    config, checkpoint = map(str, trained)
    picture = str(scenes / 'images/train/000000.jpg')
    found = inference_detector(init_detector(config, checkpoint, device='cpu'), picture)
    instances = found.pred_instances.numpy()
    assert found.ori_shape == SIZE[::-1]
    assert len(instances) > 0
    best = int(instances.scores.argmax())
    box = instances.bboxes[best]
    assert (box[:2] >= -1).all()
    width, height = load_config(config).test_dataloader.dataset.pipeline[1].scale
    padded = np.array([SIZE[0], SIZE[0] * height / width])  # as wide as the network's input
    assert (box[2:] <= padded + 1).all()
    import cv2

    ours = Detector(config, checkpoint, device='cpu')(cv2.imread(picture))
    mine = ours[ours[:, 4].argmax()]
    np.testing.assert_allclose(mine[:4], box, atol=1e-3)
    assert mine[4] == pytest.approx(instances.scores[best], abs=1e-5)


def test_config_opens_with_the_commands_that_make_its_data_and_run_it():
    header = CONFIG.read_text().split('"""')[1]
    assert f'configs/detectors/{CONFIG.name}' in header
    assert 'tools/make_synthetic.py --kind scenes' in header
