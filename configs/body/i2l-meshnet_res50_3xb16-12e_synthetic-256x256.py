"""I2L-MeshNet on bodies, the paper's network and recipe, on synthetic people of the open body.

The paper reaches 55.7 / 41.7 mm (MPJPE / PA-MPJPE) on Human3.6M with it; on synthetic people there is no
published number. Data: python tools/make_synthetic.py --kind body --num-train 50000 --num-test 2000 \
    --seed 0 --out data/synthetic_body
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py 3
"""

_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/i2l-meshnet_res50.py',
    '../_base_/schedules/adam-12e.py',
    '../_base_/datasets/synthetic_body.py',
]
