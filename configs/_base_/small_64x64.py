"""What the small networks share that learn on two CPU cores from nothing: ingredients of a config."""

small_size = (64, 64)
# The papers draw new layers from N(0, 0.001) beside a trunk from ImageNet. Without one, this learns sooner.
from_nothing = [
    dict(type='Kaiming', layer=['Conv1d', 'Conv2d', 'ConvTranspose2d', 'Linear']),
    dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d']),
]
# The trunk has three stages and stops at stride 8: a 2x2 map would have to learn where things are by heart.
small_trunk = dict(
    depth=18,
    num_stages=3,
    base_channels=16,
    strides=(1, 2, 1),
    dilations=(1, 1, 1),
    out_indices=(2,),
    zero_init_residual=False,
)
small_head = dict(up_channels=64, num_upsample=1, init_cfg=from_nothing)

# Few pixels: the person gets more of them (padding 1.1 instead of 1.25). Few pictures and little time:
# light augmentation.
small_train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(type='RandomBBoxTransform', shift_prob=0.0, scale_factor=(0.95, 1.1), rotate_prob=0.0),
    dict(type='TopdownAffine', input_size=small_size),
    dict(type='ColorScale', factor=0.1),
    dict(type='PackMeshInputs'),
]
small_test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.1),
    dict(type='TopdownAffine', input_size=small_size),
    dict(type='PackMeshInputs'),
]

small_param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=250),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=1,
        end=8,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
