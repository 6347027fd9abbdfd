"""Human3.6M alone, the release's recipe. No number of it is published; the paper's has 81.8 / 58.0 mm (Tables 3, 11).

Data: tools/dataset_converters/README.md, Human3.6M.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-13e_h36m-256x256_release.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-13e_h36m-256x256_release.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_h36m-256x256.py', '../_base_/release.py']

model = _base_.release_model
train_pipeline = [
    dict(step, law=_base_.release_law) if step.type == 'RandomScaleRotate' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_epochs=13)
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 12], gamma=0.1, by_epoch=True)]
