"""RootNet of right hands on FreiHAND. Its authors print no error of hands (bodies of Human3.6M: MRPE 120.0 mm).

Data: tools/dataset_converters/README.md, FreiHAND.
bash tools/dist_train.sh configs/hand/rootnet_res50_4xb32-20e_freihand-256x256.py 4
The test also writes boxes and root joints in m for the mesh networks, work_dirs/rootnet/bbox_root_freihand_output.json:
python tools/test.py configs/hand/rootnet_res50_4xb32-20e_freihand-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/rootnet_res50.py',
    '../_base_/body_models/mano.py',
    '../_base_/schedules/adam-20e.py',
    '../_base_/datasets/loaders_256x256.py',
    '../_base_/datasets/freihand.py',
]

model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    codec=dict(depth_range_mm=300),
    body_model=_base_.mano,
)

# There are right hands alone: nothing is mirrored.
train_pipeline = [step for step in _base_.train_pipeline if step.type != 'RandomMirror']
train_dataloader = dict(batch_size=32, dataset=dict(_base_.freihand_train, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(_base_.freihand_test, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='RootPositionError', protocol='freihand/paper', body_model=_base_.mano),
]
test_evaluator = [
    *val_evaluator,
    dict(
        type='RootResultFile',
        out_file='work_dirs/rootnet/bbox_root_freihand_output.json',
        unit='m',
    ),
]
default_hooks = dict(checkpoint=dict(save_best='root/MRPE'))
