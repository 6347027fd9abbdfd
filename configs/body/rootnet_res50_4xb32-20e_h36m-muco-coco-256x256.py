"""RootNet of bodies: Human3.6M + MuCo-3DHP, and MSCOCO for x and y alone, tested on Human3.6M.

Its authors reach MRPE 120.0 mm on Human3.6M (x 23.3, y 23.0, z 108.1) with all four cameras, boxes of a detector, and
MPII for x and y. 3DPW: rootnet_res50_4xb32-20e_h36m-muco-coco-256x256_test-3dpw.py.
Data: tools/dataset_converters/README.md, Human3.6M, MuCo-3DHP and MSCOCO.
bash tools/dist_train.sh configs/body/rootnet_res50_4xb32-20e_h36m-muco-coco-256x256.py 4
The test also writes boxes and root joints for the mesh networks, work_dirs/rootnet/bbox_root_human36m_output.json:
python tools/test.py configs/body/rootnet_res50_4xb32-20e_h36m-muco-coco-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/rootnet_res50.py',
    '../_base_/body_models/smpl.py',
    '../_base_/schedules/adam-20e.py',
    '../_base_/datasets/loaders_256x256.py',
    '../_base_/datasets/human36m.py',
    '../_base_/datasets/muco.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    body_model=_base_.smpl,
)

# The boxes are scaled too, which the authors leave out: gamma follows them.
human36m, muco, coco = (
    dict(dataset, pipeline=_base_.train_pipeline)
    for dataset in (_base_.human36m_train, _base_.muco_train, _base_.coco_train)
)
train_dataloader = dict(
    batch_size=32, dataset=dict(type='EqualShareDataset', datasets=[[human36m, muco], [coco]])
)
val_dataloader = dict(dataset=dict(_base_.human36m_test, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='RootPositionError', protocol='h36m/paper', body_model=_base_.smpl),
]
test_evaluator = [
    *val_evaluator,
    dict(type='RootResultFile', out_file='work_dirs/rootnet/bbox_root_human36m_output.json'),
]
default_hooks = dict(checkpoint=dict(save_best='root/MRPE'))
