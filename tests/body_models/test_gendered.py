"""Posing by gender against each person posed alone by their own model."""

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers_gendered import toy_bodies
from helpers_runs import save_toy_model
from helpers_toy_body import toy_body_data
from mmengine.logging import MMLogger

from i2l_plugin.body_models import (
    SMPL_24,
    BodyModel,
    BodyModelsByGender,
    build_body_model,
    build_body_models_by_gender,
    gendered,
)


@pytest.fixture(scope='module')
def bodies():
    return {gender: BodyModel(data).double() for gender, data in toy_bodies().items()}


@pytest.fixture
def warnings(monkeypatch):
    texts = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', texts.append)
    return texts


def people_of(genders):
    """What samples say of people; ``'-'`` has no gender."""
    return [
        {'sample_id': 7 + i, **({} if gender == '-' else {'gender': gender})}
        for i, gender in enumerate(genders)
    ]


def parameters(num, seed=0):
    rng = np.random.default_rng(seed)
    arrays = (
        rng.normal(0, 0.3, (num, 24, 3)),
        rng.normal(0, 1, (num, 10)),
        rng.normal([0, 0, 4000], 200, (num, 3)),
    )
    return *(torch.from_numpy(array) for array in arrays), torch.arange(num) % 3 == 1


def pose_alone(model, fields, i):
    """One person, without a batch around them; the mirrored root as the definition has it."""
    pose, betas, transl_mm, mirrored = (field[i : i + 1] for field in fields)
    if mirrored[0]:
        root = model.rest_root_m(betas) * 1000
        transl_mm = (root + transl_mm) * transl_mm.new_tensor([-1, 1, 1]) - root
    out = model(pose, betas, transl_mm / 1000)
    return out.vertices_m[0] * 1000, out.joints_m[0] * 1000


@pytest.mark.parametrize(
    ('known', 'genders', 'expected'),
    [
        ('mf', 'fmffm', 'fmffm'),
        ('mf', 'm', 'm'),
        ('mf', 'ff', 'ff'),
        ('mf', '-f-mn', 'nfnmn'),  # without 'n', body_model poses the rest
        ('nmf', '-fmnf', 'MfmMf'),
        ('', 'mf-', 'nnn'),
    ],
)
def test_everybody_is_posed_as_alone_by_their_own_model(bodies, warnings, known, genders, expected):
    bodies = dict(bodies, M=BodyModel(toy_body_data(seed=9)).double())  # of gender 'n', if there
    by_gender = {gender: bodies['M' if gender == 'n' else gender] for gender in known}
    models = BodyModelsByGender(bodies['n'], by_gender)
    fields = parameters(len(genders))
    vertices, joints = models.pose_cam_mm(people_of(genders), *fields)
    for i, name in enumerate(expected):
        alone = pose_alone(bodies[name], fields, i)
        torch.testing.assert_close(vertices[i], alone[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(joints[i], alone[1], atol=1e-6, rtol=0)
    assert len(warnings) == (known == '')


def test_the_order_of_a_batch_changes_nothing(bodies):
    models = BodyModelsByGender(bodies['n'], {g: bodies[g] for g in 'mf'})
    genders = np.array(list('m-ff'))
    fields = parameters(4)
    whole = models.pose_cam_mm(people_of(genders), *fields)
    for order in itertools.permutations(range(4)):
        rows = torch.tensor(order)
        part = models.pose_cam_mm(people_of(genders[list(order)]), *(f[rows] for f in fields))
        for one, other in zip(part, whole, strict=True):
            torch.testing.assert_close(one, other[rows], atol=1e-9, rtol=0)


def test_joints_are_of_each_models_own_regressor(bodies):
    data = toy_bodies()['f']
    rows = data.j_regressor.copy()
    rows[SMPL_24.index('L_Knee')] = rows[SMPL_24.index('R_Ankle')]
    female = BodyModel(replace(data, j_regressor=rows)).double()
    models = BodyModelsByGender(bodies['n'], {'f': female})
    vertices, joints = models.pose_cam_mm(people_of('-f'), *parameters(2))
    for i, model in enumerate((bodies['n'], female)):
        torch.testing.assert_close(joints[i], model.joint_regressor @ vertices[i])
    assert torch.equal(joints[1, 4], joints[1, 8])


def test_gradients_reach_the_parameters_of_everybody(bodies):
    """As for a regressor of pose and shape, whose meshes a loss compares."""
    models = BodyModelsByGender(bodies['n'], {g: bodies[g] for g in 'mf'})
    pose, betas, transl, mirrored = parameters(3)
    direction = torch.randn(betas.shape, dtype=torch.float64)

    def total(step):
        vertices, _ = models.pose_cam_mm(
            people_of('f-m'), pose, betas + step * direction, transl, mirrored
        )
        return (vertices**2).sum(dim=(1, 2)) @ torch.tensor([1.0, 2, 3]).double()

    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    total(step).backward()
    difference = (total(1e-4) - total(-1e-4)).item() / 2e-4
    assert step.grad.item() == pytest.approx(difference, rel=1e-6)


def test_pose_needs_no_mirroring(bodies):
    models = BodyModelsByGender(bodies['n'], {'m': bodies['m']})
    *fields, _ = parameters(2)
    vertices, _ = models.pose_cam_mm(people_of('m-'), *fields)
    none = torch.zeros(2, dtype=torch.bool)
    torch.testing.assert_close(vertices[0], pose_alone(bodies['m'], [*fields, none], 0)[0])


def test_models_follow_the_device_and_the_copy_and_stay_out_of_checkpoints(bodies):
    models = BodyModelsByGender(bodies['n'], {'m': bodies['m'], 'f': bodies['m']})
    assert models.state_dict() == {}
    assert list(models.parameters()) == []
    moved = copy.deepcopy(models).to('meta')
    assert {buffer.device.type for buffer in moved.buffers()} == {'meta'}
    assert len(list(moved.buffers())) == 2 * len(list(bodies['n'].buffers()))
    assert moved.by_gender['f'] is moved.by_gender['m']
    assert {buffer.device.type for buffer in models.buffers()} == {'cpu'}


def test_genders_that_one_model_poses_are_warned_of_once(bodies, warnings):
    models = BodyModelsByGender(bodies['n'])
    models.groups(people_of('n-'))
    assert not warnings
    for _ in range(2):
        models.groups(people_of('mnf'))
    models.of({'gender': 'm'})
    assert len(warnings) == 1
    assert "gender ['f', 'm'], but one body_model poses" in warnings[0]
    assert "truth_body_models beside it, as dict(m=dict(path='SMPL_MALE.pkl')" in warnings[0]


@pytest.mark.parametrize(
    ('known', 'genders', 'needs_gender', 'message'),
    [
        ('f', 'fm', False, r"8 has gender 'm', .* of \('f',\), has no model: add m=dict"),
        ('mf', 'mx', False, r"8 has gender 'x', .* of \('m', 'f'\), has no model"),
        ('mf', 'mn', True, r"8 has gender 'n', .* has no model: add n=dict"),
        ('mf', '-m', True, r'7 has no gender, .* convert the data set again'),
        ('nmf', '-m', True, r'7 has no gender'),
    ],
)
def test_people_without_their_model_are_named(bodies, known, genders, needs_gender, message):
    by_gender = {gender: bodies[gender] for gender in known}
    models = BodyModelsByGender(bodies['n'], by_gender, needs_gender)
    with pytest.raises(ValueError, match=f'data sample {message}'):
        models.pose_cam_mm(people_of(genders), *parameters(len(genders)))


def test_people_without_their_model_are_named_by_their_picture_too(bodies):
    models = BodyModelsByGender(bodies['n'], {'f': bodies['f']})
    with pytest.raises(ValueError, match=r"data sample 3 \(surreal/a\.jpg\) has gender 'm'"):
        models.of({'sample_id': 3, 'img_path': 'surreal/a.jpg', 'gender': 'm'})


def one_vertex_more():
    data = toy_body_data()
    arrays = {
        name: np.concatenate([array, array[-1:]])
        for name, array in vars(data).items()
        if name in ('v_template', 'shapedirs', 'posedirs', 'weights')
    }
    regressor = np.pad(data.j_regressor, ((0, 0), (0, 1)))
    return BodyModel(
        replace(data, **arrays, j_regressor=regressor, regressors={}, vertex_mirror=None)
    )


def other_faces():
    data = toy_body_data()
    faces = data.faces.copy()
    faces[0, 0] = 100
    return BodyModel(replace(data, faces=faces))


@pytest.mark.parametrize(
    ('by_gender', 'message'),
    [
        (lambda: dict(x=BodyModel(toy_body_data())), r"got gender 'x', .* \('n', 'm', 'f'\)"),
        (lambda: dict(m=BodyModel(toy_body_data('hand'))), r"\['m'\] is a hand of 192 vertices"),
        (lambda: dict(f=one_vertex_more()), r"\['f'\] is a body of 193 vertices, .* of 192"),
        (lambda: dict(m=BodyModel(toy_body_data(), SMPL_24)), r"\['m'\] has joint_set 'smpl_24'"),
        (lambda: dict(f=other_faces()), r"\['f'\] has other faces .* files of one family"),
    ],
)
def test_models_that_do_not_belong_together_are_refused(bodies, by_gender, message):
    with pytest.raises(ValueError, match=f'truth_body_models.*{message}'):
        BodyModelsByGender(bodies['n'], by_gender())


def test_files_of_one_topology_may_write_its_faces_in_another_order(bodies):
    data = toy_body_data()
    turned = np.roll(data.faces[::-1], 1, axis=1)
    assert BodyModelsByGender(bodies['n'], {'m': BodyModel(replace(data, faces=turned))})


def test_options_are_inherited_and_equal_ones_are_built_once(bodies, tmp_path, monkeypatch):
    built = []

    def build(**options):
        built.append(options)
        return build_body_model(**options)

    monkeypatch.setattr(gendered, 'build_body_model', build)
    paths = {g: save_toy_model(tmp_path / f'{g}.npz', data=toy_bodies()[g]) for g in 'nf'}
    base = dict(kind='body', path=str(paths['n']), joint_set='smpl_24')
    female = dict(path=str(paths['f']))
    models = build_body_models_by_gender(base, dict(n=dict(), m=female, f=dict(female)))
    assert sorted(built, key=str) == sorted([base, {**base, **female}], key=str)
    assert models.by_gender['n'] is models.body_model
    assert models.by_gender['m'] is models.by_gender['f']
    assert models.genders == ('n', 'm', 'f')
    assert models.by_gender['f'].joint_set is models.body_model.joint_set is SMPL_24
    assert len(models.groups(people_of('mf'))) == 1
    torch.testing.assert_close(
        models.of({'gender': 'f'}).v_template, bodies['f'].v_template.float()
    )

    given = build_body_models_by_gender(bodies['n'], dict(m=bodies['m']))
    assert given.body_model is bodies['n']
    assert given.of({'gender': 'm'}) is bodies['m']
    assert build_body_models_by_gender(bodies['n']).genders == ()
    with pytest.raises(ValueError, match=r'truth_body_models: got no models, .* or None'):
        build_body_models_by_gender(base, {})
    with pytest.raises(FileNotFoundError, match=r'no\.pkl'):
        build_body_models_by_gender(base, dict(m=dict(path='no.pkl')))
