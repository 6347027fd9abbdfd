"""The small network's PoseNet alone, from nothing: the first part of `make demo`.

Held out: TODO
bash tools/dist_train.sh configs/body/posenet_res18_2xb8-8e_synthetic-64x64.py 2
"""

_base_ = 'i2l-meshnet_res18_2xb8-4e_synthetic-64x64.py'

model = dict(
    _delete_=True,
    type='PoseNetEstimator',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone}},
    pose_head={{_base_.model.pose_head}},
    codec={{_base_.model.codec}},
    body_model={{_base_.model.body_model}},
    coordinate_loss={{_base_.model.coordinate_loss}},
    heatmap_loss={{_base_.model.heatmap_loss}},
    joint_targets=('annotated',),  # of synthetic people as exact as the fitted ones
)

# There are no vertices to measure, only PoseNet's own joints.
val_evaluator = [
    dict(
        type='MeshJointError',
        body_model=dict(kind='body', path='open'),
        joint_set='body_29',
        prediction='posenet',
    )
]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='posenet/PA-MPJPE'))

train_cfg = dict(max_epochs=8, val_interval=8)
optim_wrapper = dict(optimizer=dict(lr=3e-3))
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
