"""Annotation records of the toy body in front of a camera, with pictures that show where it is."""

import cv2
import numpy as np
import torch
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BodyModel, get_joint_set
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.geometry.camera import project

IMAGE_SIZE = (320, 240)
ANNOTATED = {'body': 'h36m_17', 'hand': 'hand_21'}

TRAIN_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='RandomMirror', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomScaleRotate', scale=0.25, rotation=60.0, rotate_prob=0.6, law='truncated'),
    dict(type='TopdownAffine', input_size=(256, 256)),
    dict(type='ColorScale', factor=0.2),
    dict(type='PackMeshInputs'),
]


def toy_columns(kind='body', n=3, seed=0, image_size=IMAGE_SIZE):
    """Keyword arguments of `AnnotationRecord.create`: n posed persons, all valid."""
    rng = np.random.default_rng(seed)
    body = BodyModel(toy_body_data(kind))
    joint_set = get_joint_set(ANNOTATED[kind])
    depth_m = 5.0 if kind == 'body' else 0.7
    pose = rng.normal(0, 0.3, (n, body.num_pose, 3))
    pose[:, 0, 0] += np.pi  # the model's y points up, the camera's down
    columns = {
        'pose': pose.astype(np.float32),
        'betas': rng.normal(0, 1, (n, 10)).astype(np.float32),
        'transl_m': rng.normal([0, 0, depth_m], 0.1, (n, 3)).astype(np.float32),
        'focal_px': rng.uniform(450, 550, (n, 2)).astype(np.float32),
        'princpt_px': (np.array(image_size) / 2 + rng.normal(0, 5, (n, 2))).astype(np.float32),
    }
    tensors = {name: torch.from_numpy(array) for name, array in columns.items()}
    vertices, _ = body.pose_cam_mm(tensors['pose'], tensors['betas'], 1000 * tensors['transl_m'])
    joints = body.regressor(joint_set.name) @ vertices
    joints_img = project(joints, tensors['focal_px'], tensors['princpt_px']).numpy()
    extent = project(vertices, tensors['focal_px'], tensors['princpt_px'])[..., :2].numpy()
    return {
        'kind': kind,
        'joint_names': joint_set.joint_names,
        **columns,
        'sample_id': np.arange(n) + 100,
        'image_id': np.arange(n),
        'image_path': [f'images/{i}.png' for i in range(n)],
        'image_size_px': np.tile(image_size, (n, 1)),
        'bbox_px': np.concatenate([extent.min(1), extent.max(1)], axis=1),
        'fit_valid': np.ones(n, bool),
        'joints_cam_mm': joints.numpy(),
        'joints_px': joints_img[..., :2],
        'joints_valid': np.ones((n, len(joint_set)), bool),
        'has_depth': np.ones(n, bool),
        'root_depth_mm': joints[:, joint_set.root, 2].numpy(),
    }


def save_toy_record(folder, changes=None, image=None, **options):
    """Write ``folder/record.npz`` and its images; `changes` replaces columns. -> the columns."""
    columns = {**toy_columns(**options), **(changes or {})}
    AnnotationRecord.create(**columns).save(folder / 'record.npz')
    (folder / 'images').mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    for path, (width, height) in zip(columns['image_path'], columns['image_size_px'], strict=True):
        noise = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        picture = cv2.resize(noise, (width, height)) if image is None else image
        cv2.imwrite(str(folder / path), picture)
    return columns
