"""A small SURREAL as downloaded (mp4 and ``_info.mat``), from a forward model of its Blender scene.

Written from the data set's own code, github.com/gulvarol/surreal, not from the converter:
``datageneration/main_part1.py`` sets ``cam_ob.matrix_world`` (determinant -1), lens 60, sensor
width 32, 320 x 240 px, turns the armature's root bone by zrot about z, and saves bone heads in the
world and through ``world_to_camera_view``, rounded; ``misc/smpl_relations`` has the armature turned
by 90 degrees about x; ``misc/3Dto2D`` counts rows from the top. The clips are painted with the
camera that the joints go through: left limbs red, right limbs blue. The converter has to mirror
them back, so the truth in the camera frame has Blender's x negated.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from helpers_gendered import pose_bodies, toy_bodies
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import SMPL_24

WIDTH, HEIGHT, LENS, SENSOR_WIDTH = 320, 240, 60, 32
MATRIX_WORLD = np.array([[0, 0, 1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]])
RED, BLUE, GREY = (40, 40, 230), (230, 60, 40), (150, 150, 150)  # BGR
# folder: {clip: (gender, number of frames, frames in which nobody is in the picture)}
CLIPS = {
    'train': {
        'run0/01_01/01_01_c0001': ('f', 61, ()),
        'run0/01_01/01_01_c0002': ('m', 1, ()),
        'run1/ung_02_03/ung_02_03_c0001': ('m', 32, (30,)),
        'run2/02_03/02_03_c0010': ('m', 2, ()),
    },
    'val': {
        'run0/03_01/03_01_c0008': ('m', 7, ()),
        'run1/06_01/06_01_c0002': ('f', 5, (2,)),
        'run2/ung_104_02/ung_104_02_c0003': ('f', 4, ()),
    },
}


@dataclass
class SurrealPerson:
    """What is known of one frame, once it is mirrored back."""

    gender: str
    in_view: bool
    vertices_cam_mm: np.ndarray  # (V, 3)
    joints_cam_mm: np.ndarray  # (24, 3)
    vertices_px: np.ndarray  # (V, 2)
    joints_px: np.ndarray  # (24, 2)


@dataclass
class SurrealTruth:
    """People by (clip, frame)."""

    people: dict[tuple[str, int], SurrealPerson] = field(default_factory=dict)
    clips: dict[str, list[str]] = field(default_factory=dict)  # by folder

    def of_clips(self, folder, frames_of):
        """Sorted keys of the frames that `frames_of(T)` gives for each clip of T frames."""
        keys = []
        for clip in self.clips[folder]:
            number = sum(key[0] == clip for key in self.people)
            keys += [(clip, frame) for frame in frames_of(number)]
        return sorted(keys)


def world_to_camera_view(points, location):
    """As Blender's: (0, 0) is the bottom left of the frame, (1, 1) the top right; and camera z."""
    camera = MATRIX_WORLD.copy()
    camera[:3, 3] = location
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    local = (np.linalg.inv(camera) @ homogeneous.T).T[:, :3]
    depth = -local[:, 2]
    x = local[:, 0] / depth * LENS / SENSOR_WIDTH + 0.5
    y = local[:, 1] / depth * LENS / (SENSOR_WIDTH * HEIGHT / WIDTH) + 0.5
    return np.stack([x, y], axis=1), local


def seen(points, location):
    """Pixels from the picture's top left CORNER (N, 2), and mm in the mirrored-back camera."""
    view, local = world_to_camera_view(points, location)
    corner_px = np.stack([view[:, 0] * WIDTH, (1 - view[:, 1]) * HEIGHT], axis=1)
    right, up, back = local.T
    return corner_px, 1000 * np.stack([-right, -up, -back], axis=1)


def mirrored_px(corner_px):
    """Where that is in the mirrored picture, the centre of whose first pixel is (0, 0)."""
    x, y = corner_px.T
    return np.stack([(WIDTH - x) - 0.5, y - 0.5], axis=1)


def write_surreal(root, bodies=None, seed=0, clips=None):
    """Write ``cmu/{train,val}/run*/...`` below `root`. -> SurrealTruth

    Args:
        root: New or existing folder.
        bodies: `BodyModelData` by ``'m'`` and ``'f'``; the toy bodies by default.
        seed: Of people and cameras.
        clips: Instead of `CLIPS`.
    """
    rng, truth, bodies = np.random.default_rng(seed), SurrealTruth(), bodies or toy_bodies()
    for folder, content in (clips or CLIPS).items():
        truth.clips[folder] = list(content)
        for clip, (gender, number, outside) in content.items():
            stem = root / 'cmu' / folder / clip
            stem.parent.mkdir(parents=True, exist_ok=True)
            info = _write_clip(stem, clip, gender, number, outside, bodies[gender], rng, truth)
            savemat(f'{stem}_info.mat', info, do_compression=True)
    return truth


def _write_clip(stem, clip, gender, number, outside, body, rng, truth):
    """The mp4, and the variables of the info file."""
    betas, zrot = rng.normal(0, 1, 10), rng.uniform(0, 2 * np.pi)
    armature = Rotation.from_euler('x', 90, degrees=True)
    root_bone = Rotation.from_euler('z', zrot)
    video = cv2.VideoWriter(f'{stem}.mp4', cv2.VideoWriter_fourcc(*'mp4v'), 30, (WIDTH, HEIGHT))
    assert video.isOpened()
    pose, place = rng.normal(0, 0.15, (24, 3)), np.array([1.5, -2.0, 1.0]) + rng.normal(0, 0.3, 3)
    # upright, and facing the camera, which is at +x of the world, more or less
    heading = np.pi / 2 - zrot + rng.uniform(-0.6, 0.6)
    pose[0] = Rotation.from_euler('xz', [np.pi / 2, heading]).as_rotvec()
    steps = rng.normal(0, 0.01, (number, 24, 3))
    steps[:, 0] = 0
    poses = pose + np.cumsum(steps, axis=0)
    repeated = (np.repeat(a[None], number, axis=0) for a in (betas, place))
    posed = pose_bodies(body, poses, *repeated)[:2]
    in_world = [armature.apply(root_bone.apply(p.reshape(-1, 3))).reshape(p.shape) for p in posed]
    location = in_world[1][0, 0] + [rng.normal(7.5, 0.3), 0.1, 0.2]
    joints2d, joints3d = [], []
    for frame, (vertices, joints) in enumerate(zip(*in_world, strict=True)):
        if frame in outside:
            vertices, joints = (p + np.array([0, 0, 4.0]) for p in (vertices, joints))
        joints = joints.astype(np.float32)
        vertices_px, vertices_mm = seen(vertices, location)
        joints_px, joints_mm = seen(joints.astype(float), location)
        truth.people[clip, frame] = SurrealPerson(
            gender=gender,
            in_view=frame not in outside,
            vertices_cam_mm=vertices_mm,
            joints_cam_mm=joints_mm,
            vertices_px=mirrored_px(vertices_px),
            joints_px=mirrored_px(joints_px),
        )
        video.write(_paint(vertices_px - 0.5, vertices_mm[:, 2], body.faces))
        joints2d.append(np.rint(joints_px).T)
        joints3d.append(joints.T)
    video.release()
    names = np.array([f'{i}.jpg' for i in range(number)], dtype=object)
    info = {
        'bg': names,
        'camDist': np.float32(7.5),
        'camLoc': location[:, None].astype(np.float32),
        'clipNo': float(clip[-4:]),
        'cloth': names,
        'gender': np.full((number, 1), {'f': 0, 'm': 1}[gender], np.uint8),
        'joints2D': np.stack(joints2d, axis=-1).astype(np.float32),
        'joints3D': np.stack(joints3d, axis=-1).astype(np.float32),
        'light': np.zeros((9, 100), np.float32),
        'pose': poses.reshape(number, 72).T.astype(np.float32),
        'sequence': clip.rsplit('/', 1)[-1],
        'shape': np.repeat(betas[:, None], number, axis=1).astype(np.float32),
        'source': 'cmu',
        'stride': np.uint8(50),
        'zrot': np.full((number, 1), zrot, np.float32),
    }
    if number == 1:  # as MATLAB drops the last axis
        info['joints2D'], info['joints3D'] = info['joints2D'][..., 0], info['joints3D'][..., 0]
    return info


def _paint(points_px, depth_mm, faces):
    """Triangles from back to front; left limbs red, right limbs blue, the rest grey."""
    picture = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    per_joint = len(points_px) // len(SMPL_24)
    colors = {'L_': RED, 'R_': BLUE}
    for face in faces[np.argsort(-depth_mm[faces].mean(axis=1))]:
        color = colors.get(SMPL_24.joint_names[face[0] // per_joint][:2], GREY)
        corners = np.rint(16 * points_px[face]).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, color, shift=4)
    return picture
