"""A small MuCo-3DHP in the release's parsed format: several bodies composed into an image.

Annotated joints are points of the posed toy body; those that MuCo-3DHP and Human3.6M both annotate
are Human3.6M's. Everything is in the camera frame. Shape legend: V vertices.
"""

import json
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from helpers_human36m import paint_body, project_px
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BODY_29, H36M_17, MUCO_21, BodyModel

SIZE = (112, 128)  # of the images, px
# Image: its people, as (depth of the root in m, quality of the fit). The closest one counts.
SCENES = {
    'augmented_set/00/img_0001.jpg': ((4.2, 'good'), (3.0, 'good'), (5.0, 'far')),
    'augmented_set/00/img_0002.jpg': ((3.4, 'far'),),
    'augmented_set/01/img_0001.jpg': (),
    'unaugmented_set/00/img_0003.jpg': ((3.1, 'missing'), (3.6, 'good')),
    'unaugmented_set/00/img_0004.jpg': ((2.9, 'good'), (6.0, 'missing')),
    'unaugmented_set/02/img_0001.jpg': ((5.5, 'good'), (4.5, 'good')),
}
_NOISE_MM = {'good': 4.0, 'far': 40.0, 'missing': 4.0}


@dataclass
class MuCoPerson:
    """What is known of one annotation."""

    image_id: int
    file_name: str
    closest: bool
    fit: str  # as in SCENES
    bbox_px: np.ndarray  # x1 y1 x2 y2
    focal_px: np.ndarray
    princpt_px: np.ndarray
    vertices_cam_mm: np.ndarray  # (V, 3) of the fit, also where its entry is missing
    joints_cam_mm: np.ndarray  # (21, 3) annotated
    fit_joints_cam_mm: np.ndarray  # (14, 3) regressed from the fit, by SHARED


@dataclass
class MuCoTruth:
    """All people by annotation id."""

    people: dict[int, MuCoPerson] = field(default_factory=dict)

    @property
    def closest(self):
        """Ids of the people that a record holds, in the order of the file."""
        return [number for number, person in self.people.items() if person.closest]


SHARED = (
    *('Head_top', 'R_Shoulder', 'R_Elbow', 'R_Wrist', 'L_Shoulder', 'L_Elbow', 'L_Wrist'),
    *('R_Hip', 'R_Knee', 'R_Ankle', 'L_Hip', 'L_Knee', 'L_Ankle', 'Pelvis'),
)


def write_muco(root, data=None, seed=0, scenes=None):
    """Write ``data/`` below `root`. -> MuCoTruth

    Args:
        root: New or existing folder.
        data: `BodyModelData` of the fits; the toy body by default.
        seed: Of people and cameras.
        scenes: Instead of `SCENES`.
    """
    rng = np.random.default_rng(seed)
    body = BodyModel(data or toy_body_data()).double()
    truth = MuCoTruth()
    images, annotations, fits = [], [], {}
    for file_name, people in (scenes or SCENES).items():
        focal = 1.1 * SIZE[1] * rng.uniform(0.98, 1.02, 2)
        princpt = np.array(SIZE) / 2 + rng.normal(0, 2, 2)
        image_id = 31 * len(images) + 5
        images.append(
            dict(
                id=image_id,
                file_name=file_name,
                width=SIZE[0],
                height=SIZE[1],
                f=focal.tolist(),
                c=princpt.tolist(),
            )
        )
        picture = np.full((SIZE[1], SIZE[0], 3), 50 + 30 * len(images), np.uint8)
        for depth_m, quality in sorted(people, reverse=True):
            fit, vertices, joints = _posed(body, depth_m, rng)
            joints_mm = joints['annotated'] + rng.normal(0, _NOISE_MM[quality], (21, 3))
            extent = project_px(vertices, focal, princpt)
            low, high = extent.min(0), extent.max(0)
            number = 1000 - 7 * len(annotations)
            truth.people[number] = MuCoPerson(
                image_id=image_id,
                file_name=file_name,
                closest=depth_m == min(people)[0],
                fit=quality,
                bbox_px=np.concatenate([low, high]),
                focal_px=focal,
                princpt_px=princpt,
                vertices_cam_mm=vertices,
                joints_cam_mm=joints_mm,
                fit_joints_cam_mm=joints['shared'],
            )
            annotations.append(
                dict(
                    id=number,
                    image_id=image_id,
                    bbox=[*low.tolist(), *(high - low).tolist()],
                    keypoints_img=project_px(joints_mm, focal, princpt).tolist(),
                    keypoints_cam=joints_mm.tolist(),
                )
            )
            if quality != 'missing':
                fits[str(number)] = {name: array.tolist() for name, array in fit.items()}
            paint_body(picture, extent, body.faces.numpy(), (40, 200, int(40 * depth_m)))
        path = root / 'data' / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)
    content = {'images': images, 'annotations': annotations}
    (root / 'data/MuCo-3DHP.json').write_text(json.dumps(content))
    (root / 'data/smpl_param.json').write_text(json.dumps(fits))
    return truth


def _posed(body, depth_m, rng):
    """Entry of smpl_param, vertices (V, 3) mm, and joints: annotated (21, 3), shared (14, 3)."""
    pose = rng.normal(0, 0.25, (24, 3))
    pose[0, 0] += np.pi  # the model's y points up, the camera's down
    betas = rng.normal(0, 1, 10)
    trans = np.array([rng.uniform(-0.4, 0.4), 0.1, depth_m])
    tensors = (torch.from_numpy(array)[None] for array in (pose, betas, trans))
    posed = body(*tensors)
    vertices, model_joints = 1000 * posed.vertices_m[0].numpy(), 1000 * posed.joints_m[0].numpy()
    h36m = body.regressor(H36M_17.name).numpy() @ vertices
    places = dict(zip(BODY_29.joint_names, model_joints, strict=True))
    places |= dict(zip(H36M_17.joint_names, h36m, strict=True))
    places['Thorax'] = (places['L_Thorax'] + places['R_Thorax']) / 2
    annotated = np.stack([places[name] for name in MUCO_21.joint_names])
    shared = np.stack([places[name] for name in SHARED])
    return (
        {'pose': pose.ravel(), 'shape': betas, 'trans': trans},
        vertices,
        {'annotated': annotated, 'shared': shared},
    )
