"""MSCOCO below data/coco/, as tools/dataset_converters/coco.py writes it: an ingredient, for training alone."""

coco_train = dict(
    type='COCOMeshDataset',
    data_root='data/coco/',
    ann_file='train.npz',
    protocol='coco/train',
)
