"""Running a converter in this process, and bodies whose root is off the origin, as SMPL's is."""

import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BodyModel
from i2l_plugin.datasets import AnnotationRecord

NAMES = ('Pelvis', 'L_Hip', 'R_Hip')  # annotated joints of `person`


def body_off_origin():
    """The toy body with the root joint where SMPL has it, so that rotations must turn about it."""
    data = toy_body_data()
    return replace(data, v_template=data.v_template + np.array([-0.002, -0.22, 0.03]))


class Converter:
    """One converter on one folder.

    Args:
        module: With ``main(argv)``.
        root: The data set; the record goes to ``root/out.npz``.
        options: That every call has.
    """

    def __init__(self, module, root, *options):
        self.main, self.root, self.out = module.main, root, root / 'out.npz'
        self.options = ['--root', str(root), '--out', str(self.out), *options]

    def __call__(self, *options):
        """Convert; the record and what was printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.main([*self.options, *options])
        return AnnotationRecord.load(self.out), printed.getvalue()

    def fails(self, *options):
        """Convert, which must stop with a message, returned, and leave nothing behind."""
        before = sorted(self.root.iterdir())
        with pytest.raises(SystemExit) as stopped:
            self.main([*self.options, *options])
        message = str(stopped.value)
        assert message.startswith('error: '), message
        assert sorted(self.root.iterdir()) == before
        return message


def edit_json(path, change):
    """Let `change` alter the parsed file in place."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def posed_vertices_mm(data, dataset):
    """Vertices (N, V, 3) in camera mm of all samples of a `MeshDataset`."""
    samples = [dataset.get_data_info(i) for i in range(len(dataset))]
    pose, betas, transl_mm = (
        torch.from_numpy(np.stack([sample[name] for sample in samples]))
        for name in ('pose', 'betas', 'transl_mm')
    )
    return BodyModel(data).pose_cam_mm(pose, betas, transl_mm)[0].numpy()


def naive_fit_error_mm(fit_joints, joints):
    """Mean distance after moving the mean of one set of joints onto the other's, joint by joint."""
    shift = [sum(j[k] for j in joints) / len(joints) for k in range(3)]
    for k in range(3):
        shift[k] -= sum(j[k] for j in fit_joints) / len(fit_joints)
    total = 0.0
    for fitted, annotated in zip(fit_joints, joints, strict=True):
        total += sum((fitted[k] + shift[k] - annotated[k]) ** 2 for k in range(3)) ** 0.5
    return total / len(joints)


def person(number=1, **changes):
    """Arguments of `RecordBuilder.add` for three joints."""
    return {
        'sample_id': number,
        'image_id': 10 * number,
        'image_path': f'a/{number}.png',
        'image_size_px': (32, 24),
        'bbox_px': [1, 2, 20, 22],
        'focal_px': [100, 110],
        'princpt_px': [16, 12],
        'joints_cam_mm': [[0, 0, 3000], [10, 0, 3000], [-10, 0, 3000]],
        'joints_px': [[16, 12], [17, 12], [15, 12]],
        'root_depth_mm': 3000,
        **changes,
    }


def fit(rng=None):
    """Pose, betas and translation: at rest, or random."""
    pose = np.zeros((24, 3)) if rng is None else rng.normal(0, 0.3, (24, 3))
    betas = np.zeros(10) if rng is None else rng.normal(0, 1, 10)
    return {'pose': pose, 'betas': betas, 'transl_m': [0.1, 0.2, 3.0]}
