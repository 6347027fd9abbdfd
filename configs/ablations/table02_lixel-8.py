"""Table 2, xyz lixel heatmaps (ours), 8, 8, 8. Paper (Human3.6M): MPJPE 100.2 mm, 3.4 GB.

Heatmaps as coarse as the feature: a 1x1 convolution to 256 channels stands for the up-sampling.
bash tools/dist_train.sh configs/ablations/table02_lixel-8.py 3
python tools/test.py configs/ablations/table02_lixel-8.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(resolution=(8, 8, 8), num_upsample=0))
