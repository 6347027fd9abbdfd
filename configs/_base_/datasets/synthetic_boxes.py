"""Boxes of synthetic scenes (`tools/make_synthetic.py --kind scenes --out data/synthetic_scenes`): ingredients of a config."""

boxes_root = 'data/synthetic_scenes/'
people = dict(
    data_root=boxes_root,
    data_prefix=dict(img=''),
    metainfo=dict(classes=('person',), palette=[(220, 20, 60)]),
)
train_boxes = dict(**people, ann_file='train_coco.json')
test_boxes = dict(**people, ann_file='test_coco.json')
test_boxes_file = boxes_root + test_boxes['ann_file']
