"""Synthetic people of the open body (`tools/make_synthetic.py --kind body --out data/synthetic_body`)."""

_base_ = 'loaders_256x256.py'

dataset_type = 'MeshDataset'
data_root = 'data/synthetic_body/'
truth_body_model = dict(kind='body', path='open')

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='train.npz',
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='test.npz',
        pipeline=_base_.test_pipeline,
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
