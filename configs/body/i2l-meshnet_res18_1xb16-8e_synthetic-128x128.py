"""A small I2L-MeshNet that learns on two CPU cores: narrow ResNet-18, 128x128, D = 32.

`make demo` trains it on 3,000 synthetic people; projects/synthetic_humans/README.md gives its numbers.
python tools/train.py configs/body/i2l-meshnet_res18_1xb16-8e_synthetic-128x128.py
"""

_base_ = 'i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'

input_size = (128, 128)
trunk = dict(depth=18, stem_channels=32, base_channels=32)
model = dict(
    backbone=trunk,
    pose_head=dict(up_channels=64),
    mesh_backbone=trunk,
    mesh_head=dict(up_channels=128),
    codec=dict(input_size=input_size, heatmap_size=(32, 32, 32)),
)

# A small network on few pictures has no use for 60 degrees of rotation.
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(
        type='RandomBBoxTransform',
        shift_prob=0.0,
        scale_factor=(0.85, 1.15),
        rotate_factor=20.0,
        rotate_prob=0.5,
    ),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='ColorScale', factor=0.2),
    dict(type='PackMeshInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackMeshInputs'),
]
train_dataloader = dict(batch_size=16, num_workers=1, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=8, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=50),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=0,
        end=8,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1), logger=dict(interval=20))
