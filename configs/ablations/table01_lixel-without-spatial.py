"""Table 1, lixel heatmaps without spatial layout. Paper (Human3.6M): MPJPE 92.6 mm, 82M parameters, 4.5 GB.

Two fully connected layers with 384 channels a lixel between them, which the paper leaves open: 81.9M parameters.
bash tools/dist_train.sh configs/ablations/table01_lixel-without-spatial.py 3
python tools/test.py configs/ablations/table01_lixel-without-spatial.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='DenseLixelHead'))
