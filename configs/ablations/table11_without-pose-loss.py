"""Table 11, without the pose loss of MeshNet (Eq. 9). Paper (Human3.6M): MPJPE 84.5, PA-MPJPE 58.5 mm.

bash tools/dist_train.sh configs/ablations/table11_without-pose-loss.py 3
python tools/test.py configs/ablations/table11_without-pose-loss.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py'

model = dict(meshnet_pose_loss=False)
