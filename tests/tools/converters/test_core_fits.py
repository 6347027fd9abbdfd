"""Posing for fit errors, and cameras in a world."""

import argparse

import numpy as np
import pytest
import torch
from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.columns import CHUNK
from converter_core.fit_error import (
    JointPoser,
    fill_fit_error_mm,
    h36m_rows,
    joint_set_rows,
    load_model_data,
)
from helpers_converters import NAMES, body_off_origin, fit, naive_fit_error_mm, person
from helpers_human36m import look_at
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models import BODY_29, H36M_17, BodyModel
from i2l_plugin.datasets import AnnotationRecord


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_posing_only_the_vertices_that_joints_read_changes_nothing(kind):
    rng = np.random.default_rng(0)
    data = body_off_origin() if kind == 'body' else toy_body_data('hand')
    model = BodyModel(data).double()
    rows = h36m_rows(data) if kind == 'body' else model.joint_regressor.numpy()
    poser = JointPoser(data, rows)
    assert len(poser.used) < data.num_vertices
    pose = rng.normal(0, 0.5, (4, model.num_pose, 3))
    betas, transl = rng.normal(0, 1, (4, 10)), rng.normal(0, 1, (4, 3))
    tensors = (torch.from_numpy(array) for array in (pose, betas, transl))
    vertices = 1000 * model(*tensors).vertices_m.numpy()
    np.testing.assert_allclose(poser(pose, betas, transl), rows @ vertices, atol=1e-3)
    root = model.rest_root_m(torch.from_numpy(betas)).numpy()
    np.testing.assert_allclose(poser.rest_root_m(betas), root, atol=1e-7)


def test_a_joint_sets_own_rows_give_its_joints():
    data = toy_body_data()
    joints = JointPoser(data, joint_set_rows(data, BODY_29))(
        *(np.zeros(shape) for shape in ((1, 24, 3), (1, 10), (1, 3)))
    )
    expected = 1000 * BodyModel(data)(torch.zeros(1, 24, 3)).joints_m[0]
    np.testing.assert_allclose(joints[0], expected, atol=1e-3)


def test_fit_errors_are_filled_where_everything_is_known(tmp_path):
    rng = np.random.default_rng(0)
    data = toy_body_data()
    poser = JointPoser(data, h36m_rows(data))
    builder = RecordBuilder('body', H36M_17.joint_names, ('fit_error_mm',))
    expected = []
    for number in range(CHUNK + 40):
        parts = fit(rng if number % 50 == 0 else None) if number % 5 else {}
        if number % 50 == 1:
            parts = fit(rng)
        joints = rng.normal([0, 0, 3000], 100, (17, 3))
        changes = {'joints_cam_mm': joints, 'joints_px': joints[:, :2]}
        known = bool(parts)
        if number % 7 == 0:
            known, changes['joints_valid'] = False, np.arange(17) > 0
        if number % 11 == 0:
            known, changes['root_depth_mm'] = False, None
        builder.add(**person(number, **changes), **parts)
        expected.append((parts, joints) if known else None)
    fill_fit_error_mm(builder, poser, H36M_17.joint_names)
    said = str(builder.finish(tmp_path / 'r.npz'))
    errors = AnnotationRecord.load(tmp_path / 'r.npz')['fit_error_mm']
    assert [e is None for e in expected] == np.isnan(errors).tolist()
    for number in [*range(60), *range(CHUNK, CHUNK + 40)]:
        if expected[number] is not None:
            parts, joints = expected[number]
            fitted = poser(*(np.asarray(part)[None] for part in parts.values()))[0]
            assert errors[number] == pytest.approx(naive_fit_error_mm(fitted, joints), rel=1e-4)
    assert f'of {len(errors)}' not in said
    assert 'fits: median error' in said


def test_nothing_is_said_of_fit_errors_without_fits(tmp_path):
    data = toy_body_data()
    builder = RecordBuilder('body', NAMES, ('fit_error_mm',))
    builder.add(**person())
    rows = h36m_rows(data)[[H36M_17.index(name) for name in NAMES]]
    fill_fit_error_mm(builder, JointPoser(data, rows), NAMES)
    assert 'error' not in str(builder.finish(tmp_path / 'r.npz'))


def test_a_model_without_the_regressor_says_how_to_give_it(tmp_path):
    hand = load_model_data(argparse.Namespace(body_model='open'), 'hand')
    assert hand.kind == 'hand'
    with pytest.raises(ValueError, match=r'name its file.*with --h36m-regressor'):
        h36m_rows(hand)
    args = argparse.Namespace(body_model='open', h36m_regressor=str(tmp_path / 'no.npy'))
    with pytest.raises(FileNotFoundError, match='h36m_17'):
        load_model_data(args)


def test_a_fit_moves_into_the_camera_as_its_vertices_do():
    rng = np.random.default_rng(0)
    data = body_off_origin()
    model = BodyModel(data).double()
    for _ in range(5):
        rotation, translation = look_at(rng.normal(0, 2000, 3), rng.normal(0, 500, 3))
        camera = WorldCamera(rotation, translation, np.array([500.0, 510.0]), np.zeros(2))
        parts = fit(rng)
        parts['pose'][0] = rng.normal(0, 2, 3)
        pose, transl = camera.fit_to_camera(
            parts['pose'],
            np.array(parts['transl_m']),
            model.rest_root_m(torch.from_numpy(parts['betas'])[None])[0].numpy(),
        )
        in_world, in_camera = (
            1000 * model(*(torch.from_numpy(np.asarray(a))[None] for a in arrays)).vertices_m[0]
            for arrays in (parts.values(), (pose, parts['betas'], transl))
        )
        expected = camera.points_to_camera(in_world.numpy())
        np.testing.assert_allclose(in_camera.numpy(), expected, atol=1e-4)
        in_image = expected[:, :2] / expected[:, 2:] * [500, 510]
        np.testing.assert_allclose(camera.project(expected), in_image, atol=1e-9)
