"""A small FreiHAND as downloaded, or as the release parsed it, from known truth.

The toy hand stands for MANO. As in the data set the joints are the model's centres of rotation and
the finger tips its vertices, in metres; images are 224 x 224, and image i of training shows hand
``i % unique`` on one of 4 backgrounds.
"""

import json
from dataclasses import dataclass

import cv2
import freihand
import numpy as np
import torch
from helpers_converters import Converter
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BodyModel

SIZE = 224
BACKGROUNDS = 4
TRUNCATED = 1  # this hand reaches out of the image
ORDER = (  # of the joints in *_xyz.json
    *('Wrist', 'Thumb1', 'Thumb2', 'Thumb3', 'Thumb4', 'Index1', 'Index2', 'Index3', 'Index4'),
    *('Middle1', 'Middle2', 'Middle3', 'Middle4', 'Ring1', 'Ring2', 'Ring3', 'Ring4'),
    *('Pinky1', 'Pinky2', 'Pinky3', 'Pinky4'),
)


@dataclass
class FreihandTruth:
    """By number of the hand: vertices and joints in camera mm, projections, camera, parameters."""

    vertices_cam_mm: np.ndarray  # (U, V, 3)
    joints_cam_mm: np.ndarray  # (U, 21, 3) in `ORDER`
    vertices_px: np.ndarray  # (U, V, 2)
    joints_px: np.ndarray  # (U, 21, 2)
    focal: np.ndarray  # (U, 2)
    princpt: np.ndarray  # (U, 2)
    pose: np.ndarray  # (U, 48), the mean hand not included
    betas: np.ndarray  # (U, 10)
    transl_m: np.ndarray  # (U, 3)
    faces: np.ndarray
    paths: list[str]  # of the images, in order

    def __len__(self):
        return len(self.pose)

    def box(self, hand):
        """x1 y1 x2 y2 of the projected mesh."""
        points = self.vertices_px[hand]
        return np.concatenate([points.min(0), points.max(0)])


def pose_hands(num, seed=0):
    """`num` toy hands in front of their cameras."""
    rng = np.random.default_rng(seed)
    body = BodyModel(toy_body_data('hand'))
    pose = rng.normal(0, 0.3, (num, 16, 3)).astype(np.float32)
    pose[:, 0] = rng.normal([np.pi / 2, 0, 0], 0.3, (num, 3))  # palm across the line of sight
    betas = rng.normal(0, 1, (num, 10)).astype(np.float32)
    transl = rng.normal([0.08, 0, 0.8], 0.02, (num, 3)).astype(np.float32)
    transl[TRUNCATED::7] += np.array([0.1, 0.08, 0], np.float32)
    focal = rng.uniform(470, 490, (num, 2))
    princpt = SIZE / 2 + rng.normal(0, 3, (num, 2))
    posed = body(*(torch.from_numpy(array) for array in (pose, betas, transl)))
    vertices, centres = posed.vertices_m.double().numpy(), posed.lbs_joints_m.double().numpy()
    data = toy_body_data('hand')
    joints = np.stack(
        [
            vertices[:, data.vertex_ids[name]]
            if name.endswith('4')
            else centres[:, data.posed_joints.index(name)]
            for name in ORDER
        ],
        axis=1,
    )

    def project(points):
        return points[..., :2] / points[..., 2:] * focal[:, None] + princpt[:, None]

    return FreihandTruth(
        vertices_cam_mm=1000 * vertices,
        joints_cam_mm=1000 * joints,
        vertices_px=project(vertices),
        joints_px=project(joints),
        focal=focal,
        princpt=princpt,
        pose=pose.reshape(num, 48),
        betas=betas,
        transl_m=transl,
        faces=data.faces,
        paths=[],
    )


def write_freihand(root, form='raw', split='train', published=True, unique=3, seed=0):
    """Write one split below `root`. -> FreihandTruth

    Args:
        root: New or existing folder.
        form: 'raw' or 'parsed'.
        split: 'train' or 'eval'.
        published: Whether the raw evaluation annotations are there; the parsed form has none.
        unique: Number of hands; training has 4 images of each, evaluation one.
        seed: Of the hands; evaluation draws others than training.
    """
    truth = pose_hands(unique, seed + 100 * (split == 'eval'))
    folder = {'train': 'training', 'eval': 'evaluation'}[split]
    (root / folder / 'rgb').mkdir(parents=True)
    for i in range(unique * (BACKGROUNDS if split == 'train' else 1)):
        truth.paths.append(f'{folder}/rgb/{i:08d}.jpg')
        cv2.imwrite(str(root / truth.paths[-1]), _picture(truth, i % unique, i // unique))
    if form == 'parsed':
        _write_parsed(root, truth, split)
        return truth
    files = {'K': _intrinsics(truth), 'scale': [0.03] * unique}
    if split == 'train' or published:
        files['xyz'] = (truth.joints_cam_mm / 1000).tolist()
        files['verts'] = (truth.vertices_cam_mm / 1000).tolist()
        files['mano'] = _mano(truth)
    for name, content in files.items():
        (root / f'{folder}_{name}.json').write_text(json.dumps(content))
    return truth


def _intrinsics(truth):
    matrices = np.tile(np.eye(3), (len(truth), 1, 1))
    matrices[:, [0, 1], [0, 1]] = truth.focal
    matrices[:, :2, 2] = truth.princpt
    return matrices.tolist()


def _mano(truth):
    """(U, 1, 61): pose, shape, and the middle knuckle by pixel and f / Z."""
    f = truth.focal.mean(1, keepdims=True)
    knuckle = truth.joints_cam_mm[:, ORDER.index('Middle1')] / 1000
    scale = f / knuckle[:, 2:]
    uv = knuckle[:, :2] * scale + truth.princpt
    return np.concatenate([truth.pose, truth.betas, uv, scale], 1)[:, None].tolist()


def _write_parsed(root, truth, split):
    images, annotations, data = [], [], {}
    for i, path in enumerate(truth.paths):
        hand = i % len(truth)
        images.append(dict(id=i, file_name=path, width=SIZE, height=SIZE, db_idx=hand))
        x1, y1, x2, y2 = truth.box(hand)
        annotations.append(dict(id=i, image_id=i, bbox=[x1, y1, x2 - x1, y2 - y1]))
    for hand in range(len(truth)):
        entry = dict(
            cam_param=dict(focal=truth.focal[hand].tolist(), princpt=truth.princpt[hand].tolist())
        )
        if split == 'train':
            parameters = dict(pose=truth.pose, shape=truth.betas, trans=truth.transl_m)
            entry['mano_param'] = {name: a[hand].tolist() for name, a in parameters.items()}
            entry['joint_3d'] = (truth.joints_cam_mm[hand] / 1000).tolist()
        else:
            entry['scale'] = 0.03
        data[str(hand)] = entry
    coco = dict(images=images, annotations=annotations)
    (root / f'freihand_{split}_coco.json').write_text(json.dumps(coco))
    (root / f'freihand_{split}_data.json').write_text(json.dumps(data))


def silhouette(truth, hand, size=SIZE):
    """(size, size) uint8, 255 where the mesh is."""
    mask = np.zeros((size, size), np.uint8)
    for triangle in np.rint(truth.vertices_px[hand][truth.faces]).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 255)
    return mask


def _picture(truth, hand, background):
    """The hand in skin colour on a ramp of another colour for each background."""
    ramp = np.linspace(40, 200, SIZE).astype(np.uint8)
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[..., background % 3] = ramp
    picture[silhouette(truth, hand) > 0] = (120, 150, 220)
    return picture


def freihand_converter(root, split='train', model=True):
    """Writes ``root/out.npz``; `model` says whether the command line names the hand model."""
    root.mkdir(exist_ok=True)
    if not (root / 'mano.npz').exists():
        save_toy_model(root / 'mano.npz', 'hand')
    body_model = ('--body-model', str(root / 'mano.npz')) if model else ()
    return Converter(freihand, root, '--split', split, *body_model)
