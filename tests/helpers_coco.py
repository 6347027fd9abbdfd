"""A small MSCOCO as downloaded (person keypoints, images) with the release's SMPL fits, from truth.

Every annotated joint is a joint of the toy body projected by its camera. Each case that the
converter must tell apart occurs; `CASES` names them.
"""

import json
from dataclasses import dataclass, field

import coco
import cv2
import numpy as np
import torch
from helpers_converters import Converter
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BodyModel

KEYPOINTS = (  # as `categories` of the files names them
    *('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder'),
    *('right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip'),
    *('right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
)
SIZES = ((160, 120), (120, 160), (200, 150), (128, 128))  # of the images, in turn
CASES = {  # annotation id: (image index, case)
    183126: (0, 'fit'),
    183127: (0, 'fit'),  # a second person of the same image
    900100000001: (0, 'crowd'),
    200010: (1, 'wrong_fit'),
    200011: (1, 'no_keypoints'),
    45: (2, 'no_fit'),
    46: (2, 'truncated'),
    47: (2, 'no_area'),
    1300: (3, 'hidden_hip'),
    1301: (4, 'fit'),
    1302: (5, 'no_fit'),
    1303: (5, 'fit'),
    1304: (6, 'fit'),
    1305: (7, 'fit'),
}
DROPPED = ('crowd', 'no_keypoints', 'no_area')
WITHOUT_FIT = ('no_fit', *DROPPED)


@dataclass
class CocoTruth:
    """What is known by annotation id; names as the plugin's (``L_Hip``)."""

    cases: dict[int, str]
    image_ids: dict[int, int]
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)  # by image id
    boxes_xywh: dict[int, list[float]] = field(default_factory=dict)
    joints_px: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)  # annotated ones
    fit_vertices_cam_mm: dict[int, np.ndarray] = field(default_factory=dict)  # (V, 3)
    fit_joints_px: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    cameras: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def ids(self, *cases):
        """Annotation ids of these cases, in file order."""
        return [i for i, case in self.cases.items() if case in cases]

    @property
    def kept(self):
        """Ids of the people that a record holds, in file order."""
        return [i for i, case in self.cases.items() if case not in DROPPED]


def plugin_name(coco_name):
    """``left_eye`` -> ``L_Eye``."""
    side, _, rest = coco_name.rpartition('_')
    return {'left': 'L_', 'right': 'R_', '': ''}[side] + rest.capitalize()


def write_coco(root, split='train', fits=True, seed=0, cases=None):
    """Write ``annotations/`` and ``{split}2017/`` below `root`. -> CocoTruth

    Args:
        root: New or existing folder.
        split: 'train' or 'val'; only 'train' has fits.
        fits: Whether to write ``coco_smplifyx_train.json``.
        seed: Of poses and cameras.
        cases: Instead of `CASES`.
    """
    rng = np.random.default_rng(seed)
    cases = cases or CASES
    image_ids = {i: 391895 + 7 * image for i, (image, _) in cases.items()}
    truth = CocoTruth({i: case for i, (_, case) in cases.items()}, image_ids)
    body = BodyModel(toy_body_data())
    annotations, fitted, pictures = [], {}, {}
    for i, (image, case) in cases.items():
        width, height = truth.sizes.setdefault(image_ids[i], SIZES[image % len(SIZES)])
        blank = np.full((height, width, 3), 90 + 20 * (image % 8), np.uint8)
        picture = pictures.setdefault(image_ids[i], blank)
        person = _Person(body, (width, height), case, rng)
        person.draw(picture, body.faces.numpy())
        annotations.append(person.annotation(i, image_ids[i]))
        truth.joints_px[i] = person.annotated
        truth.boxes_xywh[i] = annotations[-1]['bbox']
        if case not in WITHOUT_FIT:
            fitted[str(i)] = person.fit()
            truth.fit_vertices_cam_mm[i] = person.fit_vertices_mm
            truth.fit_joints_px[i] = person.fit_joints
            truth.cameras[i] = (person.focal, person.princpt)

    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    (root / f'{split}2017').mkdir(exist_ok=True)
    images = []
    for image_id, picture in pictures.items():
        name = f'{image_id:012d}.jpg'
        cv2.imwrite(str(root / f'{split}2017' / name), picture)
        height, width = picture.shape[:2]
        images.append(dict(license=4, file_name=name, height=height, width=width, id=image_id))
    category = dict(supercategory='person', id=1, name='person', keypoints=list(KEYPOINTS))
    content = dict(info={}, licenses=[], images=images, annotations=annotations)
    file = root / 'annotations' / f'person_keypoints_{split}2017.json'
    file.write_text(json.dumps({**content, 'categories': [category]}))
    if fits and split == 'train':
        (root / 'annotations/coco_smplifyx_train.json').write_text(json.dumps(fitted))
    return truth


class _Person:
    """One posed body, its camera, and what COCO and the fits would say of it."""

    def __init__(self, body, size, case, rng):
        self.size, self.case = np.array(size, float), case
        focal = rng.uniform(1.2, 1.6) * min(size)
        self.focal = np.array([focal, focal * rng.uniform(0.98, 1.02)])
        self.princpt = self.size / 2 + rng.normal(0, 3, 2)
        self.pose = rng.normal(0, 0.25, (24, 3)).astype(np.float32)
        self.pose[0, 0] += np.pi  # the model's y points up, the camera's down
        self.betas = rng.normal(0, 1, 10).astype(np.float32)
        depth = rng.uniform(2.6, 3.2)
        x = {'truncated': 0.55}.get(case, rng.uniform(-0.15, 0.15)) * depth * size[0] / focal / 2
        self.transl = np.array([x * 1.6, 0.1, depth], np.float32)
        self.names = body.joint_set.joint_names
        vertices, joints = self._posed(body, self.transl)
        self.outline = self._project(vertices)
        self.annotated = self._annotate(self._project(joints))
        if case == 'wrong_fit':
            self.transl = self.transl + np.array([0.5, 0, 0], np.float32)
        self.fit_vertices_mm, joints = self._posed(body, self.transl)
        self.fit_joints = dict(zip(self.names, self._project(joints), strict=True))

    def _posed(self, body, transl):
        parts = (torch.from_numpy(a)[None] for a in (self.pose, self.betas, 1000 * transl))
        vertices, joints = body.pose_cam_mm(*parts)
        return vertices[0].double().numpy(), joints[0].double().numpy()

    def _project(self, points_mm):
        return points_mm[:, :2] / points_mm[:, 2:] * self.focal + self.princpt

    def _annotate(self, joints_px):
        """Joints inside the image by name; a hidden hip is not labelled."""
        named = dict(zip(self.names, joints_px, strict=True))
        hidden = {'hidden_hip': ('L_Hip',), 'no_keypoints': named}.get(self.case, ())
        return {
            name: named[name]
            for name in map(plugin_name, KEYPOINTS)
            if name not in hidden and ((named[name] >= 0) & (named[name] < self.size)).all()
        }

    def annotation(self, i, image_id):
        """As in person_keypoints_*.json: v = 2 visible, 1 labelled only, 0 (x = y = 0) unknown."""
        keypoints = []
        for k, name in enumerate(map(plugin_name, KEYPOINTS)):
            seen = self.annotated.get(name)
            keypoints += [0, 0, 0] if seen is None else [*map(float, seen), 1 + (k % 4 > 0)]
        low = np.clip(self.outline.min(0), 0, self.size)
        high = np.clip(self.outline.max(0), 0, self.size)
        if self.case == 'no_area':
            high[0] = low[0]
        box = [*map(float, low), *map(float, high - low)]
        crowd = self.case == 'crowd'
        flat = [low[0], low[1], high[0], low[1], high[0], high[1]]
        rle = dict(counts=[10, 5, 100], size=[int(self.size[1]), int(self.size[0])])
        return dict(
            segmentation=rle if crowd else [list(map(float, flat))],
            num_keypoints=len(self.annotated),
            area=box[2] * box[3] / 2,
            iscrowd=int(crowd),
            keypoints=keypoints,
            image_id=image_id,
            bbox=box,
            category_id=1,
            id=i,
        )

    def fit(self):
        """As in coco_smplifyx_train.json: metres, camera frame, flat lists."""
        parameters = dict(pose=self.pose.ravel(), shape=self.betas, trans=self.transl)
        camera = dict(focal=self.focal, princpt=self.princpt)
        return dict(
            smpl_param={name: array.tolist() for name, array in parameters.items()},
            cam_param={name: array.tolist() for name, array in camera.items()},
        )

    def draw(self, picture, faces):
        triangles = np.rint(self.outline[faces]).astype(np.int32)
        for triangle in triangles:  # one by one: fillPoly leaves holes where they overlap
            cv2.fillConvexPoly(picture, triangle, (60, 120, 220))


def coco_converter(root, split='train', model=True):
    """Writes ``root/out.npz``; `model` says whether the command line names the body model."""
    if not (root / 'smpl.npz').exists():
        save_toy_model(root / 'smpl.npz')
    body_model = ('--body-model', str(root / 'smpl.npz')) if model else ()
    return Converter(coco, root, '--split', split, *body_model)


def rows_of(record):
    """Row of each person by annotation id."""
    return {int(number): row for row, number in enumerate(record['sample_id'])}
