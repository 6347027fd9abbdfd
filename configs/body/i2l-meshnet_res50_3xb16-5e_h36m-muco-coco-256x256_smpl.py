"""SMPL parameters from the mesh of Human3.6M + MuCo-3DHP + MSCOCO's network, tested on 3DPW: MPJPE 100.0, PA-MPJPE
60.0 mm (Table 6, "+ SMPL regress"; the mesh itself 93.2 / 57.7 mm).

FIRST_STAGE is a checkpoint of i2l-meshnet_res50_3xb16-12e_h36m-muco-coco-256x256.py, which stays as it is.
Data: tools/dataset_converters/README.md, Human3.6M, MuCo-3DHP, MSCOCO and 3DPW.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-5e_h36m-muco-coco-256x256_smpl.py 3 --cfg-options load_from=FIRST_STAGE
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-5e_h36m-muco-coco-256x256_smpl.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_h36m-muco-coco-256x256.py', '../_base_/second_stage.py']

model = _base_.second_stage_model
optim_wrapper = _base_.second_stage_optimizer
param_scheduler = _base_.second_stage_schedule
train_cfg = dict(max_epochs=5)
custom_hooks = _base_.second_stage_hooks

val_evaluator = [
    *_base_.val_evaluator,
    dict(_base_.val_evaluator[0], prediction='parameters'),
]
h36m_joints, _, smpl_joints = _base_.test_evaluator
test_evaluator = [
    *_base_.test_evaluator,
    dict(h36m_joints, prediction='parameters'),
    dict(smpl_joints, prediction='parameters', prefix='param_smpl_joint'),
]
default_hooks = dict(checkpoint=dict(save_best='param_joint/PA-MPJPE'))
