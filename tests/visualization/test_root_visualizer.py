"""Where RootNet's pictures show box, root and depth, and the way through MMPose's hook."""

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample

from i2l_plugin.visualization.panels import MIDDLE_COLOR
from i2l_plugin.visualization.root_visualizer import RootVisualizer

IMAGE = np.full((100, 150, 3), 90, np.uint8)


def people(roots_img, boxes_px):
    instances = InstanceData(bboxes=np.array(boxes_px, float), root_img=np.array(roots_img, float))
    return PoseDataSample(pred_instances=instances)


def test_box_and_root_are_drawn_where_they_are():
    sample = people([[70, 60, 3500], [120, 30, 9999]], [[40, 20, 100, 90], [110, 10, 130, 50]])
    drawn = RootVisualizer(panel_height=400).draw(IMAGE, sample)
    assert drawn.shape == (400, 600, 3)
    for x, y in ((70, 60), (120, 30)):
        np.testing.assert_array_equal(drawn[4 * y + 1, 4 * x + 1], MIDDLE_COLOR)
    changed = (drawn[300:] != 90).any(-1)  # below texts and roots: the box of the first alone
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    # The middle of a pixel of 4 x 4 is between its second and third: a line covers both, and fades.
    assert rows[-1] + 300 in (4 * 90 + 2, 4 * 90 + 3)
    assert columns[0] in (4 * 40, 4 * 40 + 1)
    assert columns[-1] in (4 * 100 + 2, 4 * 100 + 3)


def test_depths_are_written_in_metres(monkeypatch):
    texts = []
    monkeypatch.setattr(cv2, 'putText', lambda _, text, *__: texts.append(text))
    RootVisualizer().draw(IMAGE, people([[70, 60, 3456.0]], [[40, 20, 100, 90]]))
    assert set(texts) == {'3.46 m'}


@pytest.mark.parametrize('top_px', [60, 2, -40])
def test_the_depth_can_be_read_wherever_the_box_begins(top_px):
    """Over the box, in it, or in the picture where the box, once grown, begins above it."""
    visualizer = RootVisualizer(panel_height=100)
    plain, other = (
        visualizer.draw(IMAGE, people([[70, 95, depth_mm]], [[-30, top_px, 100, 96]]))
        for depth_mm in (3000, 8000)
    )
    rows = np.flatnonzero((plain != other).any((1, 2)))  # of one digit
    columns = np.flatnonzero((plain != other).any((0, 2)))
    assert len(rows) >= 6
    assert rows[0] > 0
    assert len(columns) >= 4
    assert (rows[-1] < top_px) == (top_px == 60)


def test_nobody_leaves_the_picture_as_it_is():
    drawn = RootVisualizer(panel_height=100).draw(IMAGE, people(np.zeros((0, 3)), np.zeros((0, 4))))
    np.testing.assert_array_equal(drawn, IMAGE)


def test_the_hosts_hook_writes_the_picture(tmp_path):
    visualizer = VISUALIZERS.build(dict(type='RootVisualizer', name='roots'))
    sample, path = people([[70, 60, 3500]], [[40, 20, 100, 90]]), tmp_path / 'made' / 'a.png'
    options = dict(draw_gt=False, draw_bbox=True, kpt_thr=0.3)  # as PoseVisualizationHook calls it
    row = visualizer.add_datasample('a', IMAGE, sample, out_file=str(path), **options)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], row)


def test_without_a_file_the_backends_get_the_picture_and_a_window_shows_it(monkeypatch):
    visualizer, handed = RootVisualizer(), []
    monkeypatch.setattr(visualizer, 'add_image', lambda *args: handed.append(args))
    monkeypatch.setattr(visualizer, 'show', lambda *args, **kwargs: handed.append((*args, kwargs)))
    sample = people([[70, 60, 3500]], [[40, 20, 100, 90]])
    drawn = visualizer.add_datasample('a', IMAGE, sample, show=True, wait_time=2, step=7)
    (shown, options), (name, added, step) = handed
    assert shown is drawn
    assert added is drawn
    assert (name, step, options) == ('a', 7, dict(win_name='a', wait_time=2))


def test_a_picture_too_low_is_refused():
    with pytest.raises(ValueError, match='panel_height must be at least 32 px, got 8'):
        RootVisualizer(panel_height=8)
