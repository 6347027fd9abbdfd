"""A small I2L-MeshNet that learns on two CPU cores from nothing: narrow ResNet-18, 64x64, D = 16.

`make demo` trains it on 5,000 synthetic people. Held out: MPJPE 143.5, PA-MPJPE 100.1 mm (constant predictor 242.6, 202.1).
bash tools/dist_train.sh configs/body/i2l-meshnet_res18_2xb8-8e_synthetic-64x64.py 2
"""

_base_ = 'i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'

input_size = (64, 64)
# The paper draws new layers from N(0, 0.001) beside a trunk from ImageNet. Without one, this learns sooner.
from_nothing = [
    dict(type='Kaiming', layer=['Conv1d', 'Conv2d', 'ConvTranspose2d', 'Linear']),
    dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d']),
]
# The stem keeps its 64 channels, since f_M must fit 29 joints into as many. The trunk has three stages
# and stops at stride 8: a 2x2 map would have to learn where things are by heart.
trunk = dict(
    depth=18,
    num_stages=3,
    base_channels=16,
    strides=(1, 2, 1),
    dilations=(1, 1, 1),
    out_indices=(2,),
    zero_init_residual=False,
)
head = dict(up_channels=64, num_upsample=1, init_cfg=from_nothing)
model = dict(
    backbone=trunk,
    pose_head=head,
    pose_to_feature=dict(init_cfg=from_nothing),
    mesh_backbone=trunk,
    mesh_head=head,
    codec=dict(input_size=input_size, heatmap_size=(16, 16, 16)),
    heatmap_loss=dict(type='HeatmapLoss', sigma_lixel=1.0),
    test_cfg=dict(flip_test=True),
)

# Few pixels: the person gets more of them (padding 1.1 instead of 1.25). Few pictures and little time:
# light augmentation.
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(type='RandomBBoxTransform', shift_prob=0.0, scale_factor=(0.95, 1.1), rotate_prob=0.0),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='ColorScale', factor=0.1),
    dict(type='PackMeshInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackMeshInputs'),
]
# Loading a person takes a millisecond, sending one from another process longer.
train_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=8, val_interval=8)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.1))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=250),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=1,
        end=8,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=2), logger=dict(interval=50))
