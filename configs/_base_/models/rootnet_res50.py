"""RootNet on a body: the root joint in camera space, R of the paper's Eq. 7 (Moon et al., ICCV 2019).

depth_range_mm is the side of the square that the box is taken for: 2 m for bodies, 0.3 m for hands.
"""

_base_ = 'i2l-meshnet_res50.py'

model = dict(
    _delete_=True,
    type='RootNet',
    data_preprocessor=_base_.model.data_preprocessor,
    # ImageNet weights are not downloaded for you. With a torchvision ResNet-50 file at hand:
    #   --cfg-options model.backbone.init_cfg.checkpoint=resnet50.pth model.backbone.init_cfg.type=Pretrained
    backbone=dict(type='ResNet', depth=50),
    root_head=dict(type='RootHead'),
    codec=_base_.codec,
    body_model=_base_.body_model,
    coordinate_loss=dict(type='CoordinateL1Loss', loss_weight=1.0),
    depth_loss=dict(type='CoordinateL1Loss', loss_weight=1.0),
)

visualizer = dict(
    _delete_=True,
    type='RootVisualizer',
    name='visualizer',
    vis_backends=_base_.visualizer.vis_backends,
)
