"""I2L-MeshNet of the paper on a body: ResNet-50, 256x256, D = 64, five loss terms."""

body_model = dict(kind='body', path='open')
codec = dict(
    type='SoftArgmaxCodec',
    input_size=(256, 256),
    heatmap_size=(64, 64, 64),
    depth_range_mm=2000,
)

model = dict(
    type='CascadedMeshEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    # ImageNet weights are not downloaded for you. With a torchvision ResNet-50 file at hand:
    #   --cfg-options model.backbone.init_cfg.checkpoint=resnet50.pth model.backbone.init_cfg.type=Pretrained
    # and the same for model.mesh_backbone.
    backbone=dict(type='StagedResNet', depth=50),
    pose_head=dict(type='LixelHead'),
    pose_to_feature=dict(type='PoseToFeature', sigma_lixel=2.5),
    mesh_backbone=dict(type='StagedResNet', depth=50, with_stem=False),
    mesh_head=dict(type='LixelHead'),
    codec=codec,
    body_model=body_model,
    coordinate_loss=dict(type='CoordinateL1Loss', loss_weight=1.0),
    surface_loss=dict(type='NormalEdgeLoss', normal_weight=0.1, edge_weight=1.0),
)

visualizer = dict(
    type='MeshVisualizer',
    name='visualizer',
    body_model=body_model,
    vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')],
)
