"""Table 11, with the pose loss of MeshNet (ours). Paper (Human3.6M): MPJPE 81.8, PA-MPJPE 58.0 mm.

bash tools/dist_train.sh configs/ablations/table11_with-pose-loss.py 3
python tools/test.py configs/ablations/table11_with-pose-loss.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py'
