"""Table 6, I2L-MeshNet + SMPL regress (ours). Paper (3DPW): MPJPE 100.0, PA-MPJPE 60.0 mm.

The numbers are param_joint/MPJPE and param_joint/PA-MPJPE, joint/... is the mesh that they are regressed from.
FIRST_STAGE is a checkpoint of table06_mesh.py.
bash tools/dist_train.sh configs/ablations/table06_smpl-regress.py 3 --cfg-options load_from=FIRST_STAGE
python tools/test.py configs/ablations/table06_smpl-regress.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-5e_h36m-muco-coco-256x256_smpl.py'
