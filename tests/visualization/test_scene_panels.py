"""The visualizer's rows of scenes: which panels, of how many people, and always of one size."""

import numpy as np
import pytest
from helpers_people import FACES, HEIGHT, WIDTH, nobody, people_sample

from i2l_plugin.body_models import BODY_29
from i2l_plugin.visualization.mesh_visualizer import PANELS, MeshVisualizer
from i2l_plugin.visualization.panels import add_caption
from i2l_plugin.visualization.scene_overlay import SceneView, draw_overlay
from i2l_plugin.visualization.scene_people import ScenePeople
from i2l_plugin.visualization.scene_sides import draw_side

TEN = [(-900 + 200 * i, 0, 3000 + 400 * (i * 7 % 10)) for i in range(10)]
CAPTION_PX = 16  # the rows that captions take


def make_visualizer(**kwargs):
    kwargs = {'name': 'scenes', 'panel_height': HEIGHT, 'opacity': 1.0, **kwargs}
    visualizer = MeshVisualizer(**kwargs)
    visualizer.set_dataset_meta({'faces': FACES, 'skeleton_links': BODY_29.skeleton})
    return visualizer


def split(row, count):
    assert row.shape == (HEIGHT, count * WIDTH + 2 * (count - 1), 3)
    return [row[:, i * (WIDTH + 2) :][:, :WIDTH] for i in range(count)]


@pytest.fixture
def image():
    return np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


@pytest.mark.parametrize('num_people', [1, 2, 10])
def test_panels_come_in_the_order_asked_for(image, num_people):
    sample = people_sample(TEN[:num_people])
    row = split(make_visualizer(panels=PANELS).draw(image, sample), 6)
    all_panels = dict(zip(PANELS, row, strict=True))
    chosen = ('uncertainty', 'top', 'mesh')
    row = split(make_visualizer(panels=chosen, name='chosen').draw(image, sample), 3)
    for name, panel in zip(chosen, row, strict=True):
        np.testing.assert_array_equal(panel, all_panels[name])
    overlay = draw_overlay(image, sample, FACES, opacity=1.0)
    np.testing.assert_array_equal(all_panels['mesh'], add_caption(overlay, 'mesh'))
    below = np.s_[CAPTION_PX:]
    overlay = draw_overlay(image, sample, FACES, opacity=1.0, uncertainty=True)
    np.testing.assert_array_equal(all_panels['uncertainty'][below], overlay[below])
    assert (all_panels['image'][below] == 90).all()


def test_top_panel_numbers_people_only_where_there_are_several(image):
    visualizer = make_visualizer(panels=['top'])
    for count, labels in ((1, None), (3, ['5', '6', '9'])):
        sample = people_sample(TEN[:count], track_ids=np.array([5, 6, 9][:count]))
        meshes = ScenePeople.of(sample).meshes(FACES)
        camera = SceneView.of(image, sample).camera
        expected = draw_side(meshes, (WIDTH, HEIGHT), 'top', camera, labels)
        row = visualizer.draw(image, sample)
        np.testing.assert_array_equal(row[CAPTION_PX:], expected[CAPTION_PX:])


def test_boxes_appear_when_asked_for_and_known(image):
    visualizer = make_visualizer(panels=['image', 'mesh', 'joints'])
    sample = people_sample(TEN[:2])
    plain = split(visualizer.draw(image, sample), 3)
    boxes = split(visualizer.add_datasample('x', image, sample, draw_bbox=True), 3)
    changed = [(a != b).any(-1).sum() for a, b in zip(plain, boxes, strict=True)]
    assert changed[0] > 100
    assert changed[1] > 100
    assert changed[2] == 0
    overlay = draw_overlay(image, sample, FACES, opacity=1.0, draw_bbox=True)
    np.testing.assert_array_equal(boxes[1][CAPTION_PX:], overlay[CAPTION_PX:])
    del sample.pred_instances.bboxes
    for before, after in zip(
        plain, split(visualizer.draw(image, sample, draw_bbox=True), 3), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_pictures_without_people_are_as_large_and_say_so(image):
    visualizer = make_visualizer(panels=PANELS)
    split(visualizer.draw(image, people_sample(TEN[:2])), 6)
    row = split(visualizer.draw(image, nobody(), draw_bbox=True), 6)
    for name, panel in zip(PANELS, row, strict=True):
        background = np.full_like(image, 255 if name in ('side', 'top') else 90)
        np.testing.assert_array_equal(panel, add_caption(background, f'{name}: nobody'))


def test_uncertainty_colours_can_be_fixed_for_a_video(image):
    sample = people_sample(TEN[:1])
    fixed = make_visualizer(panels=['uncertainty'], spread_range_mm=(5.0, 50.0))
    expected = draw_overlay(
        image, sample, FACES, opacity=1.0, uncertainty=True, spread_range_mm=(5.0, 50.0)
    )
    np.testing.assert_array_equal(fixed.draw(image, sample), add_caption(expected, 'uncertainty'))
    free = make_visualizer(panels=['uncertainty'], name='free').draw(image, sample)
    assert (free != fixed.draw(image, sample)).any()


@pytest.mark.parametrize('panels', [[], ['mesh', 'front'], 'mesh'])
def test_unknown_panels_are_refused(panels):
    with pytest.raises(
        ValueError, match=r"panels must be some of \('image', 'mesh', 'side', 'top'"
    ):
        make_visualizer(panels=panels)


def test_missing_joints_are_named_only_if_a_panel_wants_them(image):
    sample = people_sample(TEN[:1])
    del sample.pred_instances.keypoints
    make_visualizer(panels=['mesh', 'top']).draw(image, sample)
    with pytest.raises(ValueError, match="no 'keypoints'"):
        make_visualizer(panels=['joints'], name='joints').draw(image, sample)
