"""Table 1, xyz coordinates. Paper (Human3.6M): MPJPE 114.3 mm, 117M parameters, 5.4 GB.

Two fully connected layers with 4096 units between them, which the paper leaves open: 116.6M parameters.
bash tools/dist_train.sh configs/ablations/table01_xyz.py 3
python tools/test.py configs/ablations/table01_xyz.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='CoordinateHead'))
