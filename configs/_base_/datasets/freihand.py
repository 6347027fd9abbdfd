"""FreiHAND below data/freihand/, as tools/dataset_converters/freihand.py writes it: ingredients of a config.

The scores are the official tool's, by its names, in cm.
"""

freihand_root = 'data/freihand/'
freihand_train = dict(
    type='FreiHANDMeshDataset',
    data_root=freihand_root,
    ann_file='train.npz',
    protocol='freihand/train',
)
freihand_test = dict(freihand_train, ann_file='eval.npz', protocol='freihand/paper', test_mode=True)
freihand_score = dict(type='FreiHANDScore', protocol='freihand/paper')
freihand_posenet = dict(type='MeshJointError', protocol='freihand/paper', prediction='posenet')
