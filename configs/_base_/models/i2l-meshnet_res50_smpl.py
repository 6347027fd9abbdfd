"""The paper's network on SMPL's bodies, its trunks from ImageNet, which the host downloads.

Put the files of SMPL and Human3.6M's regressor where this says, or change it here for all configs. Without a network,
download torchvision's ResNet-50 and add --cfg-options model.backbone.init_cfg.checkpoint=FILE
model.mesh_backbone.init_cfg.checkpoint=FILE
"""

_base_ = 'i2l-meshnet_res50.py'

smpl = dict(kind='body', path='body_models/smpl/SMPL_NEUTRAL.pkl')
smpl_by_gender = dict(
    m=dict(path='body_models/smpl/SMPL_MALE.pkl'),
    f=dict(path='body_models/smpl/SMPL_FEMALE.pkl'),
)
smpl_h36m = dict(  # for metrics whose joints are Human3.6M's
    smpl, regressor_files=dict(h36m_17='body_models/J_regressor_h36m_correct.npy')
)

imagenet = dict(type='Pretrained', checkpoint='torchvision://resnet50')
model = dict(
    backbone=dict(init_cfg=imagenet), mesh_backbone=dict(init_cfg=imagenet), body_model=smpl
)
visualizer = dict(body_model=smpl)
