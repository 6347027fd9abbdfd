"""Synthetic right hands of the open hand (`tools/make_synthetic.py --kind hand --out data/synthetic_hand`).

As the bodies', but as on FreiHAND hands are never mirrored, and F-scores are reported.
"""

_base_ = 'synthetic_body.py'

dataset_type = 'HandMeshDataset'
data_root = 'data/synthetic_hand/'
truth_body_model = dict(kind='hand', path='open')

train_pipeline = [step for step in _base_.train_pipeline if step.type != 'RandomMirror']

train_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='MeshVertexError', body_model=truth_body_model),
    dict(type='MeshJointError', body_model=truth_body_model, joint_set='hand_21'),
    dict(type='FScore', body_model=truth_body_model),
    dict(
        type='MeshJointError',
        body_model=truth_body_model,
        joint_set='hand_21',
        prediction='posenet',
    ),
]
test_evaluator = val_evaluator
