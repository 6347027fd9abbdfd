"""Contact sheets: what is where, and which files there are."""

import os

import cv2
import numpy as np
import pytest
from helpers_browsing import first_truth

from i2l_plugin.visualization import dataset_sheet
from i2l_plugin.visualization.crop_truth import CropTruth
from i2l_plugin.visualization.dataset_sheet import ContactSheets, draw_sample, encode
from i2l_plugin.visualization.panels import LEFT_COLOR, RIGHT_COLOR
from i2l_plugin.visualization.sample_report import report_on


@pytest.fixture
def truth(tmp_path):
    (tmp_path / 'record').mkdir()
    return first_truth(tmp_path / 'record', seed=8)


def replaced(truth, **changes):
    return CropTruth(**{**vars(truth), **changes})


def test_a_larger_panel_shows_the_same_at_its_scale(truth):
    small, large = draw_sample(truth, 256), draw_sample(truth, 512)
    assert large.mesh.shape == large.side.shape == (512, 512, 3)
    covered = [(panels.mesh != panels.crop).any(-1) for panels in (small, large)]
    halved = cv2.resize(covered[1].astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA)
    assert ((halved > 0.5) == covered[0]).mean() > 0.99


def test_lines_lead_to_the_meshs_joints(truth):
    panel = draw_sample(truth).joints
    moved = truth.annotated_px.points + np.array([25.0, 0])
    far = draw_sample(replaced(truth, annotated_px=truth.annotated_px.__class__(
        truth.annotated_px.names, moved))).joints  # fmt: skip
    pink = [
        (abs(p.astype(int) - dataset_sheet.MESH_JOINT_COLOR).max(-1) < 40) for p in (panel, far)
    ]
    assert pink[1].sum() > 5 * pink[0].sum()
    x, y = np.rint(truth.annotated_px.take(['L_Ankle'])[0]).astype(int)
    assert pink[1][y - 1 : y + 2, x + 6 : x + 20].any()  # between the joint and its annotation


def test_the_side_view_shows_what_is_nearer_on_the_right(truth):
    """Two joints at one place in the picture, the left one nearer to the camera."""
    x, y, z = truth.mesh.root_mm
    joints = truth.annotated_mm.__class__(
        ('L_Hip', 'R_Hip'), np.array([[x, y, z - 300], [x, y, z + 300]])
    )
    side = draw_sample(replaced(truth, mesh=None, annotated_mm=joints, links=())).side
    left, right = (
        np.argwhere((side == color).all(-1)).mean(0) for color in (LEFT_COLOR, RIGHT_COLOR)
    )
    assert left[1] > right[1] + 100
    assert left[0] == pytest.approx(right[0], abs=2)


def test_without_a_fit_there_is_no_mesh_and_without_depth_no_side_view(truth):
    nothing = truth.annotated_mm.__class__((), np.zeros((0, 3)))
    panels = draw_sample(replaced(truth, mesh=None, annotated_mm=nothing))
    np.testing.assert_array_equal(panels.mesh, panels.crop)
    assert (panels.side[40:] == 255).all()
    pink = abs(panels.joints.astype(int) - dataset_sheet.MESH_JOINT_COLOR).max(-1) < 5
    assert not pink.any()


def test_joints_far_away_or_not_finite_do_no_harm(truth):
    points = truth.annotated_px.points.copy()
    points[0], points[1] = np.nan, 1e15
    strange = truth.annotated_px.__class__(truth.annotated_px.names, points)
    assert draw_sample(replaced(truth, annotated_px=strange)).joints.shape == (256, 256, 3)


def test_sheets_hold_every_sample_in_its_row(tmp_path, truth):
    panels, report = draw_sample(truth, 64), report_on(truth, 7, 'A train.npz')
    wide = panels._replace(crop=np.concatenate([panels.crop] * 2, axis=1))
    sheets = ContactSheets(tmp_path / 'out', rows=2)
    for one in (panels, wide, panels):  # mixed sets crop differently
        sheets.add(report, one)
    files = sheets.close()
    assert [path.name for path in files] == ['sheet_001.png', 'sheet_002.png']
    first, second = (cv2.imread(str(path))[..., ::-1] for path in files)
    assert first.shape[0] == 2 * 64 + 4
    assert second.shape[0] == 64
    below = slice(25, 64)  # captions are above
    np.testing.assert_array_equal(first[below, :64], panels.crop[below])
    np.testing.assert_array_equal(first[below, 66:130], panels.mesh[below])
    np.testing.assert_array_equal(first[68:][below, :128], wide.crop[below])
    np.testing.assert_array_equal(second[below, 3 * 66 :][:, :64], panels.side[below])
    words = second[:, 4 * 66 :][:, : dataset_sheet._TEXT_WIDTH]
    assert (words < 128).any()


def test_sheets_of_an_earlier_longer_run_go(tmp_path, truth):
    for name in ('sheet_001.png', 'sheet_002.png', 'sheet_1000.png', 'sheet_of_mine.png'):
        (tmp_path / name).write_bytes(b'old')
    sheets = ContactSheets(tmp_path)
    sheets.add(report_on(truth, 0, 'A'), draw_sample(truth, 64))
    sheets.close()
    names = {path.name for path in tmp_path.glob('sheet*')}
    assert names == {'sheet_001.png', 'sheet_of_mine.png'}
    assert (tmp_path / 'sheet_001.png').read_bytes()[1:4] == b'PNG'


def test_a_full_sheet_is_written_whole_or_not_at_all(tmp_path, truth, monkeypatch):
    sheets = ContactSheets(tmp_path / 'out', rows=1)

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        sheets.add(report_on(truth, 0, 'A'), draw_sample(truth, 64))
    assert not list((tmp_path / 'out').iterdir())


def test_more_words_than_fit_end_in_dots(truth):
    report = report_on(truth, 0, 'A')
    tall, short = (dataset_sheet._words(report, height) for height in (400, 64))
    np.testing.assert_array_equal(tall[:40], short[:40])
    assert not (short[62:] < 128).any()


def test_pictures_are_encoded_as_they_are_seen():
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 0] = 200  # red
    for suffix, atol in (('.png', 0), ('.jpg', 4)):
        decoded = cv2.imdecode(np.frombuffer(encode(image, suffix), np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_allclose(decoded[..., ::-1], image, atol=atol)
