"""Table 10, lixel heatmaps (ours), 8, 8, 8. Paper (Human3.6M): MPJPE 100.2 mm, 3.4 GB.

bash tools/dist_train.sh configs/ablations/table10_lixel-8.py 3
python tools/test.py configs/ablations/table10_lixel-8.py CHECKPOINT --out metrics.json
"""

_base_ = 'table02_lixel-8.py'
