"""Where on the body a point is: landmarks and named regions of the rest pose, for any body model.

Points are rest-pose coordinates (m, T-pose, x left, y up, z forward), interpolated over the mesh,
so clothes have crisp borders without a texture map. Shapes: V vertices, N points.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from i2l_plugin.body_models import BodyModel

from .body_angles import JOINTS


class BodyMap:
    """Landmarks of a body model at rest.

    Args:
        model: Body model with face points in its joint set.
    """

    def __init__(self, model: BodyModel) -> None:
        template = model.v_template.double().numpy()
        joints = model.j_regressor.double().numpy() @ template
        named = model.joint_regressor.double().numpy() @ template
        weights = model.weights.double().numpy()
        self.faces = model.faces.numpy()
        self.rest = template
        self.neighbours = _averaging(self.faces, len(template))
        self.weights = weights
        self.joint = dict(zip(JOINTS, joints, strict=True))
        self.face = {n: named[model.joint_set.index(n)] for n in ('Nose', 'L_Eye', 'L_Ear')}
        # weight of head, of both arms from the shoulder down
        head = weights[:, [JOINTS.index('Head'), JOINTS.index('Neck')]] @ np.array([1.0, 0.35])
        arms = [
            JOINTS.index(f'{s}_{n}') for s in 'LR' for n in ('Shoulder', 'Elbow', 'Wrist', 'Hand')
        ]
        self.attributes = np.concatenate(
            [template, head[:, None], weights[:, arms].sum(1, keepdims=True)], axis=1
        )
        self.tip_x = template[:, 0].max()
        self.top, self.sole = template[:, 1].max(), template[:, 1].min()
        ear, eye, nose = self.face['L_Ear'], self.face['L_Eye'], self.face['Nose']
        self.head_unit = self.top - eye[1]  # eye level to crown
        self.ear_z, self.front_z = ear[2], max(nose[2] - ear[2], 0.02)
        self.ear_x = abs(ear[0])

    def along_arm(self, points: np.ndarray) -> np.ndarray:
        """0 shoulder, 1 elbow, 2 wrist, 3 finger tips; negative on the trunk. (N, 5) -> (N,)."""
        stops = [self.joint[f'L_{n}'][0] for n in ('Shoulder', 'Elbow', 'Wrist')]
        x = np.abs(points[:, 0])
        along = np.interp(x, [0, *stops, max(self.tip_x, stops[-1] + 0.05)], [-1, 0, 1, 2, 3])
        return np.where(points[:, 4] > 0.05, along, np.minimum(along, -0.01))

    def along_leg(self, points: np.ndarray) -> np.ndarray:
        """-1 waist, 0 hip, 1 knee, 2 ankle, 3 sole; below -1 further up. (N, 5) -> (N,)."""
        stops = [self.joint[f'L_{n}'][1] for n in ('Knee', 'Ankle')]
        hip, waist = self.joint['L_Hip'][1] - 0.06, self.joint['Torso'][1]
        heights = [self.sole, *stops[::-1], hip, waist, waist + 1]
        return np.interp(points[:, 1], heights, [3, 2, 1, 0, -1, -11])

    def on_head(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Side (1 ears), height (0 eyes, 1 crown), depth (0 ears, 1 nose). (N, 5) -> three (N,)."""
        return (
            np.abs(points[:, 0]) / self.ear_x,
            (points[:, 1] - self.face['L_Eye'][1]) / self.head_unit,
            (points[:, 2] - self.ear_z) / self.front_z,
        )


def _averaging(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """(V, V) matrix that replaces each vertex by the mean of its neighbours."""
    rows = faces[:, [0, 1, 1, 2, 2, 0]].ravel()
    columns = faces[:, [1, 0, 2, 1, 0, 2]].ravel()
    edges = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (count, count)).tocsr()
    degree = np.maximum(np.asarray(edges.sum(1)).ravel(), 1)
    return sparse.diags(1 / degree) @ edges
