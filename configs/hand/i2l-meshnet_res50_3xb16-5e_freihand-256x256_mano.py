"""MANO parameters from the mesh of FreiHAND's network. Neither paper nor release has a number; the mesh itself has
PA-MPVPE 7.6, PA-MPJPE 7.4 mm (Table 7).

FIRST_STAGE is a checkpoint of i2l-meshnet_res50_3xb16-12e_freihand-256x256.py, which stays as it is. The scores of the
parameters' mesh are param_freihand/..., beside freihand/... of the mesh.
Data: tools/dataset_converters/README.md, FreiHAND.
bash tools/dist_train.sh configs/hand/i2l-meshnet_res50_3xb16-5e_freihand-256x256_mano.py 3 --cfg-options load_from=FIRST_STAGE
python tools/test.py configs/hand/i2l-meshnet_res50_3xb16-5e_freihand-256x256_mano.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_freihand-256x256.py', '../_base_/second_stage.py']

model = _base_.second_stage_model
optim_wrapper = _base_.second_stage_optimizer
param_scheduler = _base_.second_stage_schedule
train_cfg = dict(max_epochs=5)
custom_hooks = _base_.second_stage_hooks

param_score = dict(_base_.score, prediction='parameters')
val_evaluator = [*_base_.val_evaluator, param_score]
test_evaluator = [*_base_.test_evaluator, dict(param_score, gt_dir=_base_.freihand_root)]
default_hooks = dict(checkpoint=dict(save_best='param_freihand/mesh_al_mean3d'))
