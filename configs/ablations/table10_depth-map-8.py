"""Table 10, 2.5D heatmap, 8x8, 8x8. Paper (Human3.6M): MPJPE 107.4 mm, 3.6 GB.

Heatmaps as coarse as the feature: a 1x1 convolution to 256 channels stands for the up-sampling.
bash tools/dist_train.sh configs/ablations/table10_depth-map-8.py 3
python tools/test.py configs/ablations/table10_depth-map-8.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='DepthMapHead', resolution=(8, 8), num_upsample=0))
