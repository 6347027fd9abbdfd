"""FreiHAND, the release's recipe. No other number than the paper's is published: 7.6, 7.4 mm, 0.681, 0.973.

Data: tools/dataset_converters/README.md, FreiHAND.
bash tools/dist_train.sh configs/hand/i2l-meshnet_res50_3xb16-25e_freihand-256x256_release.py 3
python tools/test.py configs/hand/i2l-meshnet_res50_3xb16-25e_freihand-256x256_release.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_freihand-256x256.py', '../_base_/release.py']

train_pipeline = [
    dict(step, law=_base_.release_law) if step.type == 'RandomScaleRotate' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_epochs=25)
param_scheduler = [dict(type='MultiStepLR', milestones=[17, 21], gamma=0.1, by_epoch=True)]

# Its network has finger tips of its own; joints are scored by FreiHAND's.
mano_release = dict(_base_.mano, finger_tips='release')
model = dict(_base_.release_model, body_model=mano_release)
visualizer = dict(body_model=mano_release)
posenet = dict(_base_.posenet, body_model=mano_release)
val_evaluator = [_base_.score, posenet]
test_evaluator = [_base_.test_evaluator[0], posenet]
