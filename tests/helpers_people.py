"""Scene samples of toy people, and which person a picture shows, found without the renderer."""

import numpy as np
from helpers_toy_body import toy_body_data
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

FOCAL, PRINCPT = np.array([200.0, 220.0]), np.array([70.3, 45.1])
HEIGHT, WIDTH = 96, 128
FACES = toy_body_data().faces


def project(points_mm):
    return points_mm[..., :2] / points_mm[..., 2:] * FOCAL + PRINCPT


def people_sample(places_mm, **fields):
    """Upright toy bodies, the middle of each at (x, y, z) mm; turned by their number."""
    template = toy_body_data().v_template * (1000, -1000, -1000)
    bodies = []
    for i, place in enumerate(places_mm):
        cos, sin = np.cos(0.7 * i), np.sin(0.7 * i)
        bodies.append(template @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]) + place)
    vertices = np.reshape(bodies, (len(places_mm), *template.shape))
    pixels = project(vertices)
    spread = np.random.default_rng(0).uniform(1, 4, vertices.shape)
    people = InstanceData(
        vertices_cam=vertices.astype(np.float32),
        keypoints=pixels[:, ::6][:, :29],
        keypoint_scores=np.ones((len(vertices), 29), np.float32),
        vertex_spread=spread,
        root_depth_mm=np.array([place[2] for place in places_mm], float),
        bboxes=np.concatenate([pixels.min(1), pixels.max(1)], axis=-1),
        **fields,
    )
    meta = {'focal_px': FOCAL, 'princpt_px': PRINCPT, 'ori_shape': (HEIGHT, WIDTH)}
    return PoseDataSample(metainfo=meta, pred_instances=people)


def nobody(**meta):
    """A scene sample of a picture in which nobody was found."""
    camera = {'focal_px': FOCAL, 'princpt_px': PRINCPT}
    return PoseDataSample(metainfo={**camera, **meta}, pred_instances=InstanceData())


def naive_nearest(vertices_mm, faces):
    """A z-buffer, face by face: (H, W) index of the nearest person at pixel centres, or -1.

    A face with corners a, b, c is met at depth 1 / (weights . 1 / z), with the barycentric weights
    of the pixel in the projected triangle.
    """
    nearest, depth = np.full((HEIGHT, WIDTH), -1), np.full((HEIGHT, WIDTH), np.inf)
    for person, vertices in enumerate(vertices_mm):
        for corners in np.asarray(vertices, float)[faces]:
            a, b, c = project(corners)
            area = _cross(b - a, c - a)
            low = np.clip(np.floor(np.min([a, b, c], axis=0)), 0, (WIDTH, HEIGHT)).astype(int)
            high = np.clip(np.ceil(np.max([a, b, c], axis=0)) + 1, 0, (WIDTH, HEIGHT)).astype(int)
            y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
            p = np.stack([x, y], axis=-1)
            parts = [_cross(c - b, p - b), _cross(a - c, p - c), _cross(b - a, p - a)]
            weights = np.stack(parts, axis=-1) / (area or np.inf)
            z = 1 / np.maximum(weights @ (1 / corners[:, 2]), 1e-9)
            closer = (weights >= 0).all(-1) & (weights.sum(-1) > 0.5) & (z < depth[y, x])
            nearest[y[closer], x[closer]] = person
            depth[y[closer], x[closer]] = z[closer]
    return nearest


def _cross(u, v):
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def seen_person(picture, colors):
    """(H, W) index of the colour (N, 3) that a shaded pixel has, whatever its brightness."""
    tint = picture / np.maximum(np.linalg.norm(picture, axis=-1, keepdims=True), 1e-9)
    colors = colors / np.linalg.norm(colors, axis=-1, keepdims=True)
    return np.linalg.norm(tint[..., None, :] - colors, axis=-1).argmin(axis=-1)
