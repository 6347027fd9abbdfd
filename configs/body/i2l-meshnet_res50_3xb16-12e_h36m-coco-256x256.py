"""Human3.6M + MSCOCO, the paper's recipe: MPJPE 55.7, PA-MPJPE 41.7 mm on Human3.6M (Table 4).

PoseNet's own joints: 62.2 / 47.2 mm (Table 12). On 3DPW it is tested by i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256_test-3dpw.py.
Data: tools/dataset_converters/README.md, Human3.6M and MSCOCO.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-12e_h36m-256x256.py', '../_base_/datasets/coco.py']

# As many samples of 3D as of 2D data sets in an epoch.
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='EqualShareDataset',
        datasets=[
            [_base_.train_dataloader.dataset],
            [dict(_base_.coco_train, pipeline=_base_.train_pipeline)],
        ],
    )
)
