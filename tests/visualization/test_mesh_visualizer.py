"""The visualizer's panels, and its way through MMPose's hook into MMEngine's backends."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from helpers_toy_body import toy_body_data
from mmengine.structures import InstanceData
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample

from i2l_plugin.body_models import BODY_29
from i2l_plugin.visualization import mesh_visualizer, panels
from i2l_plugin.visualization.mesh_visualizer import MeshVisualizer

FOCAL, PRINCPT = np.array([200.0, 200.0]), np.array([63.5, 47.5])
HEIGHT, WIDTH = 96, 128
DATA = toy_body_data()


def project(points_mm):
    return points_mm[..., :2] / points_mm[..., 2:] * FOCAL + PRINCPT


def make_sample(num_people=1, **metainfo):
    """People of the toy body, upright, side by side, 4 m away; joint j at vertex 6 j."""
    vertices = DATA.v_template * (1000, -1000, -1000) + (0, 0, 4000)
    vertices = vertices + np.array([[[700 * i, 0, 0]] for i in range(num_people)])
    people = InstanceData(
        vertices_cam=vertices.astype(np.float32),
        keypoints=project(vertices[:, ::6][:, :29]),
        keypoint_scores=np.ones((num_people, 29), np.float32),
        vertex_spread=np.random.default_rng(0).uniform(1, 4, vertices.shape),
    )
    meta = {'focal_px': FOCAL, 'princpt_px': PRINCPT, 'img_path': 'a.png', **metainfo}
    return PoseDataSample(metainfo=meta, pred_instances=people)


def make_visualizer(**kwargs):
    visualizer = MeshVisualizer(panel_height=HEIGHT, opacity=1.0, **kwargs)
    visualizer.set_dataset_meta(
        {
            'faces': DATA.faces,
            'skeleton_links': BODY_29.skeleton,
            'keypoint_id2name': dict(enumerate(BODY_29.joint_names)),
        }
    )
    return visualizer


def split(row, count):
    assert row.shape[1] == count * WIDTH + 2 * (count - 1)
    return [row[:, i * (WIDTH + 2) :][:, :WIDTH] for i in range(count)]


@pytest.fixture
def image():
    return np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def test_panels_show_mesh_joints_and_uncertainty_where_they_project(image):
    sample = make_sample()
    plain, mesh, side, joints, uncertainty = split(make_visualizer().draw(image, sample), 5)
    center = np.rint(project(sample.pred_instances.vertices_cam[0].mean(0))).astype(int)
    x, y = center
    np.testing.assert_array_equal(plain[HEIGHT - 1, WIDTH - 1], (90, 90, 90))
    assert (mesh[y, x] != 90).any()
    assert (uncertainty[y, x] != 90).any()
    assert (side == 255).all(-1).mean() > 0.4
    for x, y in np.rint(sample.pred_instances.keypoints[0]).astype(int):
        assert (joints[y, x] != 90).any()
    changed = np.flatnonzero((mesh[20:] != plain[20:]).any(axis=(0, 2)))
    expected = project(sample.pred_instances.vertices_cam[0].astype(float))[:, 0]
    assert changed[0] == pytest.approx(expected.min(), abs=1.5)
    assert changed[-1] == pytest.approx(expected.max(), abs=1.5)


def test_panel_height_scales_picture_mesh_and_joints_alike(image):
    visualizer = make_visualizer()
    visualizer.panel_height = 2 * HEIGHT
    sample = make_sample()
    row = visualizer.draw(image, sample)
    mesh = row[40:, 2 * WIDTH + 2 :][:, : 2 * WIDTH]
    columns = np.flatnonzero((mesh != 90).any(axis=(0, 2)))
    expected = (project(sample.pred_instances.vertices_cam[0].astype(float))[:, 0] + 0.5) * 2 - 0.5
    assert columns[0] == pytest.approx(expected.min(), abs=1.5)
    assert columns[-1] == pytest.approx(expected.max(), abs=1.5)


def test_several_people_and_no_spread(image):
    sample = make_sample(2)
    del sample.pred_instances.vertex_spread
    plain, mesh, _, _, uncertainty = split(make_visualizer().draw(image, sample), 5)
    for vertices in sample.pred_instances.vertices_cam:
        x, y = np.rint(project(vertices.mean(0))).astype(int)
        assert (mesh[y, x] != 90).any()
    # the panel stays, so that the pictures of a video have one size
    np.testing.assert_array_equal(uncertainty[20:], plain[20:])


def test_low_scores_hide_joints(image):
    sample = make_sample()
    sample.pred_instances.keypoint_scores[:] = 0.2
    plain, _, _, joints, _ = split(make_visualizer().draw(image, sample), 5)
    np.testing.assert_array_equal(plain[20:], joints[20:])


def test_hook_writes_pictures_to_local_and_tensorboard_backends(tmp_path, image):
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    visualizer = VISUALIZERS.build(
        {
            'type': 'MeshVisualizer',
            'name': 'test_hook',
            'panel_height': HEIGHT,
            'vis_backends': [{'type': 'LocalVisBackend'}, {'type': 'TensorboardVisBackend'}],
            'save_dir': str(tmp_path),
        }
    )
    meta = {'faces': DATA.faces, 'skeleton_links': BODY_29.skeleton}
    runner = SimpleNamespace(
        iter=0,
        val_evaluator=SimpleNamespace(dataset_meta=meta),
        test_evaluator=SimpleNamespace(dataset_meta=meta),
        work_dir=str(tmp_path),
        timestamp='now',
    )
    # the hook takes the visualizer that was created last
    hook = PoseVisualizationHook(enable=True, interval=1)
    assert hook._visualizer is visualizer
    sample = make_sample(img_path=str(tmp_path / 'a.png'))
    hook.after_test_iter(runner, 0, {}, [sample])
    hook.after_val_iter(runner, 0, {'data_samples': [sample]}, [sample])
    visualizer.close()
    expected = visualizer.draw(image, sample)
    for name in ('test_img_1.png', 'val_img_0.png'):
        written = cv2.imread(str(tmp_path / 'vis_data' / 'vis_image' / name))[..., ::-1]
        np.testing.assert_array_equal(written, expected)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / 'vis_data')).Reload()
    encoded = events.Images('test_img')[0].encoded_image_string
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(decoded, expected)


def test_out_file_and_window(tmp_path, image, monkeypatch):
    visualizer = make_visualizer(name='out_file')
    shown = []
    monkeypatch.setattr(visualizer, 'show', lambda row, **_: shown.append(row))
    row = visualizer.add_datasample(
        'x', image, make_sample(), out_file=str(tmp_path / 'row.png'), show=True
    )
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'row.png'))[..., ::-1], row)
    np.testing.assert_array_equal(shown[0], row)
    np.testing.assert_array_equal(visualizer.get_image(), row)


def test_faces_come_from_the_configured_body_model_once(monkeypatch):
    calls = []

    class Model:
        def __init__(self, **kwargs):
            calls.append(kwargs)

        @property
        def faces(self):
            import torch

            return torch.as_tensor(DATA.faces)

    monkeypatch.setattr(mesh_visualizer, 'build_body_model', Model)
    visualizer = MeshVisualizer(name='faces', body_model={'kind': 'body', 'path': 'open'})
    np.testing.assert_array_equal(visualizer.faces, DATA.faces)
    np.testing.assert_array_equal(visualizer.faces, DATA.faces)
    assert calls == [{'kind': 'body', 'path': 'open'}]


def test_what_is_missing_is_named(image):
    visualizer = make_visualizer(name='errors')
    sample = make_sample()
    bare = PoseDataSample(metainfo={'focal_px': FOCAL}, pred_instances=sample.pred_instances)
    with pytest.raises(ValueError, match="no 'princpt_px' in its metainfo"):
        visualizer.draw(image, bare)
    visualizer.dataset_meta = None
    with pytest.raises(ValueError, match='no mesh faces'):
        visualizer.draw(image, sample)
    del sample.pred_instances.vertices_cam
    with pytest.raises(ValueError, match="no 'vertices_cam'"):
        visualizer.draw(image, sample)
    with pytest.raises(ValueError, match='panel_height'):
        MeshVisualizer(name='small', panel_height=3)


def test_spread_in_mm_adds_the_variances_of_the_three_axes():
    spread = np.array([[3.0, 0, 0], [0, 3.0, 0], [0, 0, 7.0], [3.0, 4.0, 0]])
    result = panels.spread_mm(spread, np.full(4, 2000.0), np.array([1000.0, 500.0]))
    np.testing.assert_allclose(result, [6, 12, 7, np.hypot(6, 16)])


def test_colours_run_from_dark_blue_to_yellow_and_clip():
    low, middle, high, beyond = panels.colorize(np.array([1.0, 2.0, 3.0, 9.0]), 1.0, 3.0)
    np.testing.assert_allclose(low, np.array([68, 1, 84]) / 255, atol=0.01)
    np.testing.assert_allclose(middle, np.array([33, 145, 140]) / 255, atol=0.02)
    np.testing.assert_allclose(high, np.array([253, 231, 37]) / 255, atol=0.01)
    np.testing.assert_array_equal(beyond, high)
    assert np.isfinite(panels.colorize(np.ones(3), 1.0, 1.0)).all()


def test_colour_bar_has_the_colours_of_its_ends_and_their_numbers_beside_them(monkeypatch):
    words = []
    monkeypatch.setattr(panels, 'put_text', lambda _, text, origin: words.append((text, origin)))
    picture = panels.draw_color_bar(np.zeros((200, 160, 3), np.uint8), 12.3, 145.6, 'mm')
    rows = np.flatnonzero(picture.any(axis=(1, 2)))
    bar = picture[rows].max(axis=1)
    np.testing.assert_allclose(bar[0], (253, 231, 37), atol=3)  # viridis: yellow is much
    np.testing.assert_allclose(bar[-1], (68, 1, 84), atol=3)
    places = {text: y for text, (_, y) in words}
    assert {*places} == {'145.6 mm', '12.3 mm'}
    assert rows[0] - 15 < places['145.6 mm'] < rows[0]
    assert rows[-1] < places['12.3 mm'] < rows[-1] + 30  # origins are at the words' feet


def test_opacity_is_that_of_the_visualizer(image):
    row = {}
    for opacity in (0.5, 1.0):
        visualizer = make_visualizer(name=f'opacity {opacity}', panels=['mesh'])
        visualizer.opacity = opacity
        row[opacity] = visualizer.draw(image, make_sample())[20:].astype(float)
    np.testing.assert_allclose(row[0.5], (image[20:] + row[1.0]) / 2, atol=1.01)
    assert (row[0.5] != row[1.0]).any()


def test_skeleton_colours_tell_left_from_right_and_far_points_do_no_harm():
    image = np.zeros((60, 60, 3), np.uint8)
    points = np.array([[10.0, 30], [30, 30], [50, 30], [1e12, -1e12], [np.nan, 0]])
    names = ['L_Knee', 'Pelvis', 'R_Knee', 'Nose', 'Head']
    picture = panels.draw_skeleton(
        image, points, np.ones(5, bool), [(1, 0), (1, 2), (1, 3), (1, 4)], names
    )
    np.testing.assert_array_equal(picture[30, 10], panels.LEFT_COLOR)
    np.testing.assert_allclose(picture[30, 20], panels.LEFT_COLOR, rtol=0.15)
    np.testing.assert_allclose(picture[30, 40], panels.RIGHT_COLOR, rtol=0.15)
    assert not image.any()
