"""Data samples of the toy body with ground truth and predictions, as the estimator leaves them."""

import numpy as np
import torch
from helpers_toy_body import toy_body_data
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import BodyModel


def toy_body(kind='body'):
    """In float64, like the metrics' own copy, so that naive sums can agree to 1e-6 mm."""
    return BodyModel(toy_body_data(kind)).double()


def posed(body, samples):
    """True vertices (B, V, 3) of data samples, mm."""
    labels = [sample.gt_instance_labels for sample in samples]
    fields = (
        torch.cat([label[name] for label in labels]) for name in ('pose', 'betas', 'transl_mm')
    )
    return body.pose_cam_mm(*fields)[0].numpy()


def toy_samples(body, n=5, seed=0, joint_set=None, fit_valid=None):
    """n samples with a posed body, and joints of `joint_set` annotated (the body's by default)."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(n):
        sample = PoseDataSample(metainfo={'sample_id': 100 + i})
        valid = 1.0 if fit_valid is None else float(fit_valid[i])
        fields = {
            'pose': rng.normal(0, 0.3, (1, body.num_pose, 3)),
            'betas': rng.normal(0, 1, (1, 10)),
            'transl_mm': rng.normal([0, 0, 4000], 200, (1, 3)),
            'mirrored': np.zeros(1),
            'fit_valid': np.array([valid]),
        }
        tensors = {name: torch.from_numpy(array).float() for name, array in fields.items()}
        sample.gt_instance_labels = InstanceData(**tensors)
        samples.append(sample)
    joint_set = joint_set or body.joint_set
    joints = body.regressor(joint_set.name).numpy() @ posed(body, samples)
    for sample, sample_joints in zip(samples, joints, strict=True):
        sample.set_metainfo({'annotated_joint_names': joint_set.joint_names})
        sample.gt_instances = InstanceData(
            annotated_joints_cam_mm=sample_joints[None],
            annotated_joints_valid=np.ones((1, len(joint_set)), bool),
        )
    return samples


def predict(samples, vertices, posenet_joints=None):
    """Adds `pred_instances`: meshes (B, V, 3) in mm, and PoseNet's joints if given."""
    for i, sample in enumerate(samples):
        fields = {'vertices_cam': vertices[i : i + 1]}
        if posenet_joints is not None:
            fields['posenet_joints_cam'] = posenet_joints[i : i + 1]
        sample.pred_instances = InstanceData(**fields)
    return samples


def noisy_meshes(body, samples, seed=1, noise_mm=20.0):
    """Plausible predictions: the true meshes turned, resized, moved and disturbed."""
    rng = np.random.default_rng(seed)
    vertices = posed(body, samples)
    turn = Rotation.from_rotvec(rng.normal(0, 0.2, (len(samples), 3))).as_matrix()
    centre = vertices.mean(1, keepdims=True)
    moved = 1.1 * (vertices - centre) @ turn + centre + rng.normal(0, 50, (len(samples), 1, 3))
    return moved + rng.normal(0, noise_mm, vertices.shape)
