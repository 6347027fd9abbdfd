"""Deliberately wrong samples are found suspicious, right ones are not."""

import re

import numpy as np
import pytest
from helpers_browsing import TURNED_PIPELINE, first_truth, packed_samples, toy_body
from helpers_records import toy_columns

from i2l_plugin.body_models.joint_sets import H36M_17
from i2l_plugin.visualization.crop_truth import CropTruth
from i2l_plugin.visualization.sample_checks import find_suspicions
from i2l_plugin.visualization.sample_report import median_by_joint, median_of, report_on

EXCHANGED = list(H36M_17.mirror_order)


def upright():
    """One person seen from the front, arms at rest; columns of `toy_columns`."""
    columns = toy_columns(n=1, seed=8)
    return {name: columns[name].copy() for name in ('joints_px', 'joints_cam_mm', 'princpt_px',
            'focal_px', 'transl_m', 'root_depth_mm', 'pose', 'betas', 'bbox_px')}  # fmt: skip


def shifted_camera(c):
    return {'princpt_px': c['princpt_px'] + np.float32([30, 0])}


def zoomed_camera(c):
    return {'focal_px': c['focal_px'] * np.float32(1.6)}


def exchanged(c):
    return {name: c[name][:, EXCHANGED] for name in ('joints_px', 'joints_cam_mm')}


def reversed_depth(c):
    points = c['joints_cam_mm'].copy()
    points[..., 2] = 2 * points[:, :1, 2] - points[..., 2]
    return {'joints_cam_mm': points}


def metres(c):
    return {'root_depth_mm': c['root_depth_mm'] / 1000}


def moved_fit(c):
    return {'transl_m': c['transl_m'] + np.float32([0, 0.5, 0])}


def beside_the_person(c):
    del c
    return {'bbox_px': np.float32([[0, 0, 40, 40]])}


def behind(c):
    return {'transl_m': c['transl_m'] * np.float32([1, 1, 0])}


def joints_behind(c):
    return {'joints_cam_mm': -c['joints_cam_mm']}


def without_anything(c):
    del c
    return {'fit_valid': [False], 'joints_valid': np.zeros((1, 17), bool), 'has_depth': [False]}


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (shifted_camera, 'mesh joints lie .* px .* a shift by'),
        (shifted_camera, 'the camera puts the annotated 3D joints .* a shift by'),
        (zoomed_camera, 'a zoom by 0.6. explains it'),
        (exchanged, 'left and right look exchanged'),
        (reversed_depth, 'the depth looks reversed'),
        (metres, 'check metres and millimetres'),
        (moved_fit, 'mesh joints lie .* a shift by .* check the principal'),
        (beside_the_person, 'of 16 annotated joints lie outside the crop'),
        (beside_the_person, '% of the mesh lies outside the crop'),
        (behind, 'part of the mesh lies behind the camera'),
        (joints_behind, 'annotated 3D joints lie behind the camera'),
        (without_anything, 'nothing to train on'),
    ],
)
@pytest.mark.parametrize('pipeline', ['plain', 'augmented'])
def test_wrong_samples_are_found_out(tmp_path, change, words, pipeline):
    options = {} if pipeline == 'plain' else {'pipeline': TURNED_PIPELINE}
    truth = first_truth(tmp_path, changes=change(upright()), seed=8, **options)
    findings = find_suspicions(truth)
    texts = [finding.text for finding in findings if finding.suspicious]
    assert any(re.search(words, text) for text in texts), findings


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_right_samples_are_not_suspicious(tmp_path, kind):
    pipeline = [
        step for step in TURNED_PIPELINE if kind == 'body' or step['type'] != 'RandomMirror'
    ]
    _, samples = packed_samples(tmp_path, pipeline, kind=kind, n=6, image_size=(640, 480))
    for packed in samples:
        findings = find_suspicions(CropTruth.of(*packed, toy_body(kind)))
        assert not any(finding.suspicious for finding in findings), findings


def test_things_worth_knowing_are_not_suspicious(tmp_path):
    columns = upright()
    columns['joints_px'][0, H36M_17.index('L_Wrist')] += 60
    changes = {
        'joints_px': columns['joints_px'],
        'betas': np.float32([[0, 3.5, *([0] * 8)]]),
        'has_depth': [False],
    }
    findings = find_suspicions(first_truth(tmp_path, changes=changes, seed=8))
    texts = ' '.join(finding.text for finding in findings)
    assert 'L_Wrist lies' in texts
    assert 'a coefficient of 3.5' in texts
    assert not any(finding.suspicious for finding in findings)
    (tmp_path / 'b').mkdir()
    findings = find_suspicions(first_truth(tmp_path / 'b', changes={'fit_valid': [False]}))
    assert [finding.text for finding in findings] == ['no valid fit: no mesh']
    (tmp_path / 'c').mkdir()
    changes = {'joints_valid': np.zeros((1, 17), bool), 'has_depth': [False]}
    findings = find_suspicions(first_truth(tmp_path / 'c', changes=changes))
    assert [finding.text for finding in findings] == ['no annotated joints']


def test_an_empty_picture_is_suspicious(tmp_path):
    box = np.float32([[120, 80, 180, 140]])  # whose crop does not reach beyond the picture
    options = dict(image=np.full((240, 320, 3), 80, np.uint8), changes={'bbox_px': box})
    findings = find_suspicions(first_truth(tmp_path, **options))
    assert any(f.suspicious and 'nearly one colour' in f.text for f in findings)


def test_the_report_says_what_the_record_knows(tmp_path):
    ids = {'id_subject': np.array([9]), 'id_sequence': np.array([b'walk <1>'])}
    truth = first_truth(tmp_path, changes={**ids, 'gender': np.array([b'f'])}, seed=8)
    report = report_on(truth, 4, 'A train.npz', {'fit_error_mm': 12.34, 'fit_error_lixel': np.nan})
    facts = dict(report.facts)
    assert facts['fit'] == 'valid, error 12.3 mm'
    assert (facts['id_subject'], facts['id_sequence'], facts['gender']) == ('9', 'walk <1>', 'f')
    assert facts['joints'] == '16 of 29 annotated, 17 in 3D'  # Head_top is none of the model's
    depth_mm = upright()['root_depth_mm'][0]
    assert facts['depth'] == f'has depth, root at {depth_mm:.0f} mm'
    assert facts['mesh to joints'].startswith('0.0 px')
    assert facts['crop'].startswith('turned 0 degrees, x')
    assert (report.index, report.sample_id, report.num_suspicious) == (4, 100, 0)

    changes = {'fit_valid': [False], 'has_depth': [False]}
    (tmp_path / 'b').mkdir()
    facts = dict(report_on(first_truth(tmp_path / 'b', changes=changes), 0, 'A').facts)
    assert facts['fit'] == 'NOT VALID'
    assert facts['mesh to joints'] == '-'
    assert facts['depth'] == 'NO depth, root unknown'
    changes = {'joints_valid': np.zeros((1, 17), bool), 'has_depth': [False]}
    (tmp_path / 'c').mkdir()
    facts = dict(report_on(first_truth(tmp_path / 'c', changes=changes), 0, 'A').facts)
    assert (facts['fit'], facts['mesh to joints']) == ('valid', '-')


def test_medians_over_samples_and_by_joint(tmp_path):
    columns = upright()
    wrist = H36M_17.index('L_Wrist')
    reports = []
    for i, offset in enumerate([10, 20, 60]):
        points = columns['joints_px'].copy()
        points[0, wrist, 0] += offset
        folder = tmp_path / str(i)
        folder.mkdir()
        truth = first_truth(folder, changes={'joints_px': points}, seed=8)
        reports.append(report_on(truth, i, 'A'))
    scale = float(reports[0].facts[-1][1].split('x')[1])
    (name, median, high, count), (_, second, *_) = median_by_joint(reports)[:2]
    assert (name, count) == ('L_Wrist', 3)
    assert median == pytest.approx(20 * scale, rel=0.02)
    assert high == pytest.approx(52 * scale, rel=0.02)  # 60 - 0.2 * 40
    assert second < 0.1
    assert median_of(reports) < 0.1
    assert median_of([]) is None
