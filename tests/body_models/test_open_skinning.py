"""The embedded open body and hand: skinning is local, shapes change smoothly."""

import numpy as np
import pytest
import torch
import trimesh
from helpers_open_models import closed_mesh

from i2l_plugin.body_models import BodyModel, load_body_model


@pytest.fixture(scope='module')
def body():
    return load_body_model('body')


@pytest.fixture(scope='module')
def hand():
    return load_body_model('hand')


@pytest.fixture(params=['body', 'hand'])
def model_data(request):
    return request.getfixturevalue(request.param)


def test_skinning_weights_sum_to_one_and_are_local(model_data):
    weights, parents = model_data.weights, model_data.parents
    np.testing.assert_array_equal(weights.sum(1), 1)
    assert weights.min() >= 0
    assert (weights > 0).sum(1).max() <= 4
    # Joints that share a vertex are near each other in the skeleton.
    joined = np.eye(len(parents), dtype=bool)
    joined[np.arange(1, len(parents)), parents[1:]] = True
    joined |= joined.T
    near = np.linalg.matrix_power(joined.astype(int), 4) > 0
    for influences in weights > 0:
        pairs = np.flatnonzero(influences)
        assert near[np.ix_(pairs, pairs)].all()
    # No vertex follows a joint more than a limb's length away.
    joints = model_data.j_regressor @ model_data.v_template
    distance = np.linalg.norm(model_data.v_template[:, None] - joints, axis=2)
    assert (distance[weights > 0.05]).max() < (0.5 if model_data.kind == 'body' else 0.13)


def test_every_joint_carries_vertices(model_data):
    assert (model_data.weights.max(0) > 0.45).all()


@pytest.mark.parametrize(
    ('kind', 'joint', 'axis_angle'),
    [('body', 'L_Elbow', (0.0, -1.5, 0.0)), ('body', 'R_Knee', (1.5, 0.0, 0.0)),
     ('hand', 'Index2', (0.0, 0.0, 1.2))],
)  # fmt: skip
def test_bending_a_joint_moves_what_is_beyond_it_and_nothing_else(kind, joint, axis_angle, request):
    data = request.getfixturevalue(kind)
    model = BodyModel(data, flat_hand_mean=True)
    j = data.posed_joints.index(joint)
    pose = torch.zeros(1, model.num_pose, 3)
    rest = model(pose).vertices_m[0].numpy()
    pose[0, j] = torch.tensor(axis_angle)
    bent = model(pose).vertices_m[0].numpy()
    beyond = [j]
    for child, parent in enumerate(data.parents):
        if parent in beyond:
            beyond.append(child)
    share = data.weights[:, beyond].sum(1)
    moved = np.linalg.norm(bent - rest, axis=1)
    assert moved[share == 0].max() < 1e-6
    assert (share == 0).mean() > 0.85
    # What the joint carries alone turns rigidly: distances to the joint stay.
    centre = data.j_regressor[j] @ data.v_template
    rigid = share == 1
    np.testing.assert_allclose(
        np.linalg.norm(bent[rigid] - centre, axis=1),
        np.linalg.norm(rest[rigid] - centre, axis=1),
        atol=1e-5,
    )
    # In between, the skin does not tear: no edge grows to more than a few times its length.
    edges = trimesh.Trimesh(rest, data.faces, process=False).edges_unique
    before, after = (np.linalg.norm(np.diff(v[edges], axis=1), axis=2) for v in (rest, bent))
    assert (after / before).max() < 3


@pytest.mark.parametrize('beta', range(10))
def test_each_shape_direction_is_a_smooth_change(model_data, beta):
    rest, offset = model_data.v_template, model_data.shapedirs[..., beta]
    edges = trimesh.Trimesh(rest, model_data.faces, process=False).edges_unique
    length = np.linalg.norm(np.diff(rest[edges], axis=1)[:, 0], axis=1)
    change = np.linalg.norm(np.diff(offset[edges], axis=1)[:, 0], axis=1)
    assert (change / length).max() < 0.6  # local strain of one standard deviation
    assert np.median(change / length) < 0.1
    before = closed_mesh(model_data)
    for scale in (-3, 3):
        after = closed_mesh(model_data, rest + scale * offset)
        assert 0.3 < after.volume / before.volume < 2
        turned = (before.face_normals * after.face_normals).sum(1) < 0
        assert turned.mean() < 5e-3


def test_shape_directions_are_ordered_and_scaled_like_standard_deviations(body, hand):
    for data in (body, hand):
        rms = np.sqrt((data.shapedirs**2).sum(1).mean(0))
        assert (np.diff(rms) < 0).all()
    height = [np.ptp((body.v_template + s * body.shapedirs[..., 0])[:, 1]) for s in (-1, 0, 1)]
    assert 0.05 < height[1] - height[0] < 0.1  # adults vary by some 7 cm in height
    assert 0.05 < height[2] - height[1] < 0.1
