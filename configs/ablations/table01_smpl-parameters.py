"""Table 1, SMPL parameters. Paper (Human3.6M): MPJPE 100.3 mm, 91M parameters, 4.3 GB.

Two fully connected layers with 30720 units between them, which the paper leaves open: 91.3M parameters. The losses are
those of HMR and SPIN, which the paper follows here: pose, shape, and joints in space and picture (Eq. 9). Weights are
not told either; with these pose and joints count alike.
bash tools/dist_train.sh configs/ablations/table01_smpl-parameters.py 3
python tools/test.py configs/ablations/table01_smpl-parameters.py CHECKPOINT --out metrics.json
"""

_base_ = 'table03_meshnet.py'

model = dict(
    type='ParameterMeshEstimator',
    mesh_head=dict(type='ParameterHead'),
    surface_loss=None,
    parameter_loss=dict(type='ParameterLoss', pose_weight=10.0),
)
