"""Table 6, I2L-MeshNet (ours). Paper (3DPW): MPJPE 93.2, PA-MPJPE 57.7 mm.

bash tools/dist_train.sh configs/ablations/table06_mesh.py 3
python tools/test.py configs/ablations/table06_mesh.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-muco-coco-256x256.py'
