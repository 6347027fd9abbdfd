"""Table 10, lixel heatmaps (ours), 32, 32, 32. Paper (Human3.6M): MPJPE 94.8 mm, 4.0 GB.

bash tools/dist_train.sh configs/ablations/table10_lixel-32.py 3
python tools/test.py configs/ablations/table10_lixel-32.py CHECKPOINT --out metrics.json
"""

_base_ = 'table02_lixel-32.py'
