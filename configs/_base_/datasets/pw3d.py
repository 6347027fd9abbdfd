"""3DPW below data/3DPW/, as tools/dataset_converters/pw3d.py writes it: an ingredient, for testing alone.

The truth is the mesh of the person's own gender. The paper takes 14 joints of it by Human3.6M's regressor; other papers
take SMPL's own 24 joints: both are reported.
"""

pw3d_test = dict(
    type='PW3DMeshDataset',
    data_root='data/3DPW/',
    data_prefix=dict(img='imageFiles/'),
    ann_file='test.npz',
    protocol='3dpw/paper',
    test_mode=True,
)
pw3d_metrics = [
    dict(type='MeshJointError', protocol='3dpw/paper'),
    dict(type='MeshJointError', protocol='3dpw/paper', prediction='posenet'),  # Table 12
    dict(type='MeshJointError', protocol='3dpw/smpl-joints', prefix='smpl_joint'),
]
