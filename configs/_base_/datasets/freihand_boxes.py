"""Boxes and masks of FreiHAND's hands (`tools/dataset_converters/freihand.py --coco-out`): ingredients of a config."""

boxes_root = 'data/freihand/'
hands = dict(
    data_root=boxes_root,
    data_prefix=dict(img=''),
    metainfo=dict(classes=('hand',), palette=[(220, 120, 60)]),
)
train_boxes = dict(**hands, ann_file='train_hands.json')
test_boxes = dict(**hands, ann_file='eval_hands.json')
test_boxes_file = boxes_root + test_boxes['ann_file']
