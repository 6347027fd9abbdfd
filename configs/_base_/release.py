"""What the authors' release does otherwise than the paper says: ingredients of the configs `*_release.py`.

RGB / 255 without ImageNet's mean and deviation; Eqs. 8 and 9 against the fitted AND the annotated joints, seven loss
terms; 1D convolutions and the z branch start from PyTorch's own numbers; scale and rotation from clipped normals. Its
schedules are in the configs.
"""

release_init = [
    dict(type='Normal', std=0.001, layer=['Conv2d', 'ConvTranspose2d']),
    dict(type='Constant', val=1, layer=['BatchNorm2d']),
]
release_model = dict(
    data_preprocessor=dict(mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0]),
    pose_head=dict(init_cfg=release_init),
    mesh_head=dict(init_cfg=release_init),
    joint_targets=('fitted', 'annotated'),
)
release_law = 'clipped'  # of RandomScaleRotate
