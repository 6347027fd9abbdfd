"""Human3.6M + MuCo-3DHP + MSCOCO, the paper's recipe, tested on 3DPW: MPJPE 93.2, PA-MPJPE 57.7 mm
(Table 6; PoseNet's own joints 112.2 / 72.3 mm, Table 12).

While training it is evaluated on Human3.6M: 3DPW's 35,515 persons take long, and are for testing alone.
Data: tools/dataset_converters/README.md, Human3.6M, MuCo-3DHP, MSCOCO and 3DPW.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_h36m-muco-coco-256x256.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-12e_h36m-muco-coco-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    'i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256.py',
    '../_base_/datasets/muco.py',
    '../_base_/datasets/pw3d.py',
]

(human36m,), people_2d = _base_.train_dataloader.dataset.datasets
muco = dict(_base_.muco_train, pipeline=_base_.train_pipeline)
train_dataloader = dict(dataset=dict(datasets=[[human36m, muco], people_2d]))

test_dataloader = dict(dataset=dict(_base_.pw3d_test, pipeline=_base_.test_pipeline))
test_evaluator = [
    dict(metric, body_model=_base_.smpl_h36m, truth_body_models=_base_.smpl_by_gender)
    for metric in _base_.pw3d_metrics
]
