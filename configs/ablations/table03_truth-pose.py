"""Table 3, MeshNet fed with the true pose in training and testing. Paper (Human3.6M): MPJPE 25.5, PA-MPJPE 17.1 mm.

PoseNet stays and learns as in the cascade, but its joints are not read. Fed are those of the fitted body, else the
annotated ones; PoseNet's only where neither is known or a joint lies outside of the volume.
bash tools/dist_train.sh configs/ablations/table03_truth-pose.py 3
python tools/test.py configs/ablations/table03_truth-pose.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py'

model = dict(fed_pose='truth')
