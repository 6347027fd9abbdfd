"""Human3.6M alone, the paper's recipe: MPJPE 81.8, PA-MPJPE 58.0 mm (Tables 3 and 11).

Data: tools/dataset_converters/README.md, Human3.6M.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/i2l-meshnet_res50_smpl.py',
    '../_base_/schedules/adam-12e.py',
    '../_base_/datasets/loaders_256x256.py',
    '../_base_/datasets/human36m.py',
]

train_dataloader = dict(dataset=dict(_base_.human36m_train, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(_base_.human36m_test, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = [dict(metric, body_model=_base_.smpl_h36m) for metric in _base_.human36m_metrics]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='joint/PA-MPJPE'))
