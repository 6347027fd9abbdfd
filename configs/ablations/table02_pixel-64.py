"""Table 2, xy pixel + z lixel heatmaps, 64x64, 64. Paper (Human3.6M): out of memory (12 GB).

bash tools/dist_train.sh configs/ablations/table02_pixel-64.py 3
python tools/test.py configs/ablations/table02_pixel-64.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='PixelHead'))
