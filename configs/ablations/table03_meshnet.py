"""Table 3, MeshNet alone. Paper (Human3.6M): MPJPE 86.2, PA-MPJPE 59.8 mm; 73M parameters (Table 1).

The picture goes through one trunk; the base of Tables 1, 2, 8, 9 and 10, whose rows all leave PoseNet out.
bash tools/dist_train.sh configs/ablations/table03_meshnet.py 3
python tools/test.py configs/ablations/table03_meshnet.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py'

model = dict(pose_head=None, pose_to_feature=None, mesh_backbone=None)
