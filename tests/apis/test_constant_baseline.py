"""The mean mesh and its score against sums over people posed one by one."""

import numpy as np
import pytest
import torch
from helpers_gendered import toy_bodies
from helpers_records import save_toy_record
from helpers_runs import BODY_CONFIG, make_project, save_toy_model, tiny_config
from helpers_samples import posed, toy_body, toy_samples
from helpers_toy_body import toy_body_data

from i2l_plugin.apis.constant_baseline import evaluate_constant, mean_mesh_mm, true_roots_mm
from i2l_plugin.body_models import BodyModel, BodyModelsByGender, build_body_model
from i2l_plugin.datasets import AnnotationRecord, MeshDataset


def relative_meshes(record, body):
    """(N, V, 3) mm relative to the root joint, one person at a time."""
    meshes = []
    for i in range(len(record)):
        out = body(
            torch.from_numpy(np.array(record['pose'][i : i + 1])),
            torch.from_numpy(np.array(record['betas'][i : i + 1])),
        )
        root = out.joints_m[0, body.joint_set.root]
        meshes.append((out.vertices_m[0] - root).numpy() * 1000)
    return np.stack(meshes)


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp('constant'))


def test_the_mean_mesh_is_the_mean_of_the_valid_fits(project):
    body = build_body_model('body', project / 'model.npz')
    path = project / 'data/train/record.npz'
    record = AnnotationRecord.load(path)
    expected = relative_meshes(record, body).mean(0)
    np.testing.assert_allclose(
        mean_mesh_mm(MeshDataset(str(path)), BodyModelsByGender(body)), expected, atol=0.01
    )


def test_its_vertex_error_is_the_mean_distance_to_the_mean_mesh(project):
    config = tiny_config(BODY_CONFIG, project)
    body = build_body_model('body', project / 'model.npz')
    train, test = (
        relative_meshes(AnnotationRecord.load(project / f'data/{split}/record.npz'), body)
        for split in ('train', 'test')
    )
    metrics = evaluate_constant(config)
    expected = np.linalg.norm(test - train.mean(0), axis=-1).mean()
    assert metrics['vertex/MPVPE'] == pytest.approx(expected, rel=1e-5)
    assert metrics['vertex/N'] == len(test)
    assert metrics['posenet/MPJPE'] == pytest.approx(metrics['joint/MPJPE'], rel=1e-5)


def test_without_a_valid_fit_there_is_no_mean(project, tmp_path):
    columns = AnnotationRecord.load(project / 'data/train/record.npz')
    names = [name for name in columns.columns if name not in ('joint_names', 'fit_valid')]
    record = AnnotationRecord.create(
        'body',
        columns.joint_names,
        fit_valid=np.zeros(len(columns), bool),
        **{name: np.array(columns[name]) for name in names},
    )
    record.save(tmp_path / 'none.npz')
    models = BodyModelsByGender(build_body_model('body', project / 'model.npz'))
    with pytest.raises(ValueError, match=r'none\.npz'):
        mean_mesh_mm(MeshDataset(str(tmp_path / 'none.npz')), models)


def test_it_stands_at_the_true_root_in_camera_space(tmp_path):
    """Of one person the mean mesh is that person's, so that even the raw F-score is perfect."""
    project = make_project(tmp_path, people=1)
    config = tiny_config(BODY_CONFIG, project)
    config.test_dataloader.dataset.data_root = config.train_dataloader.dataset.data_root
    config.test_evaluator = [
        dict(type='FScore', body_model=config.test_evaluator[0].body_model, alignment='none')
    ]
    metrics = evaluate_constant(config)
    assert metrics == {'f_score/F@5mm': 1, 'f_score/F@15mm': 1, 'f_score/N': 1}


def test_without_a_valid_fit_the_root_is_the_annotated_one():
    body = toy_body()
    samples = toy_samples(body, n=2, fit_valid=[True, False])
    for sample in samples:
        sample.gt_instances.annotated_joints_cam_mm = np.full((1, 29, 3), 7.0)
    truth = posed(body, samples)[0]
    roots = true_roots_mm(samples, BodyModelsByGender(body)).numpy()
    np.testing.assert_allclose(roots[0], body.joint_regressor[0].numpy() @ truth, atol=1e-6)
    np.testing.assert_array_equal(roots[1], [7, 7, 7])


def test_people_of_both_genders_are_posed_and_scored_by_their_own_models(tmp_path):
    """Mean and errors by hand; the neutral model would be centimetres off."""
    project = make_project(tmp_path)
    bodies = toy_bodies()
    records, meshes = {}, {}
    for split, seed, number in (('train', 0, 8), ('test', 1, 5)):
        genders = ['m' if i % 3 == 1 else 'f' for i in range(number)]
        save_toy_record(project / 'data' / split, {'gender': genders}, n=number, seed=seed)
        records[split] = AnnotationRecord.load(project / f'data/{split}/record.npz')
        by_gender = {g: relative_meshes(records[split], BodyModel(bodies[g])) for g in 'mf'}
        meshes[split] = np.stack([by_gender[g][i] for i, g in enumerate(genders)])
    own = {g: dict(path=str(save_toy_model(tmp_path / f'{g}.npz', data=bodies[g]))) for g in 'mf'}
    config = tiny_config(BODY_CONFIG, project)
    config.model.truth_body_models = own
    config.test_evaluator = [
        dict(metric, truth_body_models=own)
        for metric in config.test_evaluator
        if metric.type == 'MeshVertexError'
    ]
    mean = meshes['train'].mean(0)
    mean -= BodyModel(toy_body_data()).joint_regressor[0].numpy() @ mean  # as the metric aligns
    expected = np.linalg.norm(meshes['test'] - mean, axis=-1).mean()
    metrics = evaluate_constant(config)
    assert metrics['vertex/MPVPE'] == pytest.approx(expected, rel=1e-5)
