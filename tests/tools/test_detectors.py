"""The hand detectors: MMDetection reads the converter's boxes and masks, and trains from them."""

import json

import numpy as np
import pytest
from helpers_freihand import SIZE, freihand_converter, silhouette, write_freihand
from helpers_runs import ROOT, read_scalars, run_tool
from mmdet.evaluation import CocoMetric
from mmdet.registry import DATASETS
from mmdet.structures.mask import encode_mask_results
from mmdet.utils import register_all_modules
from torch import as_tensor as torch_of

from i2l_plugin.apis.runner import load_config

CONFIGS = sorted((ROOT / 'configs/detectors').glob('*_freihand.py'))
UNIQUE = 3
TINY_PX = 64
CHANNELS = {  # 16 instead of 256 and more
    f'model.{name}': 16
    for name in (
        *('neck.out_channels', 'rpn_head.in_channels', 'rpn_head.feat_channels'),
        *('roi_head.bbox_roi_extractor.out_channels', 'roi_head.mask_roi_extractor.out_channels'),
        *('roi_head.bbox_head.in_channels', 'roi_head.bbox_head.fc_out_channels'),
        *('roi_head.mask_head.in_channels', 'roi_head.mask_head.conv_out_channels'),
    )
}
TINY = {
    'mask-rcnn_r50_fpn_freihand': {
        **CHANNELS,
        'model.roi_head.mask_head.num_convs': 1,
        'model.backbone.depth': 18,
        'model.neck.in_channels': [64, 128, 256, 512],
        'model.train_cfg.rpn_proposal.max_per_img': 50,
        'model.test_cfg.rpn.max_per_img': 20,
        'model.test_cfg.rcnn.max_per_img': 5,
        'train_cfg.max_epochs': 1,
        'train_dataloader.batch_size': 6,  # 2 iterations
    },
    'rtmdet-tiny_freihand': {
        'train_cfg.max_epochs': 2,
        'model.bbox_head.exp_on_reg': True,  # no empty boxes, which are dropped, before it learns
        'custom_hooks.1.switch_epoch': 1,  # one iteration of each pipeline
        'train_dataloader.batch_size': 12,
    },
}


@pytest.fixture(scope='module')
def hands(tmp_path_factory):
    """Both splits, as the headers of the configs say. -> folder, truth of the training split"""
    root = tmp_path_factory.mktemp('freihand')
    truths = {
        split: write_freihand(root, 'raw', split, unique=UNIQUE) for split in ('train', 'eval')
    }
    for split in truths:
        out = root / f'{split}_hands.json'
        freihand_converter(root, split)('--coco-out', str(out))
    return root, truths


def config_of(path, root, **changes):
    options = {'model.backbone.init_cfg': None, 'randomness': {'seed': 0}, **changes}
    for split in ('train', 'val', 'test'):
        options[f'{split}_dataloader.dataset.data_root'] = f'{root}/'
        options[f'{split}_dataloader.num_workers'] = 0
        options[f'{split}_dataloader.persistent_workers'] = False
        if split != 'train':
            options[f'{split}_evaluator.ann_file'] = str(root / 'eval_hands.json')
    config = load_config(str(path), options)
    pipelines = [
        config[f'{split}_dataloader'].dataset.pipeline for split in ('train', 'val', 'test')
    ]
    pipelines += [hook.switch_pipeline for hook in config.get('custom_hooks', [])[1:]]
    return config, pipelines


def shrink(pipelines):
    """Every size in px becomes `TINY_PX`."""
    for step in (step for pipeline in pipelines for step in pipeline):
        for name in ('scale', 'img_scale', 'crop_size', 'size'):
            if name in step:
                step[name] = (TINY_PX, TINY_PX)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_config_reads_the_converters_boxes_and_masks(path, hands):
    root, truths = hands
    register_all_modules(init_default_scope=False)
    config, _ = config_of(path, root)
    assert (
        config.model.get('bbox_head', config.model.get('roi_head', {}).get('bbox_head')).num_classes
        == 1
    )
    for split, part in (('train', 'train'), ('eval', 'test')):
        dataset = DATASETS.build(config[f'{part}_dataloader'].dataset)
        truth = truths[split]
        assert dataset.metainfo['classes'] == ('hand',)
        assert len(dataset) == len(truth.paths)
        for i in range(len(dataset)):
            info = dataset.get_data_info(i)
            assert info['img_path'] == str(root / truth.paths[info['img_id']])
            (instance,) = info['instances']
            assert instance['bbox_label'] == 0
            expected = truth.box(info['img_id'] % UNIQUE).clip(0, SIZE - 1)
            np.testing.assert_allclose(instance['bbox'], expected, atol=0.01)


def test_perfect_boxes_and_masks_score_1(hands):
    root, truths = hands
    truth = truths['eval']
    metric = CocoMetric(ann_file=str(root / 'eval_hands.json'), metric=['bbox', 'segm'])
    metric.dataset_meta = dict(classes=('hand',))
    for hand in range(UNIQUE):
        mask = silhouette(truth, hand)[None] > 0
        metric.process(
            {},
            [
                dict(
                    img_id=hand,
                    ori_shape=(SIZE, SIZE),
                    pred_instances=dict(
                        bboxes=torch_of(truth.box(hand).clip(0, SIZE - 1)[None]),
                        scores=torch_of([0.9]),
                        labels=torch_of([0]).long(),
                        masks=encode_mask_results(mask),
                    ),
                )
            ],
        )
    scores = metric.evaluate(UNIQUE)
    assert scores['coco/bbox_mAP'] == pytest.approx(1)
    assert scores['coco/segm_mAP_50'] == pytest.approx(1)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_tools_train_and_test_the_detector(path, hands, tmp_path):
    root, _ = hands
    config, pipelines = config_of(path, root, **TINY[path.stem])
    shrink(pipelines)
    config.default_hooks.logger.interval = 1
    config.dump(tmp_path / 'tiny.py')
    work_dir = ('--work-dir', tmp_path / 'work')
    run_tool('tools/train.py', tmp_path / 'tiny.py', *work_dir, '--no-validate')
    losses = [line['loss'] for line in read_scalars(tmp_path / 'work') if 'loss' in line]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    (checkpoint,) = (tmp_path / 'work').glob(f'epoch_{config.train_cfg.max_epochs}.pth')
    out = ('--out', tmp_path / 'scores.json', '--work-dir', tmp_path / 'test')
    out += ('--show-dir', 'shown')
    results = f'test_evaluator.outfile_prefix={tmp_path / "hands"}'
    run_tool('tools/test.py', tmp_path / 'tiny.py', checkpoint, *out, '--cfg-options', results)
    scores = json.loads((tmp_path / 'scores.json').read_text())
    kinds = ('bbox', 'segm') if 'mask' in path.stem else ('bbox',)
    assert {f'coco/{kind}_mAP' for kind in kinds} <= set(scores)
    assert len(list((tmp_path / 'test').glob('*/shown/*.jpg'))) == UNIQUE
    boxes = json.loads((tmp_path / 'hands.bbox.json').read_text())
    assert {box['image_id'] for box in boxes} <= set(range(UNIQUE))
    assert all(len(box['bbox']) == 4 and box['category_id'] == 1 for box in boxes)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config_opens_with_the_commands_that_make_its_data_and_run_it(path):
    header = path.read_text().split('"""')[1]
    assert f'configs/detectors/{path.name}' in header
    assert '--coco-out' in header
    assert 'no published number' in header
