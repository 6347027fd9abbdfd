"""RTMDet-tiny (Lyu et al., 2022) on the hands of FreiHAND: a light detector, boxes only.

There is no published number: FreiHAND has one large hand an image and is no detection benchmark. Expect bbox AP far
above COCO's on its evaluation split. Mirrored images are trained on, so it finds left hands too; the mesh model takes
right ones. 20 epochs at 320 x 320 px instead of MMDetection's 300 at 640: 130,240 images show 32,560 hands.
Data: python tools/dataset_converters/freihand.py --root data/freihand --split SPLIT --body-model MANO_RIGHT.pkl \
    --out data/freihand/SPLIT.npz --coco-out data/freihand/SPLIT_hands.json (SPLIT: train, then eval)
bash tools/dist_train.sh configs/detectors/rtmdet-tiny_freihand.py 8 (on fewer GPUs add --auto-scale-lr)
Its boxes for the mesh model: python tools/test.py configs/detectors/rtmdet-tiny_freihand.py CHECKPOINT \
    --cfg-options test_evaluator.outfile_prefix=data/freihand/hands (then bbox_file='hands.bbox.json')
The trunk is ImageNet's, which the host downloads; to start from COCO's RTMDet-tiny instead, download MMDetection's
rtmdet_tiny_8xb32-300e_coco_20220902_112414-78e30dcc.pth and add --cfg-options load_from=FILE model.backbone.init_cfg=None
"""

_base_ = [
    'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    '../_base_/datasets/freihand_boxes.py',
]

max_epochs, last_epochs = 20, 2  # the last ones without mosaics
base_lr = 0.004  # of 8 x 32 images

image_size = (320, 320)
twice = (640, 640)  # mosaics
sizes = dict(
    CachedMosaic=dict(img_scale=image_size),
    RandomCrop=dict(crop_size=image_size),
    Pad=dict(size=image_size),
    CachedMixUp=dict(img_scale=image_size),
)
train_pipeline = [
    dict(step, **{**sizes, 'RandomResize': dict(scale=twice)}.get(step['type'], {}))
    for step in _base_.train_pipeline
]
train_pipeline_stage2 = [
    dict(step, **{**sizes, 'RandomResize': dict(scale=image_size)}.get(step['type'], {}))
    for step in _base_.train_pipeline_stage2
]
test_pipeline = [
    dict(step, **{**sizes, 'Resize': dict(scale=image_size)}.get(step['type'], {}))
    for step in _base_.test_pipeline
]

model = dict(bbox_head=dict(num_classes=1))

train_dataloader = dict(dataset=dict(**_base_.train_boxes, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**_base_.test_boxes, pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=_base_.test_boxes_file)
test_evaluator = val_evaluator

train_cfg = dict(
    max_epochs=max_epochs, val_interval=1, dynamic_intervals=[(max_epochs - last_epochs, 1)]
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-5, by_epoch=False, begin=0, end=1000),
    dict(
        type='CosineAnnealingLR',
        eta_min=base_lr * 0.05,
        begin=max_epochs // 2,
        end=max_epochs,
        T_max=max_epochs // 2,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(base_batch_size=256)
default_hooks = dict(checkpoint=dict(interval=1))
custom_hooks = [
    _base_.custom_hooks[0],  # moving average of the weights
    dict(
        type='PipelineSwitchHook',
        switch_epoch=max_epochs - last_epochs,
        switch_pipeline=train_pipeline_stage2,
    ),
]
