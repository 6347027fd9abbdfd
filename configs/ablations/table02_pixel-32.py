"""Table 2, xy pixel + z lixel heatmaps, 32x32, 32. Paper (Human3.6M): MPJPE 89.4 mm, 5.7 GB.

Two up-samplings.
bash tools/dist_train.sh configs/ablations/table02_pixel-32.py 3
python tools/test.py configs/ablations/table02_pixel-32.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='PixelHead', resolution=(32, 32, 32), num_upsample=2))
