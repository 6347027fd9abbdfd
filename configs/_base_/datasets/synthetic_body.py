"""Synthetic people of the open body (`tools/make_synthetic.py --kind body --out data/synthetic_body`).

Augmentation of paper section 4: scale 25 %, rotation 60 degrees, mirror, colour 20 %.
"""

dataset_type = 'MeshDataset'
data_root = 'data/synthetic_body/'
input_size = (256, 256)
truth_body_model = dict(kind='body', path='open')

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(
        type='RandomBBoxTransform',
        shift_prob=0.0,
        scale_factor=(0.75, 1.25),
        rotate_factor=60.0,
        rotate_prob=0.6,
    ),
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
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='train.npz',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='test.npz',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='MeshVertexError', body_model=truth_body_model),
    dict(type='MeshJointError', body_model=truth_body_model, joint_set='body_29'),
    dict(
        type='MeshJointError',
        body_model=truth_body_model,
        joint_set='body_29',
        prediction='posenet',
    ),
]
test_evaluator = val_evaluator
