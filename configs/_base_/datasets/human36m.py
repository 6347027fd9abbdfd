"""Human3.6M below data/Human36M/, as tools/dataset_converters/human36m.py writes it; its README tells more.

Ingredients of a config, which adds pipelines and body models. The paper tests on every 64th frame of S9 and S11 in the
frontal camera; 14 joints that Human3.6M's regressor takes from the mesh, against the annotated ones.
"""

human36m_train = dict(
    type='Human36MMeshDataset',
    data_root='data/Human36M/',
    data_prefix=dict(img='images/'),
    ann_file='train.npz',
    protocol='h36m/train',
)
human36m_test = dict(human36m_train, ann_file='test.npz', protocol='h36m/paper', test_mode=True)
human36m_metrics = [
    dict(type='MeshJointError', protocol='h36m/paper'),
    dict(type='MeshJointError', protocol='h36m/paper', prediction='posenet'),  # Table 12
]
