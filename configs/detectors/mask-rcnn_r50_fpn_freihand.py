"""Mask R-CNN (He et al., ICCV 2017), ResNet-50, MMDetection's 1x recipe, on the hands of FreiHAND.

There is no published number: FreiHAND has one large hand an image and is no detection benchmark. Expect bbox and
segm AP far above COCO's on its evaluation split; what counts is the mesh error with these boxes against that with
ground-truth boxes. Mirrored images are trained on, so it finds left hands too; the mesh model takes right ones.
Data: python tools/dataset_converters/freihand.py --root data/freihand --split SPLIT --body-model MANO_RIGHT.pkl \
    --out data/freihand/SPLIT.npz --coco-out data/freihand/SPLIT_hands.json (SPLIT: train, then eval)
bash tools/dist_train.sh configs/detectors/mask-rcnn_r50_fpn_freihand.py 8 (on fewer GPUs add --auto-scale-lr)
Its boxes for the mesh model: python tools/test.py configs/detectors/mask-rcnn_r50_fpn_freihand.py CHECKPOINT \
    --cfg-options test_evaluator.outfile_prefix=data/freihand/hands (then bbox_file='hands.bbox.json')
The trunk is ImageNet's, which the host downloads; to start from COCO's Mask R-CNN instead, download MMDetection's
mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth and add --cfg-options load_from=FILE model.backbone.init_cfg=None
"""

_base_ = [
    'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
    '../_base_/datasets/freihand_boxes.py',
]

image_scale = (512, 512)  # of images of 224 x 224 px

train_pipeline = [
    dict(step, scale=image_scale) if step['type'] == 'Resize' else step
    for step in _base_.train_pipeline
]
test_pipeline = [
    dict(step, scale=image_scale) if step['type'] == 'Resize' else step
    for step in _base_.test_pipeline
]

model = dict(roi_head=dict(bbox_head=dict(num_classes=1), mask_head=dict(num_classes=1)))

train_dataloader = dict(dataset=dict(**_base_.train_boxes, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**_base_.test_boxes, pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=_base_.test_boxes_file)
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(max_keep_ckpts=3))
