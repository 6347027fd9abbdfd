"""MuCo-3DHP below data/MuCo/, as tools/dataset_converters/muco.py writes it: an ingredient, for training alone."""

muco_train = dict(
    type='MuCo3DHPMeshDataset',
    data_root='data/MuCo/',
    data_prefix=dict(img='data/'),
    ann_file='train.npz',
    protocol='muco/train',
)
