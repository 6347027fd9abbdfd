"""A tiny mesh network with pictures of people whose truth is known, and an oracle in its place."""

from __future__ import annotations

import numpy as np
import torch
from helpers_runs import BODY_CONFIG, HAND_CONFIG, TINY_PX, make_project, tiny_config
from mmengine.structures import InstanceData

from i2l_plugin.apis.inference.loading import init_model
from i2l_plugin.models.decoding import LixelEstimate, add_predictions, read_frame

IMAGE_SIZE = (320, 240)
PADDING = 1.25  # of the shipped configs
LIXELS = TINY_PX // 4


def tiny_network(folder, kind='body', seed=0):
    """A shipped config shrunk on the toy body, random weights; its project is below `folder`."""
    project = folder / f'project_{kind}'
    if not project.exists():
        make_project(project, kind, people=2)
    config = tiny_config(HAND_CONFIG if kind == 'hand' else BODY_CONFIG, project)
    torch.manual_seed(seed)
    return init_model(config, device='cpu')


class People:
    """Posed toy bodies before one camera, all in view.

    Attributes:
        vertices_mm, joints_mm: (N, V, 3), (N, J, 3) in camera space.
        focal_px, princpt_px: (2,).
        bbox_px: (N, 4) around the meshes.
        root_depths_mm: (N,).
    """

    def __init__(self, body_model, n=2, seed=0, kind='body'):
        rng = np.random.default_rng(seed)
        depth_mm, spread_mm = (5000.0, 500.0) if kind == 'body' else (700.0, 60.0)
        pose = rng.normal(0, 0.2, (n, body_model.num_pose, 3))
        pose[:, 0, 0] += np.pi  # the model's y points up, the camera's down
        transl_mm = rng.normal([0, 0, depth_mm], spread_mm, (n, 3))
        betas = rng.normal(0, 1, (n, 10))
        fields = (torch.from_numpy(a).float() for a in (pose, betas, transl_mm))
        self.vertices_mm, self.joints_mm = (t.numpy() for t in body_model.pose_cam_mm(*fields))
        self.focal_px, self.princpt_px = np.array([400.0, 420.0]), np.array([165.0, 118.0])
        xy = self.project(self.vertices_mm)
        self.bbox_px = np.concatenate([xy.min(1), xy.max(1)], axis=1).astype(np.float32)
        self.root_depths_mm = self.joints_mm[:, body_model.joint_set.root, 2]

    def project(self, points_mm):
        """(..., 3) mm to (..., 2) px."""
        return points_mm[..., :2] / points_mm[..., 2:] * self.focal_px + self.princpt_px

    @property
    def camera(self):
        return dict(focal_px=self.focal_px, princpt_px=self.princpt_px)


class Oracle:
    """Stands for a network that knows the truth: what it says is computed from scratch.

    Its crop is that of the paper in closed form, not the pipeline's: the box cut to the picture,
    grown to a square and by 1.25, at the size of the input. People are told apart by their boxes.
    """

    def __init__(self, model, people):
        self.model, self.people = model, people
        self.batches = []

    def __call__(self, packed):
        samples = [crop['data_samples'] for crop in packed]
        self.batches.append(len(samples))
        numbers = [self.find(sample.gt_instances.bboxes[0]) for sample in samples]
        vertices, joints = (
            torch.tensor(
                np.stack([self.lixels(i, points[i]) for i in numbers]), dtype=torch.float32
            )
            for points in (self.people.vertices_mm, self.people.joints_mm)
        )
        estimate = LixelEstimate(vertices, torch.ones_like(vertices), joints)
        fields = self.model.decode(estimate, read_frame(samples, torch.device('cpu')))
        return add_predictions(samples, fields)

    def find(self, bbox_px):
        return int(np.abs(self.cut_boxes() - bbox_px).sum(1).argmin())

    def cut_boxes(self):
        width, height = IMAGE_SIZE
        limit = np.array([width, height, width, height]) - 1
        return np.clip(self.people.bbox_px, 0, limit)

    def lixels(self, number, points_mm):
        """(N, 3) of points of a person."""
        x1, y1, x2, y2 = self.cut_boxes()[number]
        side = PADDING * max(x2 - x1, y2 - y1)
        corner = np.array([(x1 + x2 - side) / 2, (y1 + y2 - side) / 2])
        xy = (self.people.project(points_mm) - corner) / side * LIXELS
        range_mm = self.model.codec.depth_range_mm
        z = ((points_mm[:, 2:] - self.people.root_depths_mm[number]) / range_mm + 0.5) * LIXELS
        return np.concatenate([xy, z], axis=1)


def noise_picture(seed=0, size=IMAGE_SIZE):
    """(H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def fields_of(instances: InstanceData):
    """Every array of `pred_instances` by name."""
    return {name: np.asarray(value) for name, value in instances.items()}


def tiny_detector(folder, classes=('dog', 'person'), name='tiny_detector'):
    """RTMDet-tiny at 96 px, random but sure of its second class: config and checkpoint files."""
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules

    from i2l_plugin.apis.inference.detection import find_config
    from i2l_plugin.apis.inference.loading import build_network

    register_all_modules(init_default_scope=False)
    config, _ = find_config('rtmdet_tiny_8xb32-300e_coco')
    config.model.bbox_head.num_classes = len(classes)
    config.model.backbone.init_cfg = None
    for step in config.test_dataloader.dataset.pipeline:
        step.update({key: (96, 96) for key in ('scale', 'size') if key in step})
    torch.manual_seed(0)
    model = build_network(config, MODELS, None, 'cpu')
    for cls, reg in zip(model.bbox_head.rtm_cls, model.bbox_head.rtm_reg, strict=True):
        cls.bias.data = torch.tensor([-1.0, 1.0])
        reg.bias.data[:] = 3.0  # strides from the middle of a box to its sides
    paths = folder / f'{name}.py', folder / f'{name}.pth'
    config.dump(paths[0])
    meta = {'dataset_meta': {'classes': tuple(classes)}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, paths[1])
    return tuple(map(str, paths))
