"""Table 8, marginalisation on the trunk's feature. Paper (Human3.6M): MPJPE 93.5, PA-MPJPE 64.1 mm, 4.4 GB.

1D up-sampling, each axis with its own.
bash tools/dist_train.sh configs/ablations/table08_feature.py 3
python tools/test.py configs/ablations/table08_feature.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(type='EarlyLixelHead'))
