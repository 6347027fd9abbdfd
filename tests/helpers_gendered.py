"""Toy bodies by gender, and what data sets with genders are checked with.

The three differ in rest pose, shape directions and rest root, so that a fit posed with another
gender's model is centimetres off.
"""

from dataclasses import replace

import numpy as np
import torch
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BODY_29, BodyModel

_ROOTS = {'n': (-0.002, -0.24, 0.028), 'm': (-0.002, -0.22, 0.03), 'f': (-0.001, -0.27, 0.02)}
_SIZES = {'n': 1.0, 'm': 1.03, 'f': 0.96}


def toy_bodies():
    """`BodyModelData` by gender ``'n'``, ``'m'`` and ``'f'``."""
    bodies = {}
    for seed, (gender, root) in enumerate(_ROOTS.items()):
        data = toy_body_data(seed=seed)
        bodies[gender] = replace(data, v_template=_SIZES[gender] * data.v_template + np.array(root))
    return bodies


def model_options(folder, bodies):
    """Saves the male and the female model; the converters' options that name them."""
    names = {'m': 'male', 'f': 'female'}
    for gender, name in names.items():
        save_toy_model(folder / f'{name}.npz', data=bodies[gender])
    return [
        part
        for name in names.values()
        for part in (f'--body-model-{name}', str(folder / f'{name}.npz'))
    ]


def pose_body(data, pose, betas, transl):
    """Vertices (V, 3), SMPL joints (24, 3) and surface joints by name, in the units of `transl`."""
    vertices, joints, surface = pose_bodies(
        data, *(np.array(a)[None] for a in (pose, betas, transl))
    )
    names = BODY_29.joint_names
    return vertices[0], joints[0], dict(zip(names, surface[0], strict=True))


def pose_bodies(data, pose, betas, transl):
    """Vertices (N, V, 3), SMPL joints (N, 24, 3) and surface joints (N, 29, 3)."""
    tensors = (torch.from_numpy(np.asarray(a, float)) for a in (pose, betas, transl))
    output = BodyModel(data).double()(*tensors)
    return tuple(part.numpy() for part in (output.vertices_m, output.lbs_joints_m, output.joints_m))


def posed_by_gender_mm(bodies, dataset, genders):
    """Vertices (N, V, 3) in camera mm of the samples of a data set, each posed by its own model."""
    posed = []
    for i, gender in enumerate(genders):
        sample = dataset.get_data_info(i)
        parts = (torch.from_numpy(sample[name])[None] for name in ('pose', 'betas', 'transl_mm'))
        posed.append(BodyModel(bodies[gender]).pose_cam_mm(*parts)[0][0].numpy())
    return np.stack(posed)
