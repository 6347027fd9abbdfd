"""Table 9, max pooling. Paper (Human3.6M): MPJPE 93.5, PA-MPJPE 64.1 mm.

bash tools/dist_train.sh configs/ablations/table09_max.py 3
python tools/test.py configs/ablations/table09_max.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(marginalise='max'))
