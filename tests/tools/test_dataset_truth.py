"""Downloads, converted, by shipped configs: true meshes score as they should, wrong sides not."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers_dataset_runs import config_named, load_tool, shrunk
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS

from i2l_plugin.body_models import H36M_17, SMPL_24
from i2l_plugin.datasets import AnnotationRecord


def scores_of(config, vertices_of):
    """Results of a config's test for meshes (V, 3) in camera mm instead of a network's."""
    dataset = DATASETS.build(config.test_dataloader.dataset)
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    for sample in samples:
        sample.pred_instances = InstanceData(vertices_cam=vertices_of(sample)[None])
    metrics = [one for one in config.test_evaluator if one.get('prediction') != 'posenet']
    evaluator = Evaluator(metrics)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def exchange_sides(folder, ann_file, joint_set, columns):
    """Write ``swapped.npz``: left and right exchanged in these columns, under the old names."""
    record = AnnotationRecord.load(Path(folder) / ann_file)
    arrays = {name: np.array(column) for name, column in record.columns.items()}
    order = list(joint_set.mirror_order)
    arrays.update({name: arrays[name][:, order] for name in columns})
    AnnotationRecord(record.kind, arrays).save(Path(folder) / 'swapped.npz')
    return 'swapped.npz'


def naive_mpjpe(predicted, annotated):
    """Over Human3.6M's 14 joints by name, pelvis at the origin, joint by joint."""
    names = H36M_17.joint_names
    pelvis, distances = names.index('Pelvis'), []
    for i, name in enumerate(names):
        if name not in {'Pelvis', 'Torso', 'Nose'}:
            offset = (predicted[i] - predicted[pelvis]) - (annotated[i] - annotated[pelvis])
            distances.append(sum(part**2 for part in offset) ** 0.5)
    assert len(distances) == 14
    return sum(distances) / 14


@pytest.fixture
def human36m(truths, tmp_path):
    """Config, chosen people, and the true mesh of a sample."""
    people = truths['human36m'].people
    chosen = [people[i] for i in truths['human36m'].selected((9, 11), [64], (4,))]
    config = shrunk(config_named('12e_h36m-256x256'), tmp_path)
    return config, chosen, lambda sample: people[sample.sample_id].vertices_cam_mm


def test_human36m_compares_with_the_annotated_joints(human36m):
    config, chosen, true_mesh = human36m
    errors = [naive_mpjpe(one.fit_joints_cam_mm, one.joints_cam_mm) for one in chosen]
    found = scores_of(config, true_mesh)
    assert found['joint/MPJPE'] == pytest.approx(np.mean(errors), abs=0.01)
    assert np.mean(errors) > 3  # the fitted mesh is not the annotation


def test_human36m_with_sides_exchanged_is_seen(human36m):
    config, _, true_mesh = human36m
    dataset = config.test_dataloader.dataset
    right = scores_of(config, true_mesh)['joint/MPJPE']
    columns = ('joints_cam_mm', 'joints_px', 'joints_valid')
    dataset.ann_file = exchange_sides(dataset.data_root, dataset.ann_file, H36M_17, columns)
    assert scores_of(config, true_mesh)['joint/MPJPE'] > right + 100


PW3D = '12e_h36m-muco-coco-256x256', 'pw3d', ('id_sequence', 'id_person', 'id_frame')
SURREAL = '12e_surreal-256x256', 'surreal', ('id_clip', 'id_frame')
OF_PW3D = 'joint/MPJPE', 'joint/PA-MPJPE', 'smpl_joint/MPJPE', 'smpl_joint/PA-MPJPE'
OF_SURREAL = 'joint/MPJPE', 'joint/PA-MPJPE', 'vertex/MPVPE', 'vertex/PA-MPVPE'


@pytest.fixture
def gendered(request, truths, tmp_path):
    """Config of a data set with genders, and the true mesh of a sample."""
    end, name, key = request.param
    people = truths[name].people

    def true_mesh(sample):
        return people[tuple(sample.get(part) for part in key)].vertices_cam_mm

    return shrunk(config_named(end), tmp_path), true_mesh


@pytest.mark.parametrize(
    ('gendered', 'scores'), [(PW3D, OF_PW3D), (SURREAL, OF_SURREAL)], indirect=['gendered']
)
def test_people_with_genders_are_compared_with_their_own_body(gendered, scores):
    config, true_mesh = gendered
    found = scores_of(config, true_mesh)
    assert max(found[score] for score in scores) < 0.1


@pytest.mark.parametrize('gendered', [PW3D, SURREAL], indirect=True)
def test_the_neutral_body_is_another_truth(gendered):
    config, true_mesh = gendered
    metric = dict(type='MeshJointError', body_model=config.model.body_model, joint_set='body_29')
    config.test_evaluator = [metric]
    assert scores_of(config, true_mesh)['joint/MPJPE'] > 5


@pytest.mark.parametrize(
    ('gendered', 'scores'), [(PW3D, OF_PW3D), (SURREAL, OF_SURREAL)], indirect=['gendered']
)
def test_people_with_genders_and_sides_exchanged_are_seen(gendered, scores):
    config, true_mesh = gendered
    dataset = config.test_dataloader.dataset
    dataset.ann_file = exchange_sides(dataset.data_root, dataset.ann_file, SMPL_24, ['pose'])
    found = scores_of(config, true_mesh)
    assert min(found[score] for score in scores) > 20


def test_freihand_and_its_submission_score_alike(truths, tmp_path, monkeypatch):
    truth = truths['freihand']['eval']
    config = shrunk(config_named('12e_freihand-256x256'), tmp_path)
    found = scores_of(config, lambda sample: truth.vertices_cam_mm[sample.id_hand])
    assert found['freihand/N'] == len(truth)
    assert found['freihand/mesh_mean3d'] < 1e-3  # cm
    assert found['freihand/f_score_5'] == 1

    tool = load_tool('tools/evaluate_freihand.py')
    out = tmp_path / 'scores.json'
    submission = 'work_dirs/freihand_submission/pred.zip'
    options = ['--gt', 'data/freihand', '--pred', submission, '--out', str(out), '--workers', '1']
    monkeypatch.setattr('sys.argv', ['evaluate_freihand.py', *options])
    tool.main()
    official = json.loads(out.read_text())
    assert len(official) == 13  # N among them
    for score, value in official.items():
        assert found[f'freihand/{score}'] == pytest.approx(value, abs=1e-9), score
