"""What other tests take for granted of the toy body: closed, outward, symmetric, named joints."""

import numpy as np
import pytest
import trimesh
from helpers_toy_body import toy_body_data

MIRROR = np.array([-1.0, 1.0, 1.0])


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_every_part_is_closed_and_faces_outward(kind):
    data = toy_body_data(kind)
    mesh = trimesh.Trimesh(data.v_template, data.faces, process=False)
    assert mesh.is_watertight
    assert all(part.volume > 0 for part in mesh.split())
    np.testing.assert_allclose(data.weights.sum(1), 1)
    np.testing.assert_allclose(data.j_regressor.sum(1), 1)


def test_mirroring_the_toy_body_is_exact():
    data = toy_body_data()
    mirror, joints = data.vertex_mirror, list(data.posed_joints.mirror_order)
    np.testing.assert_array_equal(mirror[mirror], np.arange(data.num_vertices))
    np.testing.assert_allclose(data.v_template[mirror] * MIRROR, data.v_template, atol=1e-12)
    np.testing.assert_allclose(data.shapedirs[mirror] * MIRROR[:, None], data.shapedirs, atol=1e-12)
    np.testing.assert_array_equal(data.weights[mirror][:, joints], data.weights)
    np.testing.assert_array_equal(data.j_regressor[joints][:, mirror], data.j_regressor)


def test_body_and_joints_lie_where_their_names_say():
    data = toy_body_data()
    joints = dict(
        zip(data.posed_joints.joint_names, data.j_regressor @ data.v_template, strict=True)
    )
    assert joints['L_Wrist'][0] > joints['L_Elbow'][0] > 0 > joints['R_Elbow'][0]
    assert joints['Head'][1] > joints['Pelvis'][1] > joints['L_Knee'][1] > joints['L_Toe'][1]
    np.testing.assert_allclose(joints['L_Elbow'], joints['R_Elbow'] * MIRROR, atol=1e-12)
    assert (
        data.v_template[data.vertex_ids['L_Ear'], 0]
        > 0
        > data.v_template[data.vertex_ids['R_Ear'], 0]
    )
    assert data.v_template[data.vertex_ids['Nose'], 2] > 0.05
