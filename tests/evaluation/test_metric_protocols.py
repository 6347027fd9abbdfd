"""Named protocols in metrics: what they set, what they refuse, and what results say of them."""

import json

import numpy as np
import pytest
from helpers_genders import GENDERED, NEUTRAL, evaluate, samples_of
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from i2l_plugin.body_models import H36M_17
from i2l_plugin.evaluation import MeshJointError, MeshVertexError
from i2l_plugin.evaluation.sample_scores import write_metrics


def test_human36m_compares_with_annotated_joints():
    samples = samples_of('h36m/paper', genders=[None] * 5)
    by_name = MeshJointError(NEUTRAL, protocol='h36m/paper')
    by_hand = MeshJointError(NEUTRAL, 'h36m_17', truth='annotated', prefix='by_hand')
    for sample in samples:
        sample.gt_instances.annotated_joints_cam_mm += np.eye(17, 3) * 30  # not the fitted ones
    results = evaluate(samples, by_name, by_hand)
    assert results['joint/MPJPE'] == results['by_hand/MPJPE'] > 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(joint_set='body_29'), "'h36m/paper' has joint_set='h36m_17', but got .*'body_29'"),
        (dict(regressor='body_29'), "'h36m/paper' has regressor='h36m_17', but got .*'body_29'"),
        (dict(truth='fitted'), "'h36m/paper' has truth='annotated', but got truth='fitted'"),
        (dict(root='Neck'), "has root='Pelvis', but got root='Neck'"),
        (dict(evaluation_joints=['Neck']), r"has evaluation_joints=\('R_Hip'.*got .*\['Neck'\]"),
        (dict(protocol='3dpw/paper'), r"'3dpw/paper' .* own gender: give truth_body_models=dict"),
        (dict(truth_body_models=GENDERED), r"'h36m/paper' .* leave out truth_body_models"),
        (dict(protocol='coco/train'), "'coco/train' is for training alone"),
        (dict(protocol='h36m'), "unknown protocol 'h36m'"),
        (dict(protocol='freihand/paper'), "no joint regressor 'hand_21'"),
        (dict(protocol=None), r'joint_set: got None; name .* or a protocol'),
    ],
)
def test_options_that_contradict_the_protocol_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MeshJointError(NEUTRAL, **{'protocol': 'h36m/paper', **options})


def test_options_that_repeat_the_protocol_are_taken():
    names = list(reversed([H36M_17.joint_names[i] for i in H36M_17.evaluation_joints]))
    MeshJointError(
        NEUTRAL,
        'h36m_17',
        regressor='h36m_17',
        truth='annotated',
        evaluation_joints=names,
        root='Pelvis',
        protocol='h36m/paper',
    )


@pytest.mark.parametrize('metric', ['MeshJointError', 'MeshVertexError', 'FScore'])
def test_samples_of_another_protocol_are_refused_naming_both(metric):
    metric = METRICS.build(dict(type=metric, body_model=NEUTRAL, protocol='h36m/paper'))
    message = r'evaluates protocol h36m/paper .*64th.*sample 100 .* by h36m/protocol2 .*5th frame'
    with pytest.raises(ValueError, match=message):
        evaluate(samples_of('h36m/protocol2', genders=[None]), metric)
    with pytest.raises(ValueError, match=r"no protocol .* 100: .* h36m .*protocol='h36m/paper'"):
        evaluate(samples_of(None, genders=[None]), metric)


def test_results_say_the_protocol_and_n(tmp_path, monkeypatch, warnings):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'info', lines.append)
    metrics = [
        MeshJointError(NEUTRAL, protocol='h36m/paper', outfile_prefix=str(tmp_path / 'val')),
        MeshVertexError(NEUTRAL, protocol='h36m/paper'),
        MeshJointError(NEUTRAL, 'body_29', prefix='plain'),
    ]
    results = evaluate(samples_of('h36m/paper', genders=[None] * 3), *metrics)
    selection = 'h36m/paper (test; S9, S11; every 64th frame; camera 4): '
    expected = {
        'joint': f'{selection}14 joints of h36m_17 against annotated joints, Pelvis at the origin',
        'vertex': f'{selection}vertices against the fitted mesh, Pelvis of h36m_17 at the origin',
        'plain': 'no named protocol: 29 joints of body_29 against the fitted mesh, '
        'Pelvis at the origin',
    }
    assert len(lines) == 3
    assert lines[0] == (
        f'joint: MPJPE {results["joint/MPJPE"]:.4f}, PA-MPJPE {results["joint/PA-MPJPE"]:.4f}, '
        f'N 3 ({expected["joint"]})'
    )
    assert all(isinstance(value, (int, float)) for value in results.values())
    written = json.loads((tmp_path / 'val.joint.json').read_text())
    assert (written['protocol'], written['N']) == (expected['joint'], 3)
    write_metrics(results, tmp_path / 'all.json', [*metrics, object()])
    content = json.loads((tmp_path / 'all.json').read_text())
    assert content.pop('protocol') == expected
    assert content == pytest.approx(results)
    assert not warnings


@pytest.mark.parametrize(('protocol', 'expected_n'), [('3dpw/paper', 35515), ('surreal/493', 493)])
def test_another_number_of_samples_than_known_is_warned_of(warnings, protocol, expected_n):
    metric = MeshVertexError(NEUTRAL, protocol=protocol, truth_body_models=GENDERED)
    evaluate(samples_of(protocol), metric)
    assert len(warnings) == 1
    assert f'vertex: N is 5, but {protocol!r} has {expected_n} samples' in warnings[0]


def test_results_say_where_boxes_and_root_depths_are_from():
    samples = samples_of('h36m/paper', genders=[None] * 3)
    for sample, source in zip(samples, ('detector', 'detector', 'annotated'), strict=True):
        sample.set_metainfo({'box_source': source, 'root_depth_source': 'RootNet'})
    metric = MeshVertexError(NEUTRAL, protocol='h36m/paper')
    evaluate(samples, metric, batch_size=1)
    places = '; boxes: annotated and detector; root depth: RootNet'
    assert metric.evaluated.describe().endswith(f'Pelvis of h36m_17 at the origin{places}')
