"""Table 2, xyz voxel heatmaps, 16x16x16. Paper (Human3.6M): out of memory (12 GB).

One up-sampling.
bash tools/dist_train.sh configs/ablations/table02_voxel-16.py 3
python tools/test.py configs/ablations/table02_voxel-16.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='VoxelHead', resolution=(16, 16, 16), num_upsample=1))
