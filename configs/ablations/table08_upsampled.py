"""Table 8, marginalisation after the up-sampling (ours). Paper (Human3.6M): MPJPE 86.2, PA-MPJPE 59.8 mm, 4.6 GB.

bash tools/dist_train.sh configs/ablations/table08_upsampled.py 3
python tools/test.py configs/ablations/table08_upsampled.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'
