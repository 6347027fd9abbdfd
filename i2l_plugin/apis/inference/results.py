"""What is told of each picture: instances as in the host's JSON, and arrays as .npz.

JSON has one dict a person, with the host's ``keypoints``, ``keypoint_scores``, ``bbox`` and
``bbox_score`` (`split_instances`), which alone would lose the mesh; so here come ``vertices_cam``,
``vertex_spread``, ``joints_cam``, ``root_depth_mm`` and whatever else the network says of a person,
the camera, and where box and depth are from. Its numbers are rounded to four decimals;
.npz holds them as they are. ``vertices_img``, the projection of ``vertices_cam``, is in .npz only.
Shape legend: N people of the picture, J joints, V vertices, F faces.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample, split_instances

_HOSTS = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')
_ONLY_NPZ = ('vertices_img',)
_SINGULAR = {'track_ids': 'track_id'}
_SOURCES = ('bbox_source', 'root_depth_source')
_DECIMALS = 4


def instances_of(sample: PoseDataSample) -> list[dict[str, Any]]:
    """The people of a scene sample as N dicts of plain numbers and text.

    Besides the host's fields and those of `pred_instances`, each has ``camera``: ``focal_px``,
    ``princpt_px`` and ``source``, ``bbox_source`` and ``root_depth_source``.
    """
    people = sample.pred_instances
    meta = sample.metainfo
    camera = dict(
        focal_px=_plain(meta['focal_px']),
        princpt_px=_plain(meta['princpt_px']),
        source=meta['camera_source'],
    )
    instances = [
        {name: _plain(value) for name, value in instance.items()}
        for instance in split_instances(people)
    ]
    for name, values in sorted(people.items()):  # their own order changes from run to run
        if name not in _HOSTS + _ONLY_NPZ:
            for instance, value in zip(instances, values, strict=True):
                instance[_SINGULAR.get(name, name)] = _plain(value)
    for instance in instances:
        instance.update({'camera': camera, **{source: meta[source] for source in _SOURCES}})
    return instances


def _plain(values: Any) -> Any:
    """Numbers and nested lists of them, rounded; whole numbers as they are."""
    array = np.asarray(values)
    if array.dtype.kind == 'f':
        array = array.astype(np.float64).round(_DECIMALS)
    return array.tolist()


def npz_of(sample: PoseDataSample, faces: np.ndarray, joint_names: Sequence[str]) -> bytes:
    """A scene sample as an .npz file that ``numpy.load(path, allow_pickle=False)`` reads.

    Arrays: all of `pred_instances` (N, ...), ``focal_px`` (2,), ``princpt_px`` (2,), ``ori_shape``
    (height, width), ``frame_id``, ``time_s`` (NaN for pictures), ``img_path`` ('' for arrays),
    ``camera_source``, ``bbox_source``, ``root_depth_source``, ``faces`` (F, 3) and
    ``joint_names`` (J,).
    """
    meta = sample.metainfo
    named = ('focal_px', 'princpt_px', 'ori_shape', 'frame_id', 'camera_source', *_SOURCES)
    time_s = meta['time_s']
    arrays = {
        **dict(sorted(sample.pred_instances.items())),
        **{name: meta[name] for name in named},
        'time_s': np.nan if time_s is None else time_s,
        'img_path': meta['img_path'] or '',
        'faces': np.asarray(faces, np.int32),
        'joint_names': np.array(list(joint_names)),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()
