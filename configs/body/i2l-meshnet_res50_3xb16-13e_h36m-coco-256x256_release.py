"""Human3.6M + MSCOCO, the release's recipe: MPJPE 55.83, PA-MPJPE 41.10 mm on Human3.6M.

On 3DPW it is tested by i2l-meshnet_res50_3xb16-13e_h36m-coco-256x256_release_test-3dpw.py.
Data: tools/dataset_converters/README.md, Human3.6M and MSCOCO.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-13e_h36m-coco-256x256_release.py 3
python tools/test.py configs/body/i2l-meshnet_res50_3xb16-13e_h36m-coco-256x256_release.py CHECKPOINT --out metrics.json
"""

_base_ = ['i2l-meshnet_res50_3xb16-13e_h36m-256x256_release.py', '../_base_/datasets/coco.py']

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
