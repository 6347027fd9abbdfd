"""Table 2, xyz lixel heatmaps (ours), 64, 64, 64. Paper (Human3.6M): MPJPE 86.2 mm, 4.6 GB.

bash tools/dist_train.sh configs/ablations/table02_lixel-64.py 3
python tools/test.py configs/ablations/table02_lixel-64.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'
