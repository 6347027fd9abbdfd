"""Fig. 4, without the edge loss (Eq. 12).

The paper shows meshes (Human3.6M + MSCOCO) and says that both losses hardly change MPJPE and PA-MPJPE.
bash tools/dist_train.sh configs/ablations/figure04_without-edge.py 3
python tools/test.py configs/ablations/figure04_without-edge.py CHECKPOINT --out metrics.json
"""

_base_ = '../body/i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256.py'

model = dict(surface_loss=dict(edge_weight=0.0))
