"""Test on 3DPW what Human3.6M + MSCOCO trained by the release's recipe. No number of it is published; the
paper's recipe has MPJPE 95.4, PA-MPJPE 60.8 mm (Table 4).

Data: tools/dataset_converters/README.md, 3DPW.
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-13e_h36m-coco-256x256_release_test-3dpw.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-13e_h36m-coco-256x256_release.py', '../_base_/datasets/pw3d.py']

test_dataloader = dict(dataset=dict(_base_.pw3d_test, pipeline=_base_.test_pipeline))
test_evaluator = [
    dict(metric, body_model=_base_.smpl_h36m, truth_body_models=_base_.smpl_by_gender)
    for metric in _base_.pw3d_metrics
]
