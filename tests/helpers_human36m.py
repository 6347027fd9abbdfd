"""A small Human3.6M in the release's parsed format, from bodies posed in a world with four cameras.

The truth is made without the converter's algebra: the toy body is posed in the world, and its
vertices and joints go through each camera. World: z up, mm. Shape legend: V vertices.
"""

import json
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import H36M_17, BodyModel

SUBJECTS = (1, 5, 6, 7, 8, 9, 11)
SIZE = (100, 96)  # of the images, px
# (action, subaction, frame): how good the fit is. Both splits have each kind.
FRAMES = {
    (2, 1, 0): 'good',
    (2, 1, 3): 'good',  # taken by neither split
    (2, 1, 5): 'far',  # joints far from the fit: beyond 25 mm
    (2, 2, 64): 'missing',
    (2, 2, 70): 'good',
    (16, 1, 128): 'far',
    (16, 1, 320): 'good',
    (16, 2, 10): 'missing',
}
_NOISE_MM = {'good': 4.0, 'far': 40.0, 'missing': 4.0}
_Z_UP = np.array([np.pi / 2, 0, 0])  # the model's y points up, the world's z


@dataclass
class H36MPerson:
    """What is known of one annotation."""

    image_id: int
    file_name: str
    ids: dict[str, int]  # as the record's id_... columns, without the prefix
    fit: str  # as in FRAMES
    bbox_px: np.ndarray  # x1 y1 x2 y2
    focal_px: np.ndarray
    princpt_px: np.ndarray
    vertices_cam_mm: np.ndarray  # (V, 3) of the fit, also where its entry is missing
    joints_cam_mm: np.ndarray  # (17, 3) annotated
    fit_joints_cam_mm: np.ndarray  # (17, 3) regressed from the fit
    betas: np.ndarray


@dataclass
class H36MTruth:
    """All people by annotation id."""

    people: dict[int, H36MPerson] = field(default_factory=dict)

    def selected(self, subjects, steps, cameras):
        """Sorted ids of the people of these subjects, cameras and frames (any of the steps)."""
        return sorted(
            number
            for number, person in self.people.items()
            if person.ids['subject'] in subjects
            and person.ids['camera'] in cameras
            and any(person.ids['frame'] % step == 0 for step in steps)
        )


def look_at(eye_mm, target_mm):
    """Rotation (3, 3) and translation (3,) mm of a camera, x right, y down, z forward; z is up."""
    forward = (target_mm - eye_mm) / np.linalg.norm(target_mm - eye_mm)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return rotation, -rotation @ eye_mm


def paint_body(picture, points_px, faces, color):
    """Fill the outline of a projected mesh; points (V, 2)."""
    triangles = np.clip(np.rint(points_px), -10_000, 10_000).astype(np.int32)[faces]
    for triangle in triangles:
        cv2.fillConvexPoly(picture, triangle, color)


def project_px(points_mm, focal_px, princpt_px):
    """(N, 3) -> (N, 2)."""
    return points_mm[:, :2] / points_mm[:, 2:] * focal_px + princpt_px


def write_human36m(root, data=None, seed=0, subjects=SUBJECTS, frames=None):
    """Write ``annotations/`` and ``images/`` below `root`. -> H36MTruth

    Args:
        root: New or existing folder.
        data: `BodyModelData` of the fits; the toy body by default.
        seed: Of people and cameras.
        subjects: Who there is.
        frames: Instead of `FRAMES`.
    """
    rng = np.random.default_rng(seed)
    data = data or toy_body_data()
    body = BodyModel(data).double()
    truth = H36MTruth()
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        files = _write_subject(root, subject, frames or FRAMES, body, rng, truth)
        for part, content in files.items():
            path = root / 'annotations' / f'Human36M_subject{subject}_{part}.json'
            path.write_text(json.dumps(content))
    return truth


def _write_subject(root, subject, frames, body, rng, truth):
    """Images, and the contents of the four files by name."""
    cameras = _cameras(rng)
    betas = rng.normal(0, 1, 10)
    images, annotations, joints_3d, fits = [], [], {}, {}
    for (action, subaction, frame), quality in frames.items():
        fit, vertices, fit_joints = _posed_in_world(body, betas, rng)
        joints = fit_joints + rng.normal(0, _NOISE_MM[quality], fit_joints.shape)
        entry = joints_3d.setdefault(str(action), {}).setdefault(str(subaction), {})
        entry[str(frame)] = joints.tolist()
        entry = fits.setdefault(str(action), {}).setdefault(str(subaction), {})
        if quality != 'missing':
            entry[str(frame)] = {name: array.tolist() for name, array in fit.items()}
        for camera, parts in cameras.items():
            rotation, translation, focal, princpt = parts
            stem = f's_{subject:02d}_act_{action:02d}_subact_{subaction:02d}_ca_{camera:02d}'
            image_id = 10_000_000 * subject + 500 * len(images) + 7
            annotation_id = image_id - 3
            ids = dict(subject=subject, action=action, subaction=subaction, camera=camera)
            in_camera = [p @ rotation.T + translation for p in (vertices, joints, fit_joints)]
            person = H36MPerson(
                image_id=image_id,
                file_name=f'{stem}/{stem}_{frame + 1:06d}.jpg',
                ids={**ids, 'frame': frame},
                fit=quality,
                bbox_px=np.zeros(4),
                focal_px=focal,
                princpt_px=princpt,
                vertices_cam_mm=in_camera[0],
                joints_cam_mm=in_camera[1],
                fit_joints_cam_mm=in_camera[2],
                betas=betas,
            )
            extent = project_px(in_camera[0], focal, princpt)
            low, high = extent.min(0), extent.max(0)
            person.bbox_px = np.concatenate([low, high])
            truth.people[annotation_id] = person
            images.append(
                dict(
                    id=image_id,
                    file_name=person.file_name,
                    width=SIZE[0],
                    height=SIZE[1],
                    subject=subject,
                    action_name='toy',
                    action_idx=action,
                    subaction_idx=subaction,
                    cam_idx=camera,
                    frame_idx=frame,
                )
            )
            box = [*low.tolist(), *(high - low).tolist()]
            annotations.append(dict(id=annotation_id, image_id=image_id, bbox=box))
            picture = np.full((SIZE[1], SIZE[0], 3), 60 + 40 * camera, np.uint8)
            paint_body(picture, extent, body.faces.numpy(), (40, 90, 20 * subject))
            path = root / 'images' / person.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)
    names = ('R', 't', 'f', 'c')
    camera_file = {
        str(number): {name: part.tolist() for name, part in zip(names, parts, strict=True)}
        for number, parts in cameras.items()
    }
    return {
        'data': {'images': images, 'annotations': annotations},
        'camera': camera_file,
        'joint_3d': joints_3d,
        'smpl_param': fits,
    }


def _cameras(rng):
    """R, t mm, f px, c px by number, all around."""
    cameras = {}
    for number, angle in zip((1, 2, 3, 4), (0.8, 2.3, 4.0, 5.4), strict=True):
        eye = np.array([4500 * np.cos(angle), 4500 * np.sin(angle), 1500])
        rotation, translation = look_at(eye + rng.normal(0, 100, 3), np.array([0, 0, 900.0]))
        focal = 1.1 * SIZE[0] * rng.uniform(0.98, 1.02, 2)
        cameras[number] = rotation, translation, focal, np.array(SIZE) / 2 + rng.normal(0, 2, 2)
    return cameras


def _posed_in_world(body, betas, rng):
    """Entry of smpl_param, vertices (V, 3) and Human3.6M joints (17, 3) in world mm."""
    pose = rng.normal(0, 0.25, (24, 3))
    pose[0] = _Z_UP + rng.normal(0, 0.5, 3)
    trans = np.array([0, 0, 1.0]) + rng.normal(0, 0.4, 3) * [1, 1, 0.2]
    tensors = (torch.from_numpy(array)[None] for array in (pose, betas, trans))
    vertices = 1000 * body(*tensors).vertices_m[0].numpy()
    joints = body.regressor(H36M_17.name).numpy() @ vertices
    return {'pose': pose.ravel(), 'shape': betas, 'trans': trans}, vertices, joints
