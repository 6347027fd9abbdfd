"""Table 2, xyz voxel heatmaps, 8x8x8. Paper (Human3.6M): MPJPE 102.8 mm, 4.3 GB.

Heatmaps as coarse as the feature: a 1x1 convolution to 256 channels stands for the up-sampling.
bash tools/dist_train.sh configs/ablations/table02_voxel-8.py 3
python tools/test.py configs/ablations/table02_voxel-8.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='VoxelHead', resolution=(8, 8, 8), num_upsample=0))
