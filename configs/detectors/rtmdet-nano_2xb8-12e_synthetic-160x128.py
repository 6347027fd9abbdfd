"""A small RTMDet (Lyu et al., 2022) that learns to find people on two CPU cores from nothing: 160x128 px, 2.2 M weights.

`make demo` trains it on 2,400 scenes. Held-out scenes, one run: AP 0.56, AP50 0.91; 87 % of the people at a score of 0.3.
Data: python tools/make_synthetic.py --kind scenes --num-train 2400 --num-test 150 --image-size 192x144 --out data/synthetic_scenes
bash tools/dist_train.sh configs/detectors/rtmdet-nano_2xb8-12e_synthetic-160x128.py 2
"""

_base_ = [
    'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    '../_base_/datasets/synthetic_boxes.py',
]

image_size = (160, 128)
max_epochs = 12

# Narrower than RTMDet-tiny (0.25 instead of 0.375), and without its trunk from ImageNet. CPUs have no SyncBN.
norm = dict(type='BN')
model = dict(
    use_syncbn=False,
    backbone=dict(widen_factor=0.25, norm_cfg=norm, init_cfg=None),
    neck=dict(in_channels=[64, 128, 256], out_channels=64, norm_cfg=norm),
    bbox_head=dict(num_classes=1, in_channels=64, feat_channels=64, exp_on_reg=True, norm_cfg=norm),
)

# No mosaics, which need hundreds of epochs: scenes differ enough as they are.
resize = [
    dict(type='Resize', scale=image_size, keep_ratio=True),
    dict(type='Pad', size=image_size, pad_val=dict(img=(114, 114, 114))),
]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    *resize,
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    *resize,
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]

# Loading a picture takes a millisecond, sending one from another process longer.
loader = dict(num_workers=0, persistent_workers=False, pin_memory=False)
train_dataloader = dict(
    batch_size=8, dataset=dict(**_base_.train_boxes, pipeline=train_pipeline), **loader
)
val_dataloader = dict(
    batch_size=16, dataset=dict(**_base_.test_boxes, pipeline=test_pipeline), **loader
)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=_base_.test_boxes_file)
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs, dynamic_intervals=None)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=50),
    dict(
        type='CosineAnnealingLR',
        eta_min=2e-5,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=2))
custom_hooks = []
randomness = dict(seed=0)
