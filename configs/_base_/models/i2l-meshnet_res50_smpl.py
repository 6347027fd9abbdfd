"""The paper's network on SMPL's bodies, its trunks from ImageNet, which the host downloads.

Without a network, download torchvision's ResNet-50 and add
--cfg-options model.backbone.init_cfg.checkpoint=FILE model.mesh_backbone.init_cfg.checkpoint=FILE
"""

_base_ = ['i2l-meshnet_res50.py', '../body_models/smpl.py']

imagenet = dict(type='Pretrained', checkpoint='torchvision://resnet50')
model = dict(
    backbone=dict(init_cfg=imagenet),
    mesh_backbone=dict(init_cfg=imagenet),
    body_model=_base_.smpl,
)
visualizer = dict(body_model=_base_.smpl)
