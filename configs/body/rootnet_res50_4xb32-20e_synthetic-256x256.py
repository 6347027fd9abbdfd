"""RootNet, its authors' network and recipe, on synthetic people of the open body.

They reach MRPE 120.0 mm on Human3.6M (x 23.3, y 23.0, z 108.1); on synthetic people there is no published number.
Data: python tools/make_synthetic.py --kind body --num-train 50000 --num-test 2000 --seed 0 --out data/synthetic_body
bash tools/dist_train.sh configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py 4
The test also writes boxes and root joints, work_dirs/rootnet/bbox_root_synthetic_body_output.json:
python tools/test.py configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py CHECKPOINT --out metrics.json
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/rootnet_res50.py',
    '../_base_/schedules/adam-20e.py',
    '../_base_/datasets/synthetic_body.py',
]

train_dataloader = dict(batch_size=32)
val_evaluator = [dict(type='RootPositionError', body_model=_base_.truth_body_model)]
test_evaluator = [
    *val_evaluator,
    dict(type='RootResultFile', out_file='work_dirs/rootnet/bbox_root_synthetic_body_output.json'),
]
default_hooks = dict(checkpoint=dict(save_best='root/MRPE'))
