"""Table 10, 2.5D heatmap, 32x32, 32x32. Paper (Human3.6M): MPJPE 100.4 mm, 8.4 GB.

Two up-samplings.
bash tools/dist_train.sh configs/ablations/table10_depth-map-32.py 3
python tools/test.py configs/ablations/table10_depth-map-32.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='DepthMapHead', resolution=(32, 32), num_upsample=2))
