"""SMPL / MANO as a module: pose, shape and translation -> vertices and named joints.

Loper et al., SMPL, SIGGRAPH Asia 2015; Romero et al., MANO, SIGGRAPH Asia 2017; the joint sets and
the regressed joints are those of I2L-MeshNet (Section 3). Linear blend skinning is smplx's.
Shapes: B batch, V vertices, F faces, P posed joints (24 body, 16 hand), J joints of the joint set
(29 body, 21 hand), R rows of an extra regressor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from smplx.lbs import lbs
from torch import Tensor, nn

from .files import load_body_model
from .joint_sets import BODY_29, HAND_21, JointSet, get_joint_set
from .model_data import NUM_BETAS, BodyModelData

_M_TO_MM = 1000.0


class BodyModelOutput(NamedTuple):
    """Posed model in metres."""

    vertices_m: Tensor  # (B, V, 3)
    joints_m: Tensor  # (B, J, 3), joint_regressor @ vertices_m, in joint-set order
    lbs_joints_m: Tensor  # (B, P, 3), centres of rotation of the posed joints


class BodyModel(nn.Module):
    """Body or hand model of any topology over linear blend skinning.

    Buffers are not saved in checkpoints: the body-model file stays the only source of its arrays.

    `vertex_mirror` is the permutation of an exactly symmetric mesh under mirroring, else None.

    Args:
        data: Arrays of the model.
        joint_set: Joints to regress from the vertices, by name; `BODY_29` or `HAND_21` by default.
        flat_hand_mean: If False (MANO's default) the file's mean hand pose is added to axis-angle
            poses; if True, a zero pose is the flat hand.

    Raises:
        ValueError: `data` has neither a regressor row nor a vertex for a joint of `joint_set`.
    """

    faces: Tensor  # (F, 3) int64
    joint_regressor: Tensor  # (J, V)
    v_template: Tensor  # (V, 3) m
    shapedirs: Tensor  # (V, 3, 10) m
    posedirs: Tensor  # (9 (P - 1), V * 3) m
    weights: Tensor  # (V, P)
    j_regressor: Tensor  # (P, V)
    mean_pose: Tensor  # (P, 3) rad
    parents: Tensor  # (P,) int64, on the CPU: lbs reads it joint by joint, a wait each on a GPU

    def __init__(
        self,
        data: BodyModelData,
        joint_set: JointSet | None = None,
        flat_hand_mean: bool = False,
    ) -> None:
        super().__init__()
        self.kind = data.kind
        self.joint_set = joint_set or (BODY_29 if data.kind == 'body' else HAND_21)
        self.regressor_names = tuple(data.regressors)
        self.vertex_mirror = None
        if data.vertex_mirror is not None:
            self.vertex_mirror = tuple(int(i) for i in data.vertex_mirror)
        num_pose = len(data.parents)
        mean_pose = np.zeros((num_pose, 3))
        if data.hands_mean is not None and not flat_hand_mean:
            mean_pose[1:] = data.hands_mean.reshape(-1, 3)
        arrays = {
            'v_template': data.v_template,
            'shapedirs': data.shapedirs,
            'posedirs': data.posedirs.reshape(-1, data.posedirs.shape[-1]).T,
            'weights': data.weights,
            'j_regressor': data.j_regressor,
            'joint_regressor': named_joint_regressor(data, self.joint_set),
            'mean_pose': mean_pose,
            **{_buffer_name(name): rows for name, rows in data.regressors.items()},
        }
        for name, array in arrays.items():
            tensor = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
            self.register_buffer(name, tensor, persistent=False)
        faces = torch.from_numpy(np.array(data.faces, dtype=np.int64))
        self.register_buffer('faces', faces, persistent=False)
        self.parents = torch.from_numpy(np.array(data.parents, dtype=np.int64))

    @property
    def num_vertices(self) -> int:
        """V."""
        return len(self.v_template)

    @property
    def num_joints(self) -> int:
        """J, the joints of the joint set."""
        return len(self.joint_set)

    @property
    def num_pose(self) -> int:
        """P, the joints that the pose turns."""
        return len(self.parents)

    @property
    def num_betas(self) -> int:
        """Number of shape coefficients."""
        return NUM_BETAS

    def regressor(self, name: str) -> Tensor:
        """(R, V) regressor of the joint set `name` (e.g. ``'h36m_17'``), or this model's own.

        Raises:
            ValueError: The model's file has no regressor of that name.
        """
        if name == self.joint_set.name:
            return self.joint_regressor
        if name not in self.regressor_names:
            known = (self.joint_set.name, *self.regressor_names)
            raise ValueError(
                f'this {self.kind} model has no joint regressor {name!r}; it has {known}. '
                'Give its file in build_body_model(regressor_files={name: path})'
            )
        return self.get_buffer(_buffer_name(name))

    def forward(
        self, pose: Tensor, betas: Tensor | None = None, transl_m: Tensor | None = None
    ) -> BodyModelOutput:
        """Pose the model, in float32 whatever the autocast state.

        Args:
            pose: (B, P, 3) axis-angle in radians, root first, mean hand pose added here; or
                (B, P, 3, 3) full rotation matrices, used as they are.
            betas: (B, 10) shape coefficients; zeros by default.
            transl_m: (B, 3) translation in m; zeros by default.

        Raises:
            ValueError: `pose` has another shape.
        """
        if pose.shape[1:] not in {(self.num_pose, 3), (self.num_pose, 3, 3)}:
            raise ValueError(
                f'pose of a {self.kind} model must be (B, {self.num_pose}, 3) axis-angle or '
                f'(B, {self.num_pose}, 3, 3) matrices, got {tuple(pose.shape)}'
            )
        is_axis_angle = pose.dim() == 3
        with torch.autocast(pose.device.type, enabled=False):
            dtype = self.v_template.dtype
            pose = pose.to(dtype) + (self.mean_pose if is_axis_angle else 0)
            vertices, lbs_joints = lbs(
                self._betas_or_zeros(betas, len(pose)),
                pose.flatten(1) if is_axis_angle else pose,
                self.v_template,
                self.shapedirs,
                self.posedirs,
                self.j_regressor,
                self.parents,
                self.weights,
                pose2rot=is_axis_angle,
            )  # (B, V, 3), (B, P, 3)
            joints = self.joint_regressor @ vertices  # (B, J, 3)
            if transl_m is not None:
                offset = transl_m.to(dtype)[:, None]
                vertices, joints = vertices + offset, joints + offset
                lbs_joints = lbs_joints + offset
        return BodyModelOutput(vertices, joints, lbs_joints)

    def rest_root_m(self, betas: Tensor) -> Tensor:
        """Root joint J0 of the shaped model at zero translation, in m. (B, 10) -> (B, 3)."""
        with torch.autocast(betas.device.type, enabled=False):
            root = self.j_regressor[0]  # (V,)
            template = root @ self.v_template  # (3,)
            directions = torch.einsum('v,vcs->cs', root, self.shapedirs)
            return template + betas.to(template.dtype) @ directions.T

    def pose_cam_mm(
        self,
        pose: Tensor,
        betas: Tensor | None,
        transl_mm: Tensor,
        mirrored: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Vertices (B, V, 3) and joints (B, J, 3) in camera mm; the one place where m become mm.

        The model turns about its root joint J0, so a mirrored sample is exact only if the root,
        J0(betas) + translation, is mirrored: its x is negated here and the translation follows.

        Args:
            pose: (B, P, 3) or (B, P, 3, 3), as in `forward`; already mirrored where `mirrored`.
            betas: (B, 10) or None for the mean shape.
            transl_mm: (B, 3) ORIGINAL translation in mm, camera frame.
            mirrored: (B,) bool, samples to mirror in the camera's y-z plane; none by default.
        """
        betas = self._betas_or_zeros(betas, len(pose))
        output = self(pose, betas)
        offset = transl_mm.to(output.vertices_m.dtype)
        if mirrored is not None:
            root_mm = self.rest_root_m(betas) * _M_TO_MM
            mirrored_root = (root_mm + offset) * offset.new_tensor([-1.0, 1.0, 1.0])
            offset = torch.where(mirrored.bool()[:, None], mirrored_root - root_mm, offset)
        offset = offset[:, None]
        return output.vertices_m * _M_TO_MM + offset, output.joints_m * _M_TO_MM + offset

    def _betas_or_zeros(self, betas: Tensor | None, batch_size: int) -> Tensor:
        if betas is None:
            return self.v_template.new_zeros(batch_size, NUM_BETAS)
        if betas.shape != (batch_size, NUM_BETAS):
            raise ValueError(f'betas must be ({batch_size}, {NUM_BETAS}), got {tuple(betas.shape)}')
        return betas.to(self.v_template.dtype)


def _buffer_name(regressor_name: str) -> str:
    return f'regressor_{regressor_name}'


def named_joint_regressor(data: BodyModelData, joint_set: JointSet) -> np.ndarray:
    """(J, V) float32: posed joints by their regressor rows, surface points by one-hot rows.

    Raises:
        ValueError: `data` knows a joint of the set neither as posed joint nor as vertex.
    """
    rows = np.zeros((len(joint_set), data.num_vertices), np.float32)
    for i, name in enumerate(joint_set.joint_names):
        if name in data.posed_joints.joint_names:
            rows[i] = data.j_regressor[data.posed_joints.index(name)]
        elif name in data.vertex_ids:
            rows[i, data.vertex_ids[name]] = 1
        else:
            raise ValueError(
                f'joint {name!r} of {joint_set.name!r} is neither one of this {data.kind} '
                f'model: joints {data.posed_joints.joint_names}, nor of its surface points '
                f'{tuple(data.vertex_ids)}'
            )
    return rows


def build_body_model(
    kind: str = 'body',
    path: str = 'open',
    joint_set: str | None = None,
    flat_hand_mean: bool = False,
    **file_options: Any,
) -> BodyModel:
    """Body model from a file, or the embedded open one.

    Args:
        kind: ``'body'`` or ``'hand'``.
        path: ``'open'`` for the embedded model, else an SMPL / MANO ``.pkl`` or ``.npz``.
        joint_set: Name of the joint set to regress; ``'body_29'`` or ``'hand_21'`` by default.
        flat_hand_mean: As in `BodyModel`.
        **file_options: `finger_tips` and `regressor_files` of `load_body_model`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is not a model of this kind.
    """
    data = load_body_model(kind, path, **file_options)
    names = None if joint_set is None else get_joint_set(joint_set)
    return BodyModel(data, names, flat_hand_mean)
