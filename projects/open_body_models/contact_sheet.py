"""Draw the embedded open body and hand: rest pose, bent poses, shape extremes.

    python projects/open_body_models/contact_sheet.py --out contact_sheet.png

Colours blend one hue a joint by the skinning weights.
"""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import MANO_16, SMPL_24, BodyModel, build_body_model
from i2l_plugin.visualization.renderer import Mesh, overlay

CELL_PX = 260
BODY_POSES = {
    'walking': {'L_Shoulder': (0.5, 0, -1.2), 'R_Shoulder': (-0.4, 0, 1.2), 'L_Hip': (0.4, 0, 0),
                'L_Knee': (0.3, 0, 0), 'R_Hip': (-0.5, 0, 0), 'R_Knee': (0.2, 0, 0),
                'L_Elbow': (0, -0.4, 0), 'R_Elbow': (0, 0.4, 0)},
    'sitting': {'L_Hip': (-1.5, 0.1, 0), 'R_Hip': (-1.5, -0.1, 0), 'L_Knee': (1.5, 0, 0),
                'R_Knee': (1.5, 0, 0), 'L_Shoulder': (0, 0, -1.2), 'R_Shoulder': (0, 0, 1.2),
                'L_Elbow': (0, -1.2, 0), 'R_Elbow': (0, 1.2, 0)},
    'arms up': {'L_Thorax': (0, 0, 0.3), 'R_Thorax': (0, 0, -0.3), 'L_Shoulder': (0, 0, 0.9),
                'R_Shoulder': (0, 0, -0.9), 'Head': (-0.3, 0, 0)},
    'bending': {'L_Hip': (-0.7, 0, 0), 'R_Hip': (-0.7, 0, 0), 'Pelvis': (0.6, 0, 0),
                'Torso': (0.4, 0, 0), 'Spine': (0.3, 0, 0), 'Chest': (0.2, 0, 0),
                'L_Shoulder': (0, -0.9, -0.7), 'R_Shoulder': (0, 0.9, 0.7)},
    'twisting': {'Torso': (0, 0.35, 0), 'Spine': (0, 0.35, 0), 'Chest': (0, 0.3, 0),
                 'Neck': (0, 0.4, 0), 'L_Elbow': (0, -1.6, 0), 'R_Elbow': (0, 1.6, 0)},
    'kneeling': {'L_Hip': (-1.5, 0, 0), 'L_Knee': (1.6, 0, 0), 'R_Hip': (0.1, 0, 0),
                 'R_Knee': (1.6, 0, 0), 'R_Ankle': (0.5, 0, 0), 'R_Toe': (-0.5, 0, 0),
                 'L_Shoulder': (0, 0, -1.1), 'R_Shoulder': (0, 0, 1.1), 'R_Elbow': (0, 2.2, 0)},
}  # fmt: skip
FINGERS = ('Index', 'Middle', 'Ring', 'Pinky')


def curl(fingers: tuple[str, ...], bend: float) -> dict[str, tuple[float, float, float]]:
    """Bend all three joints of some fingers towards the palm."""
    return {f'{finger}{i}': (0, 0, bend) for finger in fingers for i in (1, 2, 3)}


HAND_POSES = {
    'fist': curl(FINGERS, 1.3) | {'Thumb1': (0.3, -0.4, 0.2), 'Thumb3': (0, -0.8, 0)},
    'pointing': curl(FINGERS[1:], 1.3) | {'Thumb2': (0, -0.5, 0)},
    'pinch': curl(('Index',), 0.75) | {'Thumb1': (0.5, -0.2, 0.3), 'Thumb3': (0, -0.5, 0)},
    'spread': {'Index1': (0, 0.15, 0), 'Ring1': (0, -0.1, 0), 'Pinky1': (0, -0.25, 0),
               'Thumb1': (0, 0.3, 0)},
    'hook': {f'{finger}{i}': (0, 0, 1.2) for finger in FINGERS for i in (2, 3)},
}  # fmt: skip


def joint_colors(model: BodyModel) -> np.ndarray:
    """(V, 3) pastel hues by joint, blended by the skinning weights."""
    hues = (np.arange(model.num_pose) * 0.381966) % 1  # golden ratio: neighbours differ
    palette = np.array([colorsys.hsv_to_rgb(hue, 0.35, 0.95) for hue in hues])
    return model.weights.numpy() @ palette


class Sheet:
    """Cells of one model, drawn from given sides at one scale."""

    def __init__(self, model: BodyModel, extent_m: float, turn: Rotation) -> None:
        self.model, self.turn = model, turn
        self.colors = joint_colors(model)
        self.distance_mm = 20_000.0  # far away: nearly parallel rays
        self.focal_px = CELL_PX / (extent_m * 1000) * self.distance_mm

    def cell(
        self, label: str, pose: dict | None = None, betas: dict | None = None, side_deg: float = 0.0
    ) -> np.ndarray:
        """One picture; pose by joint name in radians (a flat hand by default), betas by index."""
        angles = -self.model.mean_pose[None].clone()
        for name, value in (pose or {}).items():
            joint = self.names.index(name)
            angles[0, joint] += torch.tensor(value, dtype=torch.float32)
        shape = torch.zeros(1, 10)
        for i, value in (betas or {}).items():
            shape[0, i] = value
        vertices = self.model(angles, shape).vertices_m[0].numpy() * 1000
        side = Rotation.from_euler('y', side_deg, degrees=True) * self.turn
        vertices = side.apply(vertices - (vertices.max(0) + vertices.min(0)) / 2)
        vertices = vertices * [1, -1, -1] + [0, 0, self.distance_mm]  # y up to camera's y down
        image = np.full((CELL_PX, CELL_PX, 3), 255, np.uint8)
        mesh = Mesh(vertices, self.model.faces.numpy(), self.colors)
        centre = np.array([(CELL_PX - 1) / 2] * 2)
        image = overlay(image, [mesh], np.array([self.focal_px] * 2), centre)
        return cv2.putText(
            image, label, (6, CELL_PX - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (90, 90, 90), 1, 16
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the posed joints."""
        return (SMPL_24 if self.model.kind == 'body' else MANO_16).joint_names


def contact_sheet() -> np.ndarray:
    """The whole sheet, RGB."""
    body = Sheet(build_body_model('body'), 2.1, Rotation.identity())
    # The hand lies palm down: look at its back from above, fingers up.
    above = Rotation.from_euler('xz', [90, -90], degrees=True)
    hand = Sheet(build_body_model('hand'), 0.3, above)
    rows = [
        [body.cell(f'rest, {side:g} degrees', side_deg=side) for side in (0, 30, 60, 90, 180, 270)],
        [body.cell(name, BODY_POSES[name]) for name in ('walking', 'sitting')]
        + [body.cell(name, BODY_POSES[name], side_deg=30)
           for name in ('arms up', 'bending', 'twisting', 'kneeling')],
        *([body.cell(f'beta {k} = {value:+d}', betas={k: value})
           for k in betas for value in (-3, 3)] for betas in ((0, 1, 2), (3, 4, 5))),
        [hand.cell('flat, back'), hand.cell('flat, palm', side_deg=180),
         hand.cell('flat, side', side_deg=90)]
        + [hand.cell('relaxed', relaxed(hand.model), side_deg=side) for side in (0, 90, 180)],
        [hand.cell(name, pose, side_deg=150) for name, pose in HAND_POSES.items()]
        + [hand.cell('fist', HAND_POSES['fist'], side_deg=60)],
        [hand.cell(f'beta {k} = {value:+d}', betas={k: value}, side_deg=180)
         for k in (0, 1, 2) for value in (-3, 3)],
    ]  # fmt: skip
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def relaxed(model: BodyModel) -> dict[str, tuple[float, ...]]:
    """The mean pose of the hand, by joint name."""
    return {n: tuple(p.tolist()) for n, p in zip(MANO_16.joint_names, model.mean_pose, strict=True)}


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=Path('contact_sheet.png'))
    args = parser.parse_args()
    sheet = contact_sheet()
    cv2.imwrite(str(args.out), sheet[..., ::-1])
    print(f'{args.out}: {sheet.shape[1]} x {sheet.shape[0]}')


if __name__ == '__main__':
    main()
