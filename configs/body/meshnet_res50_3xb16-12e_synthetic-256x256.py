"""MeshNet alone: no PoseNet (first row of Table 3: 86.2 / 59.8 mm on Human3.6M, 73M parameters).

bash tools/dist_train.sh configs/body/meshnet_res50_3xb16-12e_synthetic-256x256.py 3
"""

_base_ = 'i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'

model = dict(pose_head=None, pose_to_feature=None, mesh_backbone=None)
