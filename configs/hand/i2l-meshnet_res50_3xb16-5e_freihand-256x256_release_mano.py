"""MANO parameters, the release's recipe. No number of it is published; the mesh itself has PA-MPVPE 7.6 mm (Table 7).

FIRST_STAGE is a checkpoint of i2l-meshnet_res50_3xb16-25e_freihand-256x256_release.py, or the authors' snapshot by
tools/convert_checkpoint.py.
Data: tools/dataset_converters/README.md, FreiHAND.
bash tools/dist_train.sh configs/hand/i2l-meshnet_res50_3xb16-5e_freihand-256x256_release_mano.py 3 --cfg-options load_from=FIRST_STAGE
python tools/test.py configs/hand/i2l-meshnet_res50_3xb16-5e_freihand-256x256_release_mano.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-25e_freihand-256x256_release.py', '../_base_/second_stage.py']

model = _base_.second_stage_release_model
# The release goes on with its 25 epochs, and drops the rate 5 epochs later than there, at 22 and 26: the first drop is
# over when the regressor starts.
optim_wrapper = dict(_base_.second_stage_optimizer, optimizer=dict(lr=1e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=5)
custom_hooks = _base_.second_stage_hooks

param_score = dict(_base_.score, prediction='parameters')
val_evaluator = [*_base_.val_evaluator, param_score]
test_evaluator = [*_base_.test_evaluator, dict(param_score, gt_dir=_base_.freihand_root)]
default_hooks = dict(checkpoint=dict(save_best='param_freihand/mesh_al_mean3d'))
