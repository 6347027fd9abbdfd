"""Test RootNet of Human3.6M + MuCo-3DHP + MSCOCO on 3DPW, for which its authors print no error (Human3.6M: MRPE 120.0 mm).

It writes boxes and root joints in m for the mesh networks, work_dirs/rootnet/bbox_root_pw3d_output.json.
Data: tools/dataset_converters/README.md, 3DPW.
python tools/test.py configs/body/rootnet_res50_4xb32-20e_h36m-muco-coco-256x256_test-3dpw.py CHECKPOINT --out metrics.json
"""

_base_ = ['rootnet_res50_4xb32-20e_h36m-muco-coco-256x256.py', '../_base_/datasets/pw3d.py']

test_dataloader = dict(dataset=dict(_base_.pw3d_test, pipeline=_base_.test_pipeline))
test_evaluator = [
    dict(
        type='RootPositionError',
        protocol='3dpw/paper',
        body_model=_base_.smpl,
        truth_body_models=_base_.smpl_by_gender,
    ),
    dict(type='RootResultFile', out_file='work_dirs/rootnet/bbox_root_pw3d_output.json', unit='m'),
]
