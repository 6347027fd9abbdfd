"""FreiHAND's files: what is written can be read, and each bad file is named by its place."""

import json
import zipfile

import numpy as np
import pytest
from helpers_freihand_scorer import (
    disturb,
    naive_freihand_scores,
    random_hands,
    write_freihand_truth,
)

from i2l_plugin.evaluation import freihand_scoring, freihand_submission
from i2l_plugin.evaluation.freihand_files import read_submission, read_truth
from i2l_plugin.evaluation.freihand_scoring import score_submission
from i2l_plugin.evaluation.freihand_submission import write_submission

XYZ, VERTS = random_hands(3)


def dump(path, content):
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def truth(tmp_path):
    return write_freihand_truth(tmp_path, XYZ, VERTS)


def test_the_submission_is_plain_json_in_order_and_a_flat_zip_of_it(tmp_path):
    json_path, zip_path = write_submission(tmp_path / 'made', XYZ, VERTS.astype(np.float32))
    assert [path.name for path in (json_path, zip_path)] == ['pred.json', 'pred.zip']
    assert sorted(path.name for path in json_path.parent.iterdir()) == ['pred.json', 'pred.zip']
    xyz, verts = json.loads(json_path.read_text())
    np.testing.assert_allclose(xyz, XYZ, rtol=0, atol=0.51e-7)
    np.testing.assert_allclose(verts, VERTS, rtol=0, atol=1.2e-7)
    with zipfile.ZipFile(zip_path) as archive:
        assert archive.namelist() == ['pred.json']
        assert archive.testzip() is None
        assert archive.read('pred.json') == json_path.read_bytes()


def test_reading_gives_what_json_gives(tmp_path):
    pretty = tmp_path / 'pretty.json'
    pretty.write_text(json.dumps([XYZ.tolist(), VERTS.tolist()], indent=1) + '\n\n')
    rounded = XYZ.round(7), VERTS.round(7)
    expected = {pretty: (XYZ, VERTS)}
    expected |= dict.fromkeys(write_submission(tmp_path, *rounded), rounded)
    for path, points in expected.items():
        for one, other in zip(read_submission(path), points, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    written = [write_submission(tmp_path / name, XYZ, VERTS) for name in 'ab']
    for one, other in zip(*written, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda xyz, verts: (xyz, verts[:2]), r'verts_m must be .* got \(2, 778, 3\) beside .* 3'),
        (lambda xyz, verts: (xyz[..., :2], verts), r'xyz_m must be .* got \(3, 21, 2\)'),
        (lambda xyz, verts: (xyz, verts / (verts != verts[1, 5])), r'verts_m.*NaN or inf.*\[1\]'),
    ],
)
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_what_cannot_be_submitted_is_not_written(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_submission(tmp_path, *change(XYZ, VERTS))
    assert not list(tmp_path.iterdir())


def test_a_submission_that_fails_half_way_leaves_the_old_one(tmp_path, monkeypatch):
    write_submission(tmp_path, XYZ, VERTS)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(*_):
        raise OSError('no space left')

    monkeypatch.setattr(freihand_submission.zipfile, 'ZipFile', full_disk)
    with pytest.raises(OSError, match='no space'):
        write_submission(tmp_path, XYZ + 1, VERTS)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def with_sample(points, index, value):
    return [*points[:index].tolist(), value, *points[index + 1 :].tolist()]


GOOD = [XYZ.tolist(), VERTS.tolist()]
NAN = XYZ[1].tolist()
NAN[3] = [0.0, float('nan'), 0.0]
TEXT = XYZ[1].tolist()
TEXT[3] = ['0', '1', '2']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            {'xyz': []},
            r"character 0: got '{\"xyz\": \[\]}', expected '\[', the list \[xyz, verts\]",
        ),
        ([XYZ.tolist()], r"expected ',', the second list, verts"),
        ([*GOOD, []], r"expected '\]', the end after two lists"),
        ([1, 2], r"got '1, 2\]', expected '\[', the list xyz of samples"),
        ([GOOD[1], GOOD[0]], r'xyz, sample 0: got \(778, 3\), the shape of verts \(is the order'),
        (
            [with_sample(XYZ, 1, XYZ[1, :20].tolist()), GOOD[1]],
            r'sample 1: got \(20, 3\), expected',
        ),
        ([with_sample(XYZ, 2, None), GOOD[1]], r'xyz, sample 2: got something else than a list'),
        ([with_sample(XYZ, 1, [[0, 0], [0]]), GOOD[1]], 'sample 1: got something else than a list'),
        ([with_sample(XYZ, 1, TEXT), GOOD[1]], 'xyz, sample 1: got something else than a list'),
        ([with_sample(XYZ, 1, NAN), GOOD[1]], 'xyz, sample 1: got NaN or inf'),
        ([GOOD[0], VERTS[:, :600].tolist()], r'verts, sample 0: got \(600, 3\) \(another mesh'),
        ([GOOD[0], GOOD[1][:2]], 'got 3 samples in xyz, but 2 in verts'),
    ],
)
def test_another_content_is_named_by_its_place(tmp_path, content, message):
    path = dump(tmp_path / 'mine.json', content)
    with pytest.raises(ValueError, match=message) as caught:
        read_submission(path)
    assert 'mine.json: ' in str(caught.value)


@pytest.mark.parametrize('share', [0.0, 0.01, 0.5, 0.9999])
def test_a_file_that_is_cut_short_says_where(tmp_path, share):
    text = json.dumps(GOOD)
    path = tmp_path / 'pred.json'
    path.write_text(text[: int(share * (len(text) - 1))])
    with pytest.raises(ValueError, match=r'pred\.json: .*character \d+: got') as caught:
        read_submission(path)
    if share == 0.9999:
        assert 'verts, sample 2' in str(caught.value)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (b'\xff\xfe\x00', 'got no text'),
        (b'[[[[0, 0', 'xyz, sample 0: character'),
        (b'[[' + b'[' * 200_000, 'xyz, sample 0'),
        (json.dumps(GOOD).encode() + b' [1]', r"got '\[1\]', expected the end of the file"),
    ],
)
def test_what_is_no_json_is_said(tmp_path, text, message):
    path = tmp_path / 'pred.json'
    path.write_bytes(text)
    with pytest.raises(ValueError, match=message):
        read_submission(path)


@pytest.mark.parametrize(
    'names', [['out/pred.json'], ['pred.json', '__MACOSX/._pred.json'], ['predictions.json'], []]
)
def test_a_zip_with_other_members_is_refused(tmp_path, names):
    path = tmp_path / 'pred.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        for name in names:
            archive.writestr(name, json.dumps(GOOD))
    with pytest.raises(ValueError, match=r'expected pred\.json alone.*zip -j') as caught:
        read_submission(path)
    assert str(names) in str(caught.value)


def test_a_damaged_zip_is_said(tmp_path):
    path = write_submission(tmp_path, XYZ, VERTS)[1]
    content = path.read_bytes()
    for damaged in (content[:1000] + bytes(10) + content[1010:], content[:-100], b''):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r'pred\.zip: got a \.zip that cannot be read'):
            read_submission(path)


def test_a_truth_that_is_followed_by_something_is_refused(truth):
    path = truth / 'evaluation_xyz.json'
    path.write_text(path.read_text() + ', []')
    with pytest.raises(ValueError, match=r'evaluation_xyz\.json: .*expected the end of the file'):
        read_truth(truth, 'xyz')


@pytest.mark.parametrize('workers', [1, 2])
def test_a_submission_is_scored_as_by_the_loops(truth, workers, monkeypatch):
    monkeypatch.setattr(freihand_scoring, '_CHUNK', 2)  # the last of two chunks is not full
    predicted = disturb(XYZ), disturb(VERTS)
    path = write_submission(truth, *predicted)[workers - 1]
    done = []
    found = score_submission(path, truth, workers, done.append)
    expected = naive_freihand_scores(*(points.round(7) for points in predicted), XYZ, VERTS)
    assert found.pop('N') == sum(done) == 3
    assert found == pytest.approx(expected, rel=0, abs=1e-9)


def test_all_zero_predictions_are_scored(truth):
    path = write_submission(truth, np.zeros_like(XYZ), np.zeros_like(VERTS))[0]
    assert score_submission(path, truth, 1)['f_score_5'] == 0


@pytest.mark.parametrize(
    ('predicted', 'message'),
    [
        ((1000 * XYZ, 1000 * VERTS), r'xyz: .* 1000 times .* like mm: divide by 1000'),
        ((XYZ, 1000 * VERTS), r'verts: .* 1000 times .* like mm'),
        ((100 * XYZ, VERTS), r'xyz: .* 100 times .* like cm: divide by 100'),
        ((XYZ[:2], VERTS[:2]), r'got 2 samples, expected the 3 of .*predict every'),
    ],
)
def test_another_unit_or_number_is_said(truth, predicted, message):
    path = write_submission(truth, *predicted)[0]
    with pytest.raises(ValueError, match=message):
        score_submission(path, truth, 1)


def test_truths_of_different_length_are_said(truth):
    path = write_submission(truth, XYZ, VERTS)[0]
    dump(truth / 'evaluation_xyz.json', XYZ[:2].tolist())
    with pytest.raises(ValueError, match=r'2 samples in evaluation_xyz.* 3 in evaluation_verts'):
        score_submission(path, truth, 1)
    for what in ('xyz', 'verts'):
        dump(truth / f'evaluation_{what}.json', [])
    with pytest.raises(ValueError, match='expected one number, not 0'):
        score_submission(path, truth, 1)
