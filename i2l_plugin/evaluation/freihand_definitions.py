"""The twelve scores that FreiHAND's own evaluation reports (Zimmermann et al., ICCV 2019).

Definitions, of https://github.com/lmb-freiburg/freihand (its code is not used). Points are in
metres. Joints and vertices are scored as they are, then after an alignment of each on its own. An
error is the distance of corresponding points; its mean is over points, then samples, and is given
in cm. The area under the curve (AUC) is that of the share of errors <= threshold at 100 thresholds
from 0 to 5 cm, by the trapezoidal rule, divided by 5 cm; it is taken of each point over all samples
and averaged over points. The curve is linear in the samples, so here each sample gets its own area,
and means over samples give the official numbers. F-scores take nearest neighbours strictly nearer
than 5 and 15 mm.
Shape legend: B samples, J = 21 joints, V vertices.
"""

from __future__ import annotations

import torch
from torch import Tensor

from i2l_plugin.body_models import HAND_21, BodyModel
from i2l_plugin.body_models.files import MANO_FINGER_TIPS
from i2l_plugin.geometry.alignment import freihand_align
from i2l_plugin.geometry.point_sets import f_score, pck_auc

NUM_SAMPLES, NUM_JOINTS, NUM_VERTICES = 3960, 21, 778
SCORES = (  # official names in the official order
    *('xyz_mean3d', 'xyz_auc3d', 'xyz_al_mean3d', 'xyz_al_auc3d'),
    *('mesh_mean3d', 'mesh_auc3d', 'mesh_al_mean3d', 'mesh_al_auc3d'),
    *('f_score_5', 'f_al_score_5', 'f_score_15', 'f_al_score_15'),
)
_M_TO_CM = 100.0
_AUC_LIMIT_M, _AUC_THRESHOLDS = 0.05, 100
_F_LIMITS_M = (0.005, 0.015)
_NORM_OFFSET_M = 1e-8  # that the official alignment adds to the norms that it divides by
_CHUNK = 32  # samples: bounds the memory of the comparison with all thresholds


def freihand_scores(
    xyz_m: Tensor, verts_m: Tensor, true_xyz_m: Tensor, true_verts_m: Tensor
) -> dict[str, Tensor]:
    """Scores of each sample by their names in `SCORES`, (B,) float64; means in cm.

    Args:
        xyz_m: (B, J, 3) predicted joints.
        verts_m: (B, V, 3) predicted vertices.
        true_xyz_m: (B, J, 3).
        true_verts_m: (B, V, 3).

    Raises:
        ValueError: A prediction has another shape than its truth.
    """
    pairs = {'xyz': (xyz_m, true_xyz_m), 'mesh': (verts_m, true_verts_m)}
    scores: dict[str, Tensor] = {}
    for name, (prediction, target) in pairs.items():
        aligned = align_as_official(prediction, target)
        for suffix, points in (('', prediction), ('_al', aligned)):
            errors = torch.linalg.vector_norm(points.double() - target.double(), dim=-1)
            scores[f'{name}{suffix}_mean3d'] = errors.mean(-1) * _M_TO_CM
            scores[f'{name}{suffix}_auc3d'] = _areas(errors)
            if name == 'mesh':
                columns = f_score(points, target, _F_LIMITS_M).unbind(1)
                for limit_m, column in zip(_F_LIMITS_M, columns, strict=True):
                    scores[f'f{suffix}_score_{1000 * limit_m:.0f}'] = column
    return {name: scores[name] for name in SCORES}


def align_as_official(prediction_m: Tensor, target_m: Tensor) -> Tensor:
    """`freihand_align`, with the 1e-8 m that the official alignment adds to both norms.

    Nothing for a hand, but a prediction of nearly one place is drawn together by it.
    2 x (B, N, 3) m -> (B, N, 3) float64 m.
    """
    centred = prediction_m.double() - prediction_m.double().mean(1, keepdim=True)
    norm = torch.linalg.vector_norm(centred, dim=(1, 2))  # (B,)
    shrink = (norm / (norm + _NORM_OFFSET_M)).square()[:, None, None]
    centre = target_m.double().mean(1, keepdim=True)
    return centre + shrink * (freihand_align(prediction_m, target_m) - centre)


def _areas(errors_m: Tensor) -> Tensor:
    chunks = errors_m.split(_CHUNK)
    return torch.cat([pck_auc(chunk, _AUC_LIMIT_M, _AUC_THRESHOLDS) for chunk in chunks])


def check_finger_tips(body_model: BodyModel) -> None:
    """Make sure that a MANO model has the finger tips that FreiHAND scores.

    Models that name their own finger tips, as the open hand does, pass.

    Raises:
        ValueError: The model takes the tips of the I2L-MeshNet release.
    """
    rows = body_model.regressor(HAND_21.name)  # (J, V)
    release = MANO_FINGER_TIPS['release']
    found = {name: int(rows[HAND_21.index(name)].argmax()) for name in release}
    if found == release:
        raise ValueError(
            f'body_model has the finger tips of the I2L-MeshNet release, {tuple(release.values())},'
            f' but FreiHAND scores {tuple(MANO_FINGER_TIPS["freihand"].values())}: give the '
            "metric's body_model finger_tips='freihand' (the network keeps its own)"
        )
