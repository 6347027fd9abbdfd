"""Table 2, xy pixel + z lixel heatmaps, 8x8, 8. Paper (Human3.6M): MPJPE 97.9 mm, 3.5 GB.

Heatmaps as coarse as the feature: a 1x1 convolution to 256 channels stands for the up-sampling.
bash tools/dist_train.sh configs/ablations/table02_pixel-8.py 3
python tools/test.py configs/ablations/table02_pixel-8.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='PixelHead', resolution=(8, 8, 8), num_upsample=0))
