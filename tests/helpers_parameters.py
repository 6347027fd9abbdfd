"""People whose body-model parameters are known, as a perfect network would regress them."""

import cv2
import numpy as np
import torch
from helpers_models import INPUT_PX, make_sample

from i2l_plugin.models.parameters import BodyParameters


def rotated_crop(rotation_deg):
    """Of a box turned by so much, its middle at (200, 130) px of the image; a fifth of the size."""
    angle = np.deg2rad(rotation_deg)
    linear = 0.2 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = np.array([200.0, 130.0])
    return np.concatenate([linear, (INPUT_PX / 2 - linear @ centre)[:, None]], axis=1)


def about_optical_axis(rotation_deg):
    """What a crop's rotation does to orientations (protocols, section 4), by cv2."""
    return cv2.Rodrigues(np.array([0, 0, -np.deg2rad(rotation_deg)]))[0]


def rotation_matrices(pose):
    """(P, 3) axis-angle to (P, 3, 3), by cv2."""
    return np.stack([cv2.Rodrigues(np.float64(one))[0] for one in pose])


def true_parameters(sample, rotation_deg):
    """Those of a sample in the axes of its crop."""
    matrices = rotation_matrices(sample.gt_instance_labels.pose[0].numpy())
    matrices[0] = about_optical_axis(rotation_deg) @ matrices[0]
    betas = sample.gt_instance_labels.betas
    return BodyParameters(torch.tensor(matrices[None]).float(), betas)


def upright_people(body, number):
    """Samples side by side and upright: their roots are half a turn from the rest pose."""
    people = []
    for i in range(number):
        pose = np.random.default_rng(i).normal(0, 0.2, (1, body.num_pose, 3))
        pose[0, 0, 0] += np.pi
        transl_mm = [[150.0 * (i - number / 2), 100, 3000]]
        people.append(make_sample(body, i, pose=pose, transl_mm=transl_mm))
    return people
