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
    assert rows[-1] + 300 == pytest.approx(4 * 90 + 1.5, abs=1.5)
    assert columns[[0, -1]] == pytest.approx([4 * 40 + 1.5, 4 * 100 + 1.5], abs=1.5)


def test_depths_are_written_in_metres(monkeypatch):
    texts = []
    monkeypatch.setattr(cv2, 'putText', lambda _, text, *__: texts.append(text))
    RootVisualizer().draw(IMAGE, people([[70, 60, 3456.0]], [[40, 20, 100, 90]]))
    assert set(texts) == {'3.46 m'}


def test_nobody_leaves_the_picture_as_it_is():
    drawn = RootVisualizer(panel_height=100).draw(IMAGE, people(np.zeros((0, 3)), np.zeros((0, 4))))
    np.testing.assert_array_equal(drawn, IMAGE)


def test_the_hosts_hook_writes_the_picture(tmp_path):
    visualizer = VISUALIZERS.build(dict(type='RootVisualizer', name='roots'))
    sample, path = people([[70, 60, 3500]], [[40, 20, 100, 90]]), tmp_path / 'made' / 'a.png'
    options = dict(draw_gt=False, draw_bbox=True, kpt_thr=0.3)  # as PoseVisualizationHook calls it
    row = visualizer.add_datasample('a', IMAGE, sample, out_file=str(path), **options)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], row)


def test_a_picture_too_low_is_refused():
    with pytest.raises(ValueError, match='panel_height must be at least 32 px, got 8'):
        RootVisualizer(panel_height=8)
