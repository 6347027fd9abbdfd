"""A small 3DPW, raw (Python 2 pickles) and in the release's parsed format, from known truth.

Toy bodies of both genders are posed in a world (z up) and seen by a moving camera; the truth is
their vertices and joints put through each frame's matrix. Parsed translations are made as the
public script that made the parsed files does: about the NEUTRAL model's rest root.
"""

import json
from dataclasses import dataclass, field

import cv2
import numpy as np
from helpers_gendered import pose_body, toy_bodies
from helpers_human36m import look_at, paint_body, project_px
from helpers_official_files import write_python2_pickle
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import SMPL_24

OPENPOSE = (
    *('Nose', 'Neck', 'R_Shoulder', 'R_Elbow', 'R_Wrist', 'L_Shoulder', 'L_Elbow', 'L_Wrist'),
    *('R_Hip', 'R_Knee', 'R_Ankle', 'L_Hip', 'L_Knee', 'L_Ankle', 'R_Eye', 'L_Eye', 'R_Ear'),
    'L_Ear',
)
# split: {sequence: (size px, genders of the actors, number of frames)}
SEQUENCES = {
    'train': {'courtyard_toy_00': ((192, 108), 'm', 3)},
    'validation': {'outdoors_toy_01': ((192, 108), 'f', 2)},
    'test': {
        'downtown_toy_00': ((192, 108), 'mf', 6),
        'office_toy_00': ((108, 192), 'f', 4),
    },
}
INVALID = {  # (sequence, person, frame) without a valid camera
    ('downtown_toy_00', 0, 2),
    ('downtown_toy_00', 1, 2),
    ('downtown_toy_00', 1, 4),
    ('office_toy_00', 0, 0),
}
TRUNCATED = ('downtown_toy_00', 0, 5)  # half of them is outside the picture
OUTSIDE = ('downtown_toy_00', 1, 5)  # all of them is
UNDETECTED = ('downtown_toy_00', 0, 1)  # OpenPose found nobody


@dataclass
class PW3DPerson:
    """What is known of a person in one frame."""

    gender: str
    size_px: tuple[int, int]
    focal_px: np.ndarray
    princpt_px: np.ndarray
    vertices_cam_mm: np.ndarray  # (V, 3)
    joints_cam_mm: np.ndarray  # (24, 3)

    @property
    def joints_px(self):
        return project_px(self.joints_cam_mm, self.focal_px, self.princpt_px)

    @property
    def bbox_px(self):
        """x1 y1 x2 y2 around the joints in the picture, 1.2 times as large; or None."""
        inside = [
            (x, y)
            for x, y in self.joints_px
            if 0 <= x < self.size_px[0] and 0 <= y < self.size_px[1]
        ]
        if len(inside) < 2:
            return None
        x, y = zip(*inside, strict=True)
        width, height = max(x) - min(x), max(y) - min(y)
        left, top = min(x) - 0.1 * width, min(y) - 0.1 * height
        return [left, top, left + 1.2 * width, top + 1.2 * height]


@dataclass
class PW3DTruth:
    """People by (sequence, person, frame), those without a valid camera too."""

    people: dict[tuple[str, int, int], PW3DPerson] = field(default_factory=dict)
    splits: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    annotation_ids: dict[tuple[str, int, int], int] = field(default_factory=dict)  # parsed

    def kept(self, split):
        """Keys of the people with a valid camera, sorted."""
        return sorted(key for key in self.splits[split] if key not in INVALID)


def write_pw3d(root, bodies=None, seed=0, sources=('raw',), splits=tuple(SEQUENCES)):
    """Write ``imageFiles/`` and the annotation files below `root`. -> PW3DTruth

    Args:
        root: New or existing folder.
        bodies: `BodyModelData` by ``'n'``, ``'m'``, ``'f'``; the toy bodies by default.
        seed: Of people and cameras.
        sources: ``'raw'``, ``'parsed'`` or both.
        splits: Some of 'train', 'validation' and 'test'.
    """
    rng, truth, bodies = np.random.default_rng(seed), PW3DTruth(), bodies or toy_bodies()
    for split in splits:
        truth.splits[split] = []
        contents = {}
        for name, (size_px, genders, number) in SEQUENCES[split].items():
            contents[name] = _make_sequence(name, size_px, genders, number, bodies, rng)
            people = contents[name]['people']
            truth.people.update(people)
            truth.splits[split] += list(people)
            _write_pictures(root / 'imageFiles', name, people, number, bodies['n'].faces)
        if 'raw' in sources:
            folder = root / 'sequenceFiles' / split
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                write_python2_pickle(folder / f'{name}.pkl', content['raw'])
        if 'parsed' in sources:
            content = _parsed(contents, bodies, truth)
            (root / f'3DPW_{split}.json').write_text(json.dumps(content))
    return truth


def _make_sequence(name, size_px, genders, number, bodies, rng):
    """People by key, and the content of the raw file."""
    focal = 1.02 * max(size_px) * np.array([1.0, 1.001])
    princpt = np.array(size_px) / 2 + [1.5, -0.5]
    cameras = np.stack([_camera(name, frame, rng) for frame in range(number)])
    people, actors = {}, []
    for actor, gender in enumerate(genders):
        betas = rng.normal(0, 1, 10)
        poses, trans, joints, detections = [], [], [], []
        for frame in range(number):
            key = (name, actor, frame)
            pose = rng.normal(0, 0.2, (24, 3))
            upright = Rotation.from_euler('z', rng.uniform(0, 6)) * Rotation.from_euler(
                'x', np.pi / 2
            )
            pose[0] = upright.as_rotvec()
            place = np.array([-0.7 + 1.4 * actor, 0.1 * frame, 1.2]) + rng.normal(0, 0.05, 3)
            if key == OUTSIDE:
                place[0] -= 9
            vertices, posed, surface = pose_body(bodies[gender], pose, betas, place)
            rotation, translation = cameras[frame, :3, :3], cameras[frame, :3, 3]
            people[key] = PW3DPerson(
                gender=gender,
                size_px=size_px,
                focal_px=focal,
                princpt_px=princpt,
                vertices_cam_mm=1000 * (vertices @ rotation.T + translation),
                joints_cam_mm=1000 * (posed @ rotation.T + translation),
            )
            named = {**surface, **dict(zip(SMPL_24.joint_names, posed, strict=True))}
            points = np.stack([named[joint] for joint in OPENPOSE]) @ rotation.T + translation
            found_px = project_px(points, focal, princpt) + rng.normal(0, 1, (18, 2))
            scores = np.full((18, 1), 0.0 if key == UNDETECTED else 0.8)
            detections.append(np.concatenate([found_px * (scores > 0), scores], axis=1).T)
            poses.append(pose.ravel())
            trans.append(place)
            joints.append(posed.ravel())
        actors.append((gender, betas, poses, trans, joints, detections))
    valid = [
        np.array([(name, actor, frame) not in INVALID for frame in range(number)]).astype(int)
        for actor in range(len(genders))
    ]
    unusable = [f for f in range(number) if not any(flags[f] for flags in valid)]
    stored = cameras.copy()
    stored[unusable] = np.nan
    if name.startswith('office'):  # some files have 300 shape coefficients
        actors = [(g, np.concatenate([b, np.zeros(290)]), *rest) for g, b, *rest in actors]
    raw = {
        'sequence': name,
        'betas': [actor[1] for actor in actors],
        'poses': [np.stack(actor[2]) for actor in actors],
        'trans': [np.stack(actor[3]) for actor in actors],
        'jointPositions': [np.stack(actor[4]) for actor in actors],
        'poses2d': [np.stack(actor[5]) for actor in actors],
        'poses_60Hz': [np.repeat(np.stack(actor[2]), 2, axis=0) for actor in actors],
        'trans_60Hz': [np.repeat(np.stack(actor[3]), 2, axis=0) for actor in actors],
        'genders': [actor[0] for actor in actors],
        'campose_valid': valid,
        'img_frame_ids': 2 * np.arange(number),
        'cam_poses': stored,
        'cam_intrinsics': np.array(
            [[focal[0], 0, princpt[0]], [0, focal[1], princpt[1]], [0, 0, 1.0]]
        ),
        'texture_maps': [],
    }
    return {'people': people, 'raw': raw, 'cameras': cameras, 'actors': actors, 'number': number}


def _camera(name, frame, rng):
    """(4, 4) world to camera, m; a moving one."""
    angle = 0.3 + 0.1 * frame
    eye_mm = np.array([600 * np.sin(angle), -6500.0, 1500]) + rng.normal(0, 50, 3)
    target_mm = np.array([0, 0, 1000.0])
    if (name, frame) == (TRUNCATED[0], TRUNCATED[2]):
        target_mm[0] += 2400
    matrix = np.eye(4)
    matrix[:3, :3], translation_mm = look_at(eye_mm, target_mm)
    matrix[:3, 3] = translation_mm / 1000
    return matrix


def _write_pictures(folder, name, people, number, faces):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for frame in range(number):
        there = [person for key, person in people.items() if key[2] == frame]
        picture = np.full((*there[0].size_px[::-1], 3), 90, np.uint8)
        for i, person in enumerate(there):
            if (person.vertices_cam_mm[:, 2] > 100).all():
                points = project_px(person.vertices_cam_mm, person.focal_px, person.princpt_px)
                paint_body(picture, points, faces, (40, 80 + 90 * i, 200))
        cv2.imwrite(str(folder / name / f'image_{frame:05d}.jpg'), picture)


def _parsed(contents, bodies, truth):
    """Content of ``3DPW_{split}.json``; files were not taken in alphabetical order."""
    images, annotations = [], []
    neutral_regressor = bodies['n'].j_regressor[0]
    for name, content in reversed(contents.items()):
        for frame in range(content['number']):
            image_id = 40 + len(images)
            first = content['people'][name, 0, frame]
            camera = content['cameras'][frame]
            rotation, translation = camera[:3, :3], camera[:3, 3]
            images.append(
                dict(
                    id=image_id,
                    file_name=f'image_{frame:05d}.jpg',
                    sequence=name,
                    frame_idx=frame,
                    width=first.size_px[0],
                    height=first.size_px[1],
                    cam_param=dict(
                        focal=first.focal_px.tolist(), princpt=first.princpt_px.tolist()
                    ),
                )
            )
            for i, (gender, betas, poses, trans, *_) in enumerate(content['actors']):
                person = content['people'][name, i, frame]
                if (name, i, frame) in INVALID or person.bbox_px is None:
                    continue
                pose = np.array(poses[frame]).reshape(24, 3)
                turned = Rotation.from_matrix(rotation) * Rotation.from_rotvec(pose[0])
                pose[0] = turned.as_rotvec()
                shaped = bodies['n'].v_template + bodies['n'].shapedirs @ betas[:10]
                root = neutral_regressor @ shaped
                box = person.bbox_px
                annotation_id = 7 + len(annotations)
                truth.annotation_ids[name, i, frame] = annotation_id
                annotations.append(
                    dict(
                        id=annotation_id,
                        image_id=image_id,
                        person_id=i,
                        joint_cam=(person.joints_cam_mm / 1000).tolist(),
                        joint_img=person.joints_px.tolist(),
                        smpl_param=dict(
                            shape=betas[:10].tolist(),
                            pose=pose.ravel().tolist(),
                            trans=(
                                rotation @ trans[frame] + translation - root + rotation @ root
                            ).tolist(),
                            gender={'m': 'male', 'f': 'female'}[gender],
                        ),
                        bbox=[box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    )
                )
    return {'images': images, 'annotations': annotations}
