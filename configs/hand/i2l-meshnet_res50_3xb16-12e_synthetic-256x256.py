"""I2L-MeshNet on right hands, the paper's network and recipe, on synthetic hands of the open hand.

The paper reaches PA-MPVPE 7.6, PA-MPJPE 7.4 mm, F@5 0.681, F@15 0.973 on FreiHAND with it; on synthetic hands
there is no published number. Data: python tools/make_synthetic.py --kind hand --num-train 50000 \
    --num-test 2000 --seed 0 --out data/synthetic_hand
bash tools/dist_train.sh configs/hand/i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py 3
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/i2l-meshnet_res50.py',
    '../_base_/schedules/adam-12e.py',
    '../_base_/datasets/synthetic_hand.py',
]

model = dict(codec=dict(depth_range_mm=300), body_model=dict(kind='hand'))
visualizer = dict(body_model=dict(kind='hand'))
