"""The release's seven loss terms: Eqs. 8 and 9 against the fitted AND the annotated joints.

Its authors report better 3D pose and less smooth meshes than with five.
bash tools/dist_train.sh configs/body/i2l-meshnet_res50_3xb16-12e_synthetic-256x256_7-terms.py 3
"""

_base_ = 'i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'

model = dict(joint_targets=('fitted', 'annotated'))
