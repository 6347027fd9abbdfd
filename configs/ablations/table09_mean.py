"""Table 9, average pooling (ours). Paper (Human3.6M): MPJPE 86.2, PA-MPJPE 59.8 mm.

bash tools/dist_train.sh configs/ablations/table09_mean.py 3
python tools/test.py configs/ablations/table09_mean.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'
