"""Data sets of canonical annotation records on MMEngine's BaseDataset: one sample a person.

The columns stay mapped from the file and are shared by all processes; only row numbers live in
Python. Everything that is posed, projected or cropped is made later, in batches on the device.
Shape legend: J joints of the model's set, A annotated joints, P body-model joints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import MMLogger
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS
from numpy.typing import NDArray

from i2l_plugin.body_models.joint_sets import BODY_29, HAND_21, JointSet, get_joint_set
from i2l_plugin.geometry.crop import MIN_BOX_PX, box_has_area
from i2l_plugin.protocols import PROTOCOL_KEY, Protocol

from .annotations import AnnotationRecord
from .metainfo import ANNOTATED_KEY, pose_metainfo
from .person_places import PersonPlaces
from .person_results import read_person_results
from .person_selection import FitLimit, select_persons
from .pipeline_checks import box_padding, check_pipeline

MODEL_JOINT_SETS = {'body': BODY_29.name, 'hand': HAND_21.name}
_PLACEHOLDER_DEPTH_MM = 10_000.0  # of bodies without a valid fit: in front of every camera


@DATASETS.register_module()
class MeshDataset(BaseDataset):
    """Persons with a fitted body model, annotated joints and a camera.

    Boxes are clipped to the image. Persons whose box then has no area are dropped with a warning
    in training and refused in test mode, where results must stay complete.

    Boxes and the depth of the root joint are the annotated ones, or come from a detector or RootNet
    (`i2l_plugin.datasets.person_results` says what the files hold). Persons are found in them as
    `person_matching` says; where a detector gives many boxes of an image the one that overlaps most
    with the annotated box counts, so give it those above the detector's usual score only.

    Args:
        ann_file: Annotation record, relative to `data_root`.
        data_root: Folder of `ann_file` and of `data_prefix`.
        data_prefix: ``img`` is the folder that the image paths are relative to.
        pipeline: Transforms; see `i2l_plugin.datasets.transforms`.
        metainfo: Host meta information instead of that of the joint set.
        joint_set: The model's joints, ``'body_29'`` or ``'hand_21'``; annotated joints are
            mapped onto them by name.
        indices: Use the first (or, if negative, last) so many samples, or these ones.
        test_mode: Never replace a sample by another.
        lazy_init: Open the annotation file on first use.
        bbox_file: RootNet's or a detector's boxes instead of the annotated ones, relative to
            `data_root`. RootNet's are grown already, which `GetBBoxCenterScale` does not repeat.
        root_depth_file: RootNet's depths instead of the annotated ones, relative to `data_root`.
        unmatched: What to do with persons who are not in these files: ``'error'``, or take what is
            annotated with a warning: ``'ground_truth'``.

    Attributes:
        annotated: The data set's own joints, of published data sets.
        protocol: The named protocol whose persons these are, of data sets that know some.
        fit_limit: Which fitted body models are trusted, of data sets that know their errors.
        root_depth_unit_mm: Unit of RootNet's files for this data set.

    Raises:
        FileNotFoundError, ValueError: If a file is missing or wrong, or the annotation is of the
            other kind (body or hand) than the joint set; or if `pipeline` breaks the samples
            (`check_pipeline`).
    """

    METAINFO: dict = pose_metainfo('i2l_body_29', BODY_29)
    annotated: JointSet | None = None
    protocol: Protocol | None = None
    fit_limit: FitLimit | None = None
    root_depth_unit_mm: float = 1.0

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        data_prefix: Mapping[str, str] | None = None,
        pipeline: Sequence[dict | Callable] = (),
        metainfo: dict | None = None,
        joint_set: str = BODY_29.name,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
        lazy_init: bool = False,
        bbox_file: str | None = None,
        root_depth_file: str | None = None,
        unmatched: str = 'error',
    ) -> None:
        self.joint_set: JointSet = get_joint_set(joint_set)
        self.record: AnnotationRecord
        self.bbox_file, self.root_depth_file = bbox_file, root_depth_file
        self.unmatched = unmatched
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo or self._default_metainfo(),
            data_root=data_root,
            data_prefix=dict(data_prefix or {'img': ''}),
            indices=indices,
            serialize_data=False,
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
        )
        check_pipeline(self.pipeline.transforms, is_hand=self.joint_set == HAND_21)

    def _default_metainfo(self) -> dict:
        if self.annotated is not None:
            return self.METAINFO
        return pose_metainfo(f'i2l_{self.joint_set.name}', self.joint_set)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        metainfo = metainfo or cls.METAINFO
        own = {ANNOTATED_KEY: metainfo[ANNOTATED_KEY]} if ANNOTATED_KEY in metainfo else {}
        return {**parse_pose_metainfo(metainfo), **own}

    def _join_prefix(self) -> None:
        """Take relative paths from `data_root`."""
        super()._join_prefix()
        for name in ('bbox_file', 'root_depth_file'):
            path = getattr(self, name)
            if path is not None and self.data_root and not os.path.isabs(path):
                setattr(self, name, os.path.join(self.data_root, path))

    def load_data_list(self) -> np.ndarray:
        """Open the record; rows (n,) of the persons to use stand for the host's list of dicts."""
        self.record = AnnotationRecord.load(self.ann_file)
        expected = MODEL_JOINT_SETS[self.record.kind]
        if self.joint_set.name != expected:
            raise ValueError(
                f'joint_set: got {self.joint_set.name!r}, expected {expected!r} for the '
                f'{self.record.kind} annotations in {self.ann_file}'
            )
        self._find_joints()
        self._fit_trusted = self.record['fit_valid']
        if self.fit_limit is not None:
            self._fit_trusted = self.fit_limit.trusted(self.record)
        rows = np.flatnonzero(select_persons(self.record, self.protocol))
        self.places = self._find_places(rows)
        has_area = box_has_area(self.places.boxes(rows))
        if not has_area.all():
            self._report_empty_boxes(self.record['sample_id'][rows[~has_area]], len(rows))
        return rows[has_area]

    def _find_places(self, rows: NDArray[np.int64]) -> PersonPlaces:
        """Boxes and root depths, from files where they are given."""
        places = PersonPlaces(self.record)
        if self.bbox_file is not None:
            results = read_person_results(self.bbox_file)
            padding = box_padding(self.pipeline.transforms) if results.grown else 1.0
            places.take_boxes(results, rows, padding, self.unmatched)
        if self.root_depth_file is not None:
            results = read_person_results(self.root_depth_file)
            places.take_depths(results, rows, self.root_depth_unit_mm, self.unmatched)
        return places

    def _find_joints(self) -> None:
        """Where each model joint and the root are among the annotated joints."""
        names = self.record.joint_names
        if self.annotated is not None and set(names) != set(self.annotated.joint_names):
            raise ValueError(
                f"{self.ann_file}: column 'joint_names': got {names}, expected those of "
                f'{self.annotated.name!r} for {type(self).__name__}: {self.annotated.joint_names}; '
                "convert with this data set's own converter"
            )
        annotated = JointSet('annotated', names)
        order = np.array(self.joint_set.indices_in(annotated))
        self._known_joints = np.flatnonzero(order >= 0)
        self._source_joints = order[self._known_joints]
        root_name = self.joint_set.joint_names[self.joint_set.root]
        if root_name not in names:
            raise ValueError(
                f"{self.ann_file}: column 'joint_names': got {names}, expected the root "
                f'{root_name!r} among them; add it (not valid where unknown) when converting'
            )
        self._source_root = annotated.index(root_name)

    def _report_empty_boxes(self, sample_ids: np.ndarray, num: int) -> None:
        what = (
            f'{self.ann_file}: {len(sample_ids)} of {num} boxes lie outside their '
            f'image or are under {MIN_BOX_PX:g} px, sample_id {sample_ids[:5].tolist()}'
        )
        if self.test_mode:
            source = self.bbox_file or "column 'bbox_px'"
            raise ValueError(f'{what}; expected {source} to hold boxes in the image')
        MMLogger.get_current_instance().warning(f'{what}: these persons are not trained on')

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """One person; `PackMeshInputs` says what the fields mean.

        Entries that are not valid are zeros, and a body model without a valid fit is at rest in
        front of the camera, so that whatever is computed from them stays finite. Only
        ``root_depth_mm`` is NaN where unknown, for a mesh placed at a made-up depth looks right.
        """
        row, record = int(self.data_list[idx]), self.record
        info = {
            'img_path': os.path.join(self.data_prefix['img'], record['image_path'][row].decode()),
            'sample_idx': idx % len(self),
            'sample_id': int(record['sample_id'][row]),
            'image_id': int(record['image_id'][row]),
            'image_size_px': tuple(record['image_size_px'][row].tolist()),
            'bbox': self.places.boxes(row)[None],
            'bbox_score': np.array([self.places.box_score(row)], np.float32),
            'focal_px': np.array(record['focal_px'][row]),
            'princpt_px': np.array(record['princpt_px'][row]),
            'root_depth_mm': self.places.root_depth(row),
            'box_source': self.places.box_source,
            'root_depth_source': self.places.root_depth_source,
            'mirrored': False,
            'joint_set': self.joint_set.name,
            'annotated_joint_names': record.joint_names,
            **self._fit(row),
            **self._joints(row),
        }
        for name in record.optional_columns:
            value = record[name][row].item()
            info[name] = value.decode() if isinstance(value, bytes) else value
        if self.protocol is not None:
            info[PROTOCOL_KEY] = self.protocol.name
        return info

    def _fit(self, row: int) -> dict[str, Any]:
        """Body-model parameters, translation in mm."""
        record = self.record
        fit_valid = bool(self._fit_trusted[row])
        if fit_valid:
            pose, betas = np.array(record['pose'][row]), np.array(record['betas'][row])
            transl_mm = record['transl_m'][row] * np.float32(1000)
        else:
            pose, betas = np.zeros_like(record['pose'][row]), np.zeros_like(record['betas'][row])
            transl_mm = np.array([0, 0, _PLACEHOLDER_DEPTH_MM], np.float32)
        return {'pose': pose, 'betas': betas, 'transl_mm': transl_mm, 'fit_valid': fit_valid}

    def _joints(self, row: int) -> dict[str, Any]:
        """Annotated joints as they are, and as (x px, y px, depth from their root mm) by name."""
        record = self.record
        valid, has_depth = np.array(record['joints_valid'][row]), bool(record['has_depth'][row])
        cam_valid = valid & has_depth
        cam_mm = np.where(cam_valid[:, None], record['joints_cam_mm'][row], np.float32(0))
        img = np.zeros((len(valid), 3), np.float32)
        img[valid, :2] = record['joints_px'][row][valid]
        has_depth = bool(cam_valid[self._source_root])
        if has_depth:
            img[valid, 2] = cam_mm[valid, 2] - cam_mm[self._source_root, 2]
        joints_img = np.zeros((len(self.joint_set), 3), np.float32)
        joints_img[self._known_joints] = img[self._source_joints]
        joints_valid = np.zeros(len(self.joint_set), bool)
        joints_valid[self._known_joints] = valid[self._source_joints]
        return {
            'joints_img': joints_img,
            'joints_valid': joints_valid,
            'has_depth': has_depth,
            'annotated_joints_cam_mm': cam_mm,
            'annotated_joints_valid': cam_valid,
        }

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline; an error in it names the person and the image.

        Raises:
            FileNotFoundError: No such image.
            ValueError: An image that cannot be read or does not fit its annotation.
            RuntimeError: Any other error of a transform.
        """
        info = self.get_data_info(idx)
        try:
            return self.pipeline(info)
        except Exception as error:
            kind = RuntimeError
            if isinstance(error, FileNotFoundError):
                kind = FileNotFoundError
            elif isinstance(error, ValueError) or 'img' not in info:  # the host failed to load it
                kind = ValueError
            raise kind(
                f'sample_id {info["sample_id"]} of {self.ann_file}, image {info["img_path"]}: '
                f'{type(error).__name__}: {error}'
            ) from error


@DATASETS.register_module()
class HandMeshDataset(MeshDataset):
    """`MeshDataset` of right hands; host tools that read the class's METAINFO find the hand's."""

    METAINFO: dict = pose_metainfo('i2l_hand_21', HAND_21)

    def __init__(self, ann_file: str, joint_set: str = HAND_21.name, **kwargs: Any) -> None:
        super().__init__(ann_file, joint_set=joint_set, **kwargs)
