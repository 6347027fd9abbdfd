"""Packed samples of the toy body, as `tools/browse_dataset.py` gets them from a data set."""

import numpy as np
from helpers_records import save_toy_record
from helpers_toy_body import toy_body_data
from mmengine.registry import DefaultScope

from i2l_plugin.body_models import BodyModel
from i2l_plugin.datasets import MeshDataset
from i2l_plugin.visualization.crop_truth import CropTruth

TEST_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(256, 256)),
    dict(type='PackMeshInputs'),
]
TURNED_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=1.0),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(
        type='RandomBBoxTransform',
        shift_prob=0.0,
        scale_factor=(0.9, 1.1),
        rotate_factor=60.0,
        rotate_prob=1.0,
    ),
    dict(type='TopdownAffine', input_size=(256, 256)),
    dict(type='PackMeshInputs'),
]


def toy_body(kind='body'):
    return BodyModel(toy_body_data(kind))


def packed_samples(folder, pipeline=TEST_PIPELINE, changes=None, draw_seed=3, **options):
    """The record's columns, and every sample as (inputs, data_sample).

    The toy's limbs are thin, so its pictures are noise: nothing in them matters here.
    """
    columns = save_toy_record(folder, changes, **options)
    kind = options.get('kind', 'body')
    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = MeshDataset(
            ann_file='record.npz',
            data_root=str(folder),
            pipeline=pipeline,
            joint_set={'body': 'body_29', 'hand': 'hand_21'}[kind],
        )
    np.random.seed(draw_seed)  # noqa: NPY002 - the host's transforms draw from it
    packed = [dataset[i] for i in range(len(dataset))]
    return columns, [(item['inputs'], item['data_samples']) for item in packed]


def first_truth(folder, pipeline=TEST_PIPELINE, changes=None, **options):
    """`CropTruth` of the first person."""
    _, samples = packed_samples(folder, pipeline, changes, **{'n': 1, **options})
    return CropTruth.of(*samples[0], toy_body(options.get('kind', 'body')))
