"""SURREAL, the paper's recipe: MPVPE 44.7, MPJPE 37.7 mm (Table 14); PoseNet 40.0 / 29.5 mm (Table 12).

Its fits are of the male and the female SMPL, whose meshes the network learns alike.
Data: tools/dataset_converters/README.md, SURREAL.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_surreal-256x256.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-12e_surreal-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/i2l-meshnet_res50_smpl.py',
    '../_base_/schedules/adam-12e.py',
    '../_base_/datasets/loaders_256x256.py',
    '../_base_/datasets/surreal.py',
]

model = dict(truth_body_models=_base_.smpl_by_gender)

train_dataloader = dict(dataset=dict(_base_.surreal_train, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(_base_.surreal_test, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = [
    dict(metric, body_model=_base_.smpl, truth_body_models=_base_.smpl_by_gender)
    for metric in _base_.surreal_metrics
]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='vertex/MPVPE'))
