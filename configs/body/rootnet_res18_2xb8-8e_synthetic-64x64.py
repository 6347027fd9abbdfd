"""A small RootNet that learns on two CPU cores from nothing: narrow ResNet-18, 64x64.

On 5,000 synthetic people it reaches, held out, MRPE 215.4 mm (x 35.2, y 32.7, z 200.0). The training set's mean place and
gamma: 351.1 mm (z 299.2); the crop's middle at the depth of the box's size: 423.7 mm (z 365.6).
bash tools/dist_train.sh configs/body/rootnet_res18_2xb8-8e_synthetic-64x64.py 2
"""

_base_ = ['rootnet_res50_4xb32-20e_synthetic-256x256.py', '../_base_/small_64x64.py']

model = dict(
    backbone=dict(_base_.small_trunk, stem_channels=32),
    root_head=_base_.small_head,
    codec=dict(input_size=_base_.small_size, heatmap_size=(16, 16, 16)),
    relative_depth=True,
    test_cfg=dict(flip_test=True),
)

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
