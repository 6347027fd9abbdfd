"""Table 3, PoseNet + MeshNet (ours). Paper (Human3.6M): MPJPE 81.8, PA-MPJPE 58.0 mm.

bash tools/dist_train.sh configs/ablations/table03_cascade.py 3
python tools/test.py configs/ablations/table03_cascade.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py'
