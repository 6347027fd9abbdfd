"""Table 2, xyz lixel heatmaps (ours), 32, 32, 32. Paper (Human3.6M): MPJPE 94.8 mm, 4.0 GB.

Two up-samplings.
bash tools/dist_train.sh configs/ablations/table02_lixel-32.py 3
python tools/test.py configs/ablations/table02_lixel-32.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(resolution=(32, 32, 32), num_upsample=2))
