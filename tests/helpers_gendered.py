"""Toy bodies by gender, and what data sets with genders are checked with.

The three differ in rest pose, shape directions and rest root, so that a fit posed with another
gender's model is centimetres off.
"""

from dataclasses import replace

import numpy as np
import torch
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BodyModel

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
    body = BodyModel(data).double()
    tensors = (torch.from_numpy(np.asarray(a, float))[None] for a in (pose, betas, transl))
    output = body(*tensors)
    named = dict(zip(body.joint_set.joint_names, output.joints_m[0].numpy(), strict=True))
    return output.vertices_m[0].numpy(), output.lbs_joints_m[0].numpy(), named


def posed_by_gender_mm(bodies, dataset, genders):
    """Vertices (N, V, 3) in camera mm of the samples of a data set, each posed by its own model."""
    posed = []
    for i, gender in enumerate(genders):
        sample = dataset.get_data_info(i)
        parts = (torch.from_numpy(sample[name])[None] for name in ('pose', 'betas', 'transl_mm'))
        posed.append(BodyModel(bodies[gender]).pose_cam_mm(*parts)[0][0].numpy())
    return np.stack(posed)
