"""RootNet on synthetic right hands of the open hand; there is no published number.

Data: python tools/make_synthetic.py --kind hand --num-train 50000 --num-test 2000 --seed 0 --out data/synthetic_hand
bash tools/dist_train.sh configs/hand/rootnet_res50_4xb32-20e_synthetic-256x256.py 4
The test also writes boxes and root joints, work_dirs/rootnet/bbox_root_synthetic_hand_output.json:
python tools/test.py configs/hand/rootnet_res50_4xb32-20e_synthetic-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/rootnet_res50.py',
    '../_base_/schedules/adam-20e.py',
    '../_base_/datasets/synthetic_hand.py',
]

model = dict(codec=dict(depth_range_mm=300), body_model=dict(kind='hand'))
train_dataloader = dict(batch_size=32)
val_evaluator = [dict(type='RootPositionError', body_model=_base_.truth_body_model)]
test_evaluator = [
    *val_evaluator,
    dict(type='RootResultFile', out_file='work_dirs/rootnet/bbox_root_synthetic_hand_output.json'),
]
default_hooks = dict(checkpoint=dict(save_best='root/MRPE'))
