"""MRPE against hand-made errors, and which samples count."""

import numpy as np
import pytest
import torch
from helpers_genders import GENDERED, evaluate, samples_of, true_meshes
from helpers_samples import posed, toy_body, toy_samples
from mmengine.structures import InstanceData

from i2l_plugin.body_models import H36M_17
from i2l_plugin.evaluation import RootPositionError

BODY = toy_body()
ERRORS_MM = np.array([[3.0, 4.0, 0.0], [-6.0, 2.0, 3.0], [0.0, -1.0, 0.0]])


def predict_roots(samples, roots_mm):
    """Adds `pred_instances` of RootNet: root joints (B, 3) in mm."""
    for sample, root_mm in zip(samples, roots_mm, strict=True):
        sample.pred_instances = InstanceData(root_cam=np.array(root_mm)[None])
    return samples


@pytest.fixture
def samples():
    """Three people whose fitted and annotated roots are 40 mm apart, predicted with `ERRORS_MM`."""
    samples = toy_samples(BODY, n=3)
    roots_mm = BODY.joint_regressor[BODY.joint_set.root].numpy() @ posed(BODY, samples)
    for sample in samples:
        sample.gt_instances.annotated_joints_cam_mm += [0, 40, 0]
    return predict_roots(samples, roots_mm + ERRORS_MM)


def test_errors_are_distances_and_their_parts_in_camera_space(samples):
    results = evaluate(samples, RootPositionError(BODY), batch_size=2)
    expected = {'MRPE': (5 + 7 + 1) / 3, 'MRPE_x': 3.0, 'MRPE_y': 7 / 3, 'MRPE_z': 1.0, 'N': 3}
    assert results == pytest.approx({f'root/{name}': mm for name, mm in expected.items()}, abs=1e-3)


def test_annotated_truth_is_the_joint_of_the_roots_name(samples):
    results = evaluate(samples, RootPositionError(BODY, truth='annotated'))
    assert results['root/MRPE_y'] == pytest.approx((36 + 38 + 41) / 3, abs=1e-3)
    assert results['root/MRPE_x'] == pytest.approx(3, abs=1e-3)


def test_people_of_unknown_depth_or_without_a_fit_do_not_count(samples):
    samples[0].gt_instance_labels.fit_valid = torch.zeros(1)
    samples[1].gt_instances.annotated_joints_valid = np.zeros((1, len(BODY.joint_set)), bool)
    fitted = evaluate(samples, RootPositionError(BODY))
    annotated = evaluate(samples, RootPositionError(BODY, truth='annotated'))
    assert (fitted['root/N'], fitted['root/MRPE']) == (1, pytest.approx(1, abs=1e-3))
    assert annotated['root/N'] == 2


def test_an_evaluation_without_known_roots_is_an_error(samples):
    for sample in samples:
        sample.gt_instances.annotated_joints_valid = np.zeros((1, len(BODY.joint_set)), bool)
    with pytest.raises(ValueError, match=r'none of 3 .* valid fit and a Pelvis of annotated depth'):
        evaluate(samples, RootPositionError(BODY))


def test_a_protocol_sets_the_truth_and_checks_the_samples():
    samples = samples_of('h36m/paper', genders=[None] * 5, joint_set=H36M_17)
    roots_mm = [sample.gt_instances.annotated_joints_cam_mm[0, H36M_17.root] for sample in samples]
    metric = RootPositionError(BODY, protocol='h36m/paper')
    results = evaluate(predict_roots(samples, roots_mm), metric)
    assert results['root/MRPE'] == pytest.approx(0, abs=1e-6)
    samples[3].set_metainfo({'protocol': 'h36m/protocol1'})
    with pytest.raises(ValueError, match='sample 103 was selected by h36m/protocol1'):
        evaluate(samples, RootPositionError(BODY, protocol='h36m/paper'))


def test_the_root_of_people_with_genders_is_that_of_their_own_body():
    samples = samples_of('3dpw/paper')
    rows = {gender: model.joint_regressor[0].numpy() for gender, model in GENDERED.items()}
    meshes = true_meshes(samples)
    roots_mm = [rows[s.gender] @ mesh for s, mesh in zip(samples, meshes, strict=True)]
    options = dict(protocol='3dpw/paper', truth_body_models=GENDERED)
    results = evaluate(predict_roots(samples, roots_mm), RootPositionError(BODY, **options))
    neutral = evaluate(samples, RootPositionError(BODY))
    assert results['root/MRPE'] < 1e-3 < neutral['root/MRPE']


def test_results_say_what_was_compared_and_whose_boxes_were_used(samples):
    for sample in samples:
        sample.set_metainfo({'box_source': 'detector', 'root_depth_source': 'annotated'})
    metric = RootPositionError(BODY)
    evaluate(samples, metric)
    assert metric.evaluated.describe() == (
        'no named protocol: Pelvis against that of the fitted mesh; boxes: detector'
    )


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(truth='fit'), "truth must be 'fitted', 'annotated' or None, got 'fit'"),
        (dict(protocol='h36m/paper', truth='fitted'), "has truth='annotated', but got"),
        (dict(protocol='freihand/paper'), "has root='Wrist', but got root='Pelvis'"),
        (dict(protocol='coco/train'), 'for training alone'),
        (dict(protocol='3dpw/paper'), 'own gender: give truth_body_models'),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        RootPositionError(BODY, **options)


def test_a_mesh_network_has_no_root_to_compare(samples):
    samples[1].pred_instances = InstanceData(vertices_cam=np.zeros((1, 192, 3)))
    with pytest.raises(ValueError, match=r'101 has no pred_instances.root_cam.*vertices_cam'):
        evaluate(samples, RootPositionError(BODY))
