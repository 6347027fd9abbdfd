"""SURREAL, the release's recipe for bodies. The release has no SURREAL: no number is published. Paper: 44.7 / 37.7 mm.

Data: tools/dataset_converters/README.md, SURREAL.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-13e_surreal-256x256_release.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-13e_surreal-256x256_release.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_surreal-256x256.py', '../_base_/release.py']

model = _base_.release_model
train_pipeline = [
    dict(step, law=_base_.release_law) if step.type == 'RandomScaleRotate' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_epochs=13)
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 12], gamma=0.1, by_epoch=True)]
