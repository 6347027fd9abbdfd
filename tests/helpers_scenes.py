"""Scene samples of a video with people who move as they are told, seen by one camera."""

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

FOCAL_PX, PRINCPT_PX = (600.0, 620.0), (160.0, 120.0)


def pinhole(points_cam_mm):
    """px, px, mm."""
    x, y, z = np.moveaxis(np.asarray(points_cam_mm, np.float64), -1, 0)
    u = x / z * FOCAL_PX[0] + PRINCPT_PX[0]
    v = y / z * FOCAL_PX[1] + PRINCPT_PX[1]
    return np.stack([u, v, z], axis=-1)


def scene(frame_id, roots_mm, ids=None, time_s=None, seed=0, vertices=12, joints=4):
    """A frame with a rigid cloud of points around every root (N, 3) mm, the same for an id."""
    ids = range(len(roots_mm)) if ids is None else ids
    clouds = [np.random.default_rng(seed + i).normal(0, 200, (vertices, 3)) for i in ids]
    roots_mm = np.reshape(roots_mm, (-1, 1, 3))
    points = np.reshape(clouds, (-1, vertices, 3)) + roots_mm
    centre_px = pinhole(roots_mm)[:, 0, :2]
    sample = PoseDataSample(
        metainfo=dict(
            frame_id=frame_id,
            time_s=time_s,
            focal_px=np.array(FOCAL_PX, np.float32),
            princpt_px=np.array(PRINCPT_PX, np.float32),
        )
    )
    fields = dict(
        bboxes=np.concatenate([centre_px - 40, centre_px + 40], axis=1),
        bbox_scores=np.ones(len(points)),
        keypoints=pinhole(points)[:, :joints, :2],
        joints_cam=points[:, :joints],
        posenet_joints_cam=points[:, :joints] + 5,
        vertices_cam=points,
        vertices_img=pinhole(points),
        vertex_spread=np.ones_like(points),
        root_depth_mm=roots_mm[:, 0, 2],
    )
    sample.pred_instances = InstanceData(
        **{name: np.asarray(field, np.float32) for name, field in fields.items()}
    )
    sample.pred_instances.track_ids = np.array(list(ids), int)
    return sample
