"""FreiHAND, the paper's recipe: PA-MPVPE 7.6, PA-MPJPE 7.4 mm, F@5 0.681, F@15 0.973 (Table 7).

In the official names: mesh_al_mean3d 0.76, xyz_al_mean3d 0.74 cm, f_al_score_5, f_al_score_15. PoseNet's own joints:
PA-MPJPE 8.0 mm (Table 12). The test also writes the submission, work_dirs/freihand_submission/pred.zip.
Data: tools/dataset_converters/README.md, FreiHAND.
bash tools/dist_train.sh configs/hand/i2l-meshnet_res50_3xb16-12e_freihand-256x256.py 3
python tools/test.py configs/hand/i2l-meshnet_res50_3xb16-12e_freihand-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/i2l-meshnet_res50_mano.py',
    '../_base_/schedules/adam-12e.py',
    '../_base_/datasets/loaders_256x256.py',
    '../_base_/datasets/freihand.py',
]

# There are right hands alone: nothing is mirrored.
train_pipeline = [step for step in _base_.train_pipeline if step.type != 'RandomMirror']
train_dataloader = dict(dataset=dict(_base_.freihand_train, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(_base_.freihand_test, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

score = dict(_base_.freihand_score, body_model=_base_.mano)
posenet = dict(_base_.freihand_posenet, body_model=_base_.mano)
val_evaluator = [score, posenet]
test_evaluator = [
    dict(score, gt_dir=_base_.freihand_root, submission_dir='work_dirs/freihand_submission'),
    posenet,
]
default_hooks = dict(checkpoint=dict(save_best='freihand/mesh_al_mean3d'))
