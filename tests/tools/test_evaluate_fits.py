"""The tool that judges fitted bodies: planted errors, which people count, which body poses whom."""

import importlib.util
import json
import sys

import numpy as np
import pytest
from helpers_gendered import pose_bodies, toy_bodies
from helpers_records import save_toy_record
from helpers_runs import ROOT, run_tool, save_toy_model
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import BODY_29, COCO_18, H36M_17, MUCO_21, SMPL_24
from i2l_plugin.datasets import AnnotationRecord

TOOL = ROOT / 'tools' / 'evaluate_fits.py'
EVALUATED = list(H36M_17.evaluation_joints)


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOL.parent))
    spec = importlib.util.spec_from_file_location('evaluate_fits', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tool, monkeypatch, tmp_path, capsys):
    """Runs the tool here; the scores and what it printed."""

    def call(*arguments):
        out = tmp_path / 'scores.json'
        arguments = [str(tmp_path / 'record.npz'), *map(str, arguments), '--out', str(out)]
        monkeypatch.setattr(sys, 'argv', ['evaluate_fits', *arguments])
        tool.main()
        return json.loads(out.read_text()), capsys.readouterr().out

    return call


@pytest.fixture
def model(tmp_path):
    return save_toy_model(tmp_path / 'model.npz')


def write(folder, change=None, **options):
    """A record of people whose annotated joints are those of their fits, changed by `change`."""
    columns = save_toy_record(folder, **options)
    record = AnnotationRecord.load(folder / 'record.npz')
    arrays = {name: np.array(array) for name, array in record.columns.items()}
    names = [name.decode() for name in arrays.pop('joint_names')]
    if change is not None:
        names = change(arrays, names) or names
    AnnotationRecord.create(columns['kind'], names, **arrays).save(folder / 'record.npz')
    return arrays


def test_exact_fits_have_no_error(tmp_path, model, run):
    write(tmp_path, n=4)
    scores, text = run('--body-model', model)
    assert [scores[name] for name in ('N_fits', 'N', 'N_px')] == [4, 4, 4]
    for name in ('MPJPE', 'PA-MPJPE', 'means_aligned', 'px'):
        assert scores[name] == pytest.approx(0, abs=1e-2), name
    assert scores['within'] == {'25': 1.0}
    assert scores['regressor'] == 'h36m_17'
    assert scores['joints'] == list(H36M_17.joint_names)
    assert scores['evaluated_joints'] == [H36M_17.joint_names[i] for i in EVALUATED]
    assert 'WARNING' not in text


def test_planted_errors_come_back(tmp_path, model, run):
    def change(arrays, _):
        arrays['joints_cam_mm'][1, :, 0] += 500  # moved as a whole
        arrays['joints_cam_mm'][2, EVALUATED, 1] += 34  # against the pelvis
        centre = arrays['joints_cam_mm'][3, :1]
        turn = Rotation.from_rotvec([0, 0.5, 0]).as_matrix()
        arrays['joints_cam_mm'][3] = 1.5 * (arrays['joints_cam_mm'][3] - centre) @ turn + centre
        arrays['joints_px'][0] += [3, 4]

    arrays = write(tmp_path, change, n=4)
    scores, text = run('--body-model', model, '--within', 5, 25, 1000)
    truth = arrays['joints_cam_mm'].astype(float)
    turned = truth[3] - truth[3, 0]
    moved_back = turned @ Rotation.from_rotvec([0, -0.5, 0]).as_matrix() / 1.5
    errors = [0, 0, 34, np.linalg.norm(turned - moved_back, axis=-1)[EVALUATED].mean()]
    assert scores['MPJPE'] == pytest.approx(np.mean(errors), abs=1e-2)
    # joint by joint: 14 of 17 are 34 mm off in y, so the means are 28 mm apart
    second = (14 * (34 - 28) + 3 * 28) / 17
    about_mean = (turned - turned.mean(0)) - (moved_back - moved_back.mean(0))
    aligned = [0, 0, second, np.linalg.norm(about_mean, axis=-1).mean()]
    assert scores['means_aligned'] == pytest.approx(np.mean(aligned), abs=1e-2)
    assert scores['means_aligned_median'] == pytest.approx(np.median(aligned), abs=1e-2)
    assert scores['within'] == {'5': 0.5, '25': 0.75, '1000': 1.0}
    # a similarity takes all of it back: the 14 evaluated joints moved together, or turned and grew
    assert scores['PA-MPJPE'] == pytest.approx(0, abs=1e-2)
    assert scores['px'] == pytest.approx(5 / 4, abs=1e-2)
    assert '75.0% within 25 mm' in text
    assert f'MPJPE {np.mean(errors):.2f} mm' in text


def test_only_people_with_everything_known_count(tmp_path, model, run):
    def change(arrays, _):
        arrays['fit_valid'][0] = False
        arrays['pose'][0] = np.nan
        arrays['has_depth'][1] = False
        arrays['joints_cam_mm'][1] = np.nan
        arrays['joints_valid'][2, 5:] = False
        arrays['joints_px'][2, 5:] = np.nan
        arrays['joints_px'][2, :5] += [6, 8]
        arrays['joints_valid'][3] = False
        arrays['transl_m'][4, 2] = 0.1  # partly behind the camera

    write(tmp_path, change, n=6)
    scores, _ = run('--body-model', model)
    assert [scores[name] for name in ('N_fits', 'N', 'N_px')] == [5, 2, 3]
    assert scores['px'] == pytest.approx(10 / 3, abs=1e-2)


def test_without_depth_there_are_errors_in_px_alone(tmp_path, model, run):
    def change(arrays, names):
        index = [names.index(name) if name in names else 0 for name in COCO_18.joint_names]
        for name in ('joints_cam_mm', 'joints_px', 'joints_valid'):
            arrays[name] = arrays[name][:, index]
        arrays['joints_valid'][:, [name not in names for name in COCO_18.joint_names]] = False
        arrays['joints_px'][0] += [0, 12]
        arrays['has_depth'][:] = False
        return COCO_18.joint_names

    write(tmp_path, change, n=3)
    scores, text = run('--body-model', model)
    assert scores['regressor'] == 'body_29'
    assert (scores['N'], scores['N_px']) == (0, 3)
    assert scores['px'] == pytest.approx(4, abs=1e-2)
    assert 'MPJPE' not in scores
    assert 'MPJPE' not in text


def test_people_in_several_batches_are_all_counted(tmp_path, model, run, monkeypatch):
    def change(arrays, _):
        arrays['joints_px'] += np.arange(7)[:, None, None] * np.float32([3, 4])

    write(tmp_path, change, n=7)
    monkeypatch.setattr('dataset_converters.converter_core.fit_quality.BATCH', 3)
    scores, _ = run('--body-model', model)
    assert scores['N'] == 7
    assert scores['px'] == pytest.approx(5 * 3, abs=1e-2)


def gendered_record(folder, genders, names=SMPL_24.joint_names):
    """Annotated by the centres of rotation of each person's own model, or its surface joints."""
    bodies = toy_bodies()
    for gender, name in (('n', 'neutral'), ('m', 'male'), ('f', 'female')):
        save_toy_model(folder / f'{name}.npz', data=bodies[gender])

    def change(arrays, _):
        joints = []
        for i, gender in enumerate(genders):
            fit = (arrays[name][i : i + 1] for name in ('pose', 'betas', 'transl_m'))
            _, centres, surface = pose_bodies(bodies[gender], *fit)
            joints.append(1000 * (centres if names == SMPL_24.joint_names else surface)[0])
        arrays['joints_cam_mm'] = np.stack(joints)
        arrays['joints_px'] = np.zeros((len(genders), len(names), 2))
        arrays['joints_valid'] = np.ones((len(genders), len(names)), bool)
        arrays['gender'] = np.array([gender.encode() for gender in genders])
        return names

    write(folder, change, n=len(genders))
    return ['--body-model-male', folder / 'male.npz', '--body-model-female', folder / 'female.npz']


@pytest.mark.parametrize('joint_set', [SMPL_24, BODY_29])
def test_each_person_is_posed_by_the_model_of_their_gender(tmp_path, run, joint_set):
    options = gendered_record(tmp_path, 'fmnf', joint_set.joint_names)
    scores, text = run(*options, '--body-model', tmp_path / 'neutral.npz')
    assert scores['regressor'] == joint_set.name
    assert scores['N'] == 4
    assert scores['MPJPE'] == pytest.approx(0, abs=1e-2)
    assert set(scores['body_models']) == {'f', 'm', 'n'}
    assert 'WARNING' not in text
    scores, text = run('--body-model', tmp_path / 'neutral.npz')
    assert scores['MPJPE'] > 5
    assert 'WARNING: one body model poses people of genders' in text


def test_hands_are_judged_by_their_own_joints(tmp_path, run):
    path = save_toy_model(tmp_path / 'hand.npz', 'hand')

    def change(arrays, _):
        arrays['joints_cam_mm'][:, 1:, 2] += 4

    write(tmp_path, change, kind='hand', n=2)
    scores, _ = run('--body-model', path)
    assert scores['regressor'] == 'hand_21'
    assert scores['MPJPE'] == pytest.approx(4 * 20 / 21, abs=1e-2)  # the wrist counts as 0


def test_muco_is_judged_by_what_it_shares_with_human36m(tool, tmp_path):
    def change(arrays, _):
        for name in ('joints_cam_mm', 'joints_px', 'joints_valid'):
            arrays[name] = np.repeat(arrays[name][:, :1], 21, axis=1)
        return MUCO_21.joint_names

    write(tmp_path, change, n=1)
    compared = tool.compared_joints(AnnotationRecord.load(tmp_path / 'record.npz'), None)
    assert len(compared.names) == 14
    assert 'Neck' not in compared.names
    assert [compared.names[i] for i in compared.evaluated][:2] == ['R_Hip', 'R_Knee']


def test_a_protocol_takes_its_people_alone(tmp_path, model, run):
    def change(arrays, _):
        arrays['id_subject'] = np.array([9, 9, 11, 1])
        arrays['id_camera'] = np.array([4, 1, 4, 4])
        arrays['id_frame'] = np.array([64, 64, 192, 64])
        arrays['joints_px'] += np.arange(4)[:, None, None] * np.float32([3, 4])

    write(tmp_path, change, n=4)
    scores, _ = run('--body-model', model, '--protocol', 'h36m/paper')
    assert scores['N'] == 2
    assert scores['px'] == pytest.approx(5, abs=1e-2)  # of the first and the third


def mistake_of(run, *options):
    with pytest.raises(SystemExit) as stopped:
        run(*options)
    return str(stopped.value)


def test_mistakes_are_one_line(tmp_path, model, run):
    assert 'record.npz' in mistake_of(run)  # there is none
    write(tmp_path, n=2)
    assert 'this record is of a body' in mistake_of(run, '--regressor', 'hand_21')
    assert "unknown protocol 'x'" in mistake_of(run, '--protocol', 'x')
    assert 'has no genders' in mistake_of(run, '--body-model-male', model)
    assert 'no.npz' in mistake_of(run, '--body-model', tmp_path / 'no.npz')
    write(tmp_path, lambda arrays, _: arrays['fit_valid'].fill(False), n=2)
    assert 'nobody of it has a fitted body' in mistake_of(run, '--body-model', model)


def test_missing_models_and_joints_are_named(tmp_path, run):
    options = gendered_record(tmp_path, 'fn')
    assert "gender ['n']: give --body-model as well" in mistake_of(run, *options)
    assert '--body-model-female as well' in mistake_of(run, *options[:2], '--body-model', 'open')

    def change(arrays, names):
        arrays['joints_valid'] = arrays['joints_valid'][:, 1:]
        for name in ('joints_cam_mm', 'joints_px'):
            arrays[name] = arrays[name][:, 1:]
        return names[1:]

    write(tmp_path, change, n=1)
    assert 'expected its root Pelvis and two more' in mistake_of(run)


def test_the_command_works_on_the_open_body_and_shows_its_progress(tmp_path):
    save_toy_record(tmp_path, n=2)
    result = run_tool(TOOL, tmp_path / 'record.npz', '--progress', 'on')
    assert '2 fits, 2 with all joints annotated in 3D' in result.stdout
    assert 'posing the fits' in result.stderr
