"""Table 1, lixel heatmaps (ours). Paper (Human3.6M): MPJPE 86.2 mm, 73M parameters, 4.6 GB.

bash tools/dist_train.sh configs/ablations/table01_lixel.py 3
python tools/test.py configs/ablations/table01_lixel.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'
