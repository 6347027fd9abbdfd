"""SURREAL below data/SURREAL/, as tools/dataset_converters/surreal.py writes it: ingredients of a config.

The paper tests on the 493 clips of BodyNet's 507 that show the person. Fits and truth are of the person's own gender.
"""

surreal_train = dict(
    type='SURREALMeshDataset',
    data_root='data/SURREAL/',
    data_prefix=dict(img='images/'),
    ann_file='train.npz',
    protocol='surreal/train',
)
surreal_test = dict(surreal_train, ann_file='test.npz', protocol='surreal/493', test_mode=True)
surreal_metrics = [
    dict(type='MeshVertexError', protocol='surreal/493'),
    dict(type='MeshJointError', protocol='surreal/493'),
    dict(type='MeshJointError', protocol='surreal/493', prediction='posenet'),  # Table 12
]
