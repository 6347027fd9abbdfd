"""Table 9, weighted sum. Paper (Human3.6M): MPJPE 89.4, PA-MPJPE 61.4 mm.

Convolutions with kernels of all rows and of all columns, from 256 channels to as many.
bash tools/dist_train.sh configs/ablations/table09_weighted.py 3
python tools/test.py configs/ablations/table09_weighted.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(mesh_head=dict(marginalise='weighted'))
