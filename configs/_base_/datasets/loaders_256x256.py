"""What every data set shares: crops of 256 x 256 px, the paper's augmentation, loaders without their data.

Augmentation of paper section 4: scale 25 %, rotation 60 degrees, mirror, colour 20 %; the paper gives these ranges
alone. The release draws scale and rotation by another law with the same ranges (`RandomScaleRotate`).
"""

input_size = (256, 256)

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomScaleRotate', scale=0.25, rotation=60.0, rotate_prob=0.6, law='truncated'),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='ColorScale', factor=0.2),
    dict(type='PackMeshInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackMeshInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=False,  # so that EpochSeedHook reaches the workers
    worker_init_fn=dict(type='seed_worker_by_epoch'),
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
)
test_dataloader = val_dataloader
