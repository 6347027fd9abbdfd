"""A small I2L-MeshNet that learns on two CPU cores from nothing: narrow ResNet-18, 64x64, D = 16.

`make demo` trains it on 5,000 synthetic people. Held out: MPJPE 144.2, PA-MPJPE 99.0 mm (constant predictor 242.6, 202.1).
bash tools/dist_train.sh configs/body/i2l-meshnet_res18_2xb8-8e_synthetic-64x64.py 2
"""

_base_ = [
    'i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py',
    '../_base_/small_64x64.py',
]

# The stem keeps its 64 channels, since f_M must fit 29 joints into as many.
model = dict(
    backbone=_base_.small_trunk,
    pose_head=_base_.small_head,
    pose_to_feature=dict(init_cfg=_base_.from_nothing),
    mesh_backbone=_base_.small_trunk,
    mesh_head=_base_.small_head,
    codec=dict(input_size=_base_.small_size, heatmap_size=(16, 16, 16)),
    heatmap_loss=dict(type='HeatmapLoss', sigma_lixel=1.0),
    test_cfg=dict(flip_test=True),
)

# Loading a person takes a millisecond, sending one from another process longer.
train_dataloader = dict(
    batch_size=8, num_workers=0, dataset=dict(pipeline=_base_.small_train_pipeline)
)
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=_base_.small_test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=8, val_interval=8)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.1))
param_scheduler = _base_.small_param_scheduler
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=2), logger=dict(interval=50))
