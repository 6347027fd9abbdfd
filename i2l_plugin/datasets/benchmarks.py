"""The six published data sets: their own joints, protocols, trusted fits and RootNet units.

Each reads the canonical record that its converter in ``tools/dataset_converters`` writes. Samples
hold the model's joints, onto which the annotated ones are mapped by name; METAINFO tells the host's
tools of the model's joints and, as ``annotated_joints``, of the data set's own. What a protocol
takes is in `i2l_plugin.protocols`; without one a data set is everyone in the record. Formats,
thresholds and pitfalls: protocols, sections 1, 6 and 7. All further arguments are `MeshDataset`'s.
"""

from __future__ import annotations

from typing import Any

from mmpose.registry import DATASETS

from i2l_plugin.body_models.joint_sets import (
    BODY_29,
    COCO_18,
    H36M_17,
    HAND_21,
    MUCO_21,
    SMPL_24,
)

from .mesh_dataset import MeshDataset
from .metainfo import benchmark_metainfo
from .person_selection import FitLimit, protocol_of

_METRE_MM = 1000.0


@DATASETS.register_module()
class Human36MMeshDataset(MeshDataset):
    """Human3.6M (Ionescu et al., TPAMI 2014): marker-based 3D joints, SMPL fits of some frames.

    Args:
        ann_file: Record of ``human36m.py``.
        protocol: ``'h36m/train'`` or ``'h36m/paper'`` (every 64th frame of S9 and S11, camera 4),
            ``'h36m/paper-4cameras'``, ``'h36m/protocol1'``, ``'h36m/protocol2'``; None: everyone.
        max_fit_error_mm: Fits with a larger mean error of the 17 joints are not trusted; None
            trusts all.
        **kwargs: As `MeshDataset`.
    """

    METAINFO: dict = benchmark_metainfo('human36m', BODY_29, H36M_17)
    annotated = H36M_17

    def __init__(
        self,
        ann_file: str,
        protocol: str | None = None,
        max_fit_error_mm: float | None = 25.0,
        **kwargs: Any,
    ) -> None:
        self.protocol = protocol_of('h36m', protocol)
        self.fit_limit = FitLimit('fit_error_mm', max_fit_error_mm)
        super().__init__(ann_file, **kwargs)


@DATASETS.register_module()
class MuCo3DHPMeshDataset(MeshDataset):
    """MuCo-3DHP (Mehta et al., 3DV 2018): the closest person of composed pictures; training only.

    Args:
        ann_file: Record of ``muco.py``.
        protocol: ``'muco/train'`` or None: everyone.
        max_fit_error_mm: Fits with a larger mean error of the 14 joints that Human3.6M shares are
            not trusted; None trusts all.
        **kwargs: As `MeshDataset`.
    """

    METAINFO: dict = benchmark_metainfo('muco', BODY_29, MUCO_21)
    annotated = MUCO_21

    def __init__(
        self,
        ann_file: str,
        protocol: str | None = None,
        max_fit_error_mm: float | None = 25.0,
        **kwargs: Any,
    ) -> None:
        self.protocol = protocol_of('muco', protocol)
        self.fit_limit = FitLimit('fit_error_mm', max_fit_error_mm)
        super().__init__(ann_file, **kwargs)


@DATASETS.register_module()
class COCOMeshDataset(MeshDataset):
    """MSCOCO (Lin et al., ECCV 2014): 2D joints without depth, SMPLify-X fits.

    Args:
        ann_file: Record of ``coco.py``.
        protocol: ``'coco/train'`` or None: everyone.
        max_fit_error_lixel: Fits with a larger mean 2D error, in px of the 64-lixel crop, are not
            trusted; None trusts all.
        **kwargs: As `MeshDataset`.
    """

    METAINFO: dict = benchmark_metainfo('coco_mesh', BODY_29, COCO_18)
    annotated = COCO_18

    def __init__(
        self,
        ann_file: str,
        protocol: str | None = None,
        max_fit_error_lixel: float | None = 3.0,
        **kwargs: Any,
    ) -> None:
        self.protocol = protocol_of('coco', protocol)
        self.fit_limit = FitLimit('fit_error_lixel', max_fit_error_lixel)
        super().__init__(ann_file, **kwargs)


@DATASETS.register_module()
class PW3DMeshDataset(MeshDataset):
    """3DPW (von Marcard et al., ECCV 2018): people outdoors with SMPL meshes of their gender.

    Args:
        ann_file: Record of ``pw3d.py``.
        protocol: ``'3dpw/paper'`` (Human3.6M regressor) or ``'3dpw/smpl-joints'``; None: everyone.
        **kwargs: As `MeshDataset`; RootNet's files are in metres.
    """

    METAINFO: dict = benchmark_metainfo('3dpw', BODY_29, SMPL_24)
    annotated = SMPL_24
    root_depth_unit_mm = _METRE_MM

    def __init__(self, ann_file: str, protocol: str | None = None, **kwargs: Any) -> None:
        self.protocol = protocol_of('3dpw', protocol)
        super().__init__(ann_file, **kwargs)


@DATASETS.register_module()
class SURREALMeshDataset(MeshDataset):
    """SURREAL (Varol et al., CVPR 2017): rendered people with their SMPL meshes and genders.

    Args:
        ann_file: Record of ``surreal.py``.
        protocol: ``'surreal/train'``, ``'surreal/507'``, or ``'surreal/493'`` (persons in view);
            None: everyone.
        **kwargs: As `MeshDataset`.
    """

    METAINFO: dict = benchmark_metainfo('surreal', BODY_29, SMPL_24)
    annotated = SMPL_24

    def __init__(self, ann_file: str, protocol: str | None = None, **kwargs: Any) -> None:
        self.protocol = protocol_of('surreal', protocol)
        super().__init__(ann_file, **kwargs)


@DATASETS.register_module()
class FreiHANDMeshDataset(MeshDataset):
    """FreiHAND (Zimmermann et al., ICCV 2019): right hands; a pipeline that mirrors is refused.

    Args:
        ann_file: Record of ``freihand.py``.
        protocol: ``'freihand/train'`` or ``'freihand/paper'``; None: everyone.
        joint_set: The model's joints.
        **kwargs: As `MeshDataset`; RootNet's files are in metres.
    """

    METAINFO: dict = benchmark_metainfo('freihand', HAND_21, HAND_21)
    annotated = HAND_21
    root_depth_unit_mm = _METRE_MM

    def __init__(
        self,
        ann_file: str,
        protocol: str | None = None,
        joint_set: str = HAND_21.name,
        **kwargs: Any,
    ) -> None:
        self.protocol = protocol_of('freihand', protocol)
        super().__init__(ann_file, joint_set=joint_set, **kwargs)
