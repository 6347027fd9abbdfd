"""Body-model parameters from the mesh ("+ SMPL regress" of Table 6), on synthetic people of the open body.

There is no published number. FIRST_STAGE is a checkpoint of i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py, which
stays as it is.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-5e_synthetic-256x256_smpl.py 3 --cfg-options load_from=FIRST_STAGE
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-5e_synthetic-256x256_smpl.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py', '../_base_/second_stage.py']

model = _base_.second_stage_model
optim_wrapper = _base_.second_stage_optimizer
param_scheduler = _base_.second_stage_schedule
train_cfg = dict(max_epochs=5)
custom_hooks = _base_.second_stage_hooks

vertices, joints, _ = _base_.val_evaluator
val_evaluator = [
    *_base_.val_evaluator,
    dict(vertices, prediction='parameters'),
    dict(joints, prediction='parameters'),
]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='param_vertex/PA-MPVPE'))
