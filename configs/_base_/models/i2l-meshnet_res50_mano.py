"""The paper's network on MANO's right hands, its trunks from ImageNet, which the host downloads.

Put MANO's file where this says, or change it here for all configs. Without a network, download torchvision's ResNet-50
and add --cfg-options model.backbone.init_cfg.checkpoint=FILE model.mesh_backbone.init_cfg.checkpoint=FILE
"""

_base_ = 'i2l-meshnet_res50.py'

# Finger tips as FreiHAND annotates and scores them.
mano = dict(kind='hand', path='body_models/mano/MANO_RIGHT.pkl', finger_tips='freihand')

imagenet = dict(type='Pretrained', checkpoint='torchvision://resnet50')
model = dict(
    backbone=dict(init_cfg=imagenet),
    mesh_backbone=dict(init_cfg=imagenet),
    codec=dict(depth_range_mm=300),
    body_model=mano,
)
visualizer = dict(body_model=mano)
