"""Files made of an upload, read back by other programs, against the inferencer called alone."""

import json

import av
import cv2
import numpy as np
import pytest
import trimesh
from helpers_app import (
    FakeDetector,
    findings_of,
    new_store,
    tiny_engine,
    upload,
)
from helpers_inference import IMAGE_SIZE, Oracle, People, noise_picture
from helpers_scene_html import Page
from helpers_uploads import png_bomb, save_clip, save_picture
from PIL import Image

from i2l_plugin.apis.app.engine import Engine, Findings, Progress
from i2l_plugin.apis.app.kept_frames import KeptFrame
from i2l_plugin.apis.app.limits import Limits, RefusedError
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.video import VideoWriter


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    return tiny_engine(tmp_path_factory.mktemp('engine'))


@pytest.fixture
def engine(shared):
    """With two people in each picture, and the usual limits."""
    shared.inferencer.detector = FakeDetector()
    return Engine(shared.inferencer, Limits())


@pytest.fixture
def store():
    store = new_store()
    yield store
    store.close_all()


def frames_of(path):
    """(T, H, W, 3) uint8 RGB of a video, by PyAV."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


def test_a_picture(engine, store, tmp_path):
    path = save_picture(tmp_path / 'my holiday.png')
    job = upload(store, path)
    first, *_, last = engine.run(job)
    assert first == Progress(0)
    assert last == Findings('picture', (2,), (), last.sources)
    assert last.sources == 'Boxes: fake detector. Camera: default 1500 px. Root depth: box size.'
    assert not list(job.folder.glob('upload*'))  # what was uploaded is gone

    (expected,) = engine.inferencer(str(path))
    people = json.loads((job.folder / 'people.json').read_text())
    assert people == json.loads(json.dumps(expected['predictions'][0]))
    assert job.files['people.json'].save_as == 'my_holiday.json'

    engine.show(job, last, 0)
    served = job.files['mesh_0.glb']
    assert (served.media_type, served.save_as) == ('model/gltf-binary', 'my_holiday.glb')
    scene = trimesh.load(served.path)
    assert set(scene.geometry) == {'person_0', 'person_1'}
    for number, person in enumerate(people):
        in_metres = np.array(person['vertices_cam']) / 1000 * [1, -1, -1]
        mesh = scene.geometry[f'person_{number}']
        np.testing.assert_allclose(mesh.vertices, in_metres, atol=1e-5)
        (spread,) = (v for k, v in mesh.vertex_attributes.items() if 'spread' in k.lower())
        assert len(spread) == len(in_metres)
        assert (spread > 0).all()
    page = job.files['scene_0.html'].path.read_text()
    assert '<h1>my holiday.png</h1>' in page
    assert 'Boxes: fake detector.' in page
    assert page.count('type="checkbox" checked') == 2  # people


def test_people_are_drawn_where_they_are(engine, store, tmp_path, monkeypatch):
    """Though the picture is shown larger than it came."""
    model = engine.inferencer.model
    people = People(model.body_model, n=1)
    monkeypatch.setattr(engine.inferencer.estimate, 'estimator', Oracle(model, people))
    engine.inferencer.detector.boxes = [[*people.bbox_px[0], 1]]
    cv2.imwrite(str(tmp_path / 'white.png'), np.full((240, 320, 3), 255, np.uint8))
    job = upload(store, tmp_path / 'white.png')
    findings_of(engine.run(job))
    overlay = cv2.imread(str(job.folder / 'overlay.jpg'))
    assert overlay.shape == (540, 720, 3)
    drawn = np.argwhere(overlay.min(-1) < 200)[:, ::-1]
    expected = (people.project(people.vertices_mm[0]) + 0.5) * 720 / 320 - 0.5
    np.testing.assert_allclose(drawn.min(0), expected.min(0), atol=2)
    np.testing.assert_allclose(drawn.max(0), expected.max(0), atol=2)


def test_a_clip(engine, store, tmp_path):
    path = save_clip(tmp_path / 'walk.mp4', num_frames=7, fps=10)
    job = upload(store, path)
    *steps, last = engine.run(job)
    assert [(step.done, step.total) for step in steps[1:]] == [(i, 7) for i in range(1, 8)]
    assert last.people == (2,) * 7
    assert last.notices == ()
    assert not list(job.folder.glob('upload*'))
    assert len(frames_of(job.folder / 'overlay.mp4')) == 7

    lines = [json.loads(line) for line in (job.folder / 'people.jsonl').open()]
    expected = engine.inferencer(str(path), smooth=True)
    for line, result in zip(lines, expected, strict=True):
        for person, whole in zip(line['instances'], result['predictions'][0], strict=True):
            assert person['joints_cam'] == whole['joints_cam']
            assert person['track_id'] == whole['track_id']
            assert {*whole} - {*person} == {'vertices_cam', 'vertex_spread'}
    assert [line['frame_id'] for line in lines] == list(range(7))

    engine.show(job, last, 2)
    assert job.files['mesh_2.glb'].save_as == 'walk_0003.glb'
    scene = trimesh.load(job.files['mesh_2.glb'].path)
    whole = list(engine.inferencer(str(path), smooth=True))[2]['predictions'][0]
    in_metres = np.array(whole[1]['vertices_cam']) / 1000 * [1, -1, -1]
    np.testing.assert_allclose(scene.geometry['track_1'].vertices, in_metres, atol=1e-5)
    engine.show(job, last, 5)
    assert {name for name in job.files if name.startswith(('scene', 'mesh'))} == {
        'scene_5.html',
        'mesh_5.glb',
    }
    assert 'walk.mp4, frame 6' in job.files['scene_5.html'].path.read_text()
    assert not list(job.folder.glob('*_2.*l*'))  # the other frame's are deleted


def test_a_clip_of_a_high_rate_becomes_a_video_that_browsers_keep_up_with(engine, store, tmp_path):
    path = save_clip(tmp_path / 'fast.mp4', num_frames=30, fps=120)
    job = upload(store, path)
    assert len(findings_of(engine.run(job)).people) == 30
    with av.open(str(job.folder / 'overlay.mp4')) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 60
        assert stream.frames == pytest.approx(15, abs=1)  # a quarter of a second


def test_nobody(engine, store, tmp_path):
    engine.inferencer.detector.boxes = []
    picture = noise_picture()
    cv2.imwrite(str(tmp_path / 'empty.png'), picture)
    job = upload(store, tmp_path / 'empty.png')
    last = findings_of(engine.run(job))
    assert last.people == (0,)
    engine.show(job, last, 0)
    assert 'mesh_0.glb' not in job.files
    assert '<p>nobody</p>' in job.files['scene_0.html'].path.read_text()
    assert json.loads((job.folder / 'people.json').read_text()) == []
    overlay = cv2.imread(str(job.folder / 'overlay.jpg'))
    np.testing.assert_allclose(overlay.mean(), picture.mean(), atol=2)


ORANGE = np.array([250, 140, 20])  # RGB, no two channels alike


def test_colours_are_those_of_the_upload(engine, store, tmp_path):
    """In the overlay of a picture and of a clip, and on the pages to be turned."""
    engine.inferencer.detector.boxes = []
    plain = np.broadcast_to(ORANGE, (96, 128, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / 'orange.png'), plain[..., ::-1])
    with VideoWriter(tmp_path / 'orange.mp4', 5) as video:
        for _ in range(3):
            video.write(plain)
    for name in ('orange.png', 'orange.mp4'):
        job = upload(store, tmp_path / name)
        engine.show(job, findings_of(engine.run(job)), 0)
        if name == 'orange.png':
            seen = cv2.imread(str(job.folder / 'overlay.jpg'))[..., ::-1]
        else:
            seen = frames_of(job.folder / 'overlay.mp4')
        page = Page(job.files['scene_0.html'].path.read_text())
        for picture in (seen, page.picture):
            np.testing.assert_allclose(picture.reshape(-1, 3).mean(0), ORANGE, atol=4)


def test_the_first_frame_with_somebody_is_shown_first():
    assert Findings('clip', (0, 0, 2, 1), (), '').first == 2
    assert Findings('clip', (0, 0), (), '').first == 0


def test_of_many_people_the_surest_are_shown(engine, store, tmp_path):
    boxes = [[30 * i, 10, 30 * i + 28, 200, score] for i, score in enumerate((0.5, 0.9, 0.4, 0.8))]
    engine.inferencer.detector.boxes = boxes
    engine = Engine(engine.inferencer, Limits(max_people=2))
    job = upload(store, save_picture(tmp_path / 'crowd.png'))
    last = findings_of(engine.run(job))
    assert last.people == (2,)
    assert last.notices == (
        '4 people were found in one picture; only the 2 with the surest boxes are shown.',
    )
    people = json.loads((job.folder / 'people.json').read_text())
    assert [person['bbox_score'] for person in people] == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize(
    ('limits', 'used', 'expected'),
    [
        (dict(max_seconds=0.45), 5, 'Only the first 0.5 s (5 frames) are used of 1.2 s.'),
        (dict(max_frames=3), 3, 'Only the first 0.3 s (3 frames) are used of 1.2 s.'),
        (dict(max_seconds=1.2, max_frames=12), 12, None),
    ],
)
def test_long_clips_are_cut(engine, store, tmp_path, limits, used, expected):
    engine = Engine(engine.inferencer, Limits(**limits))
    job = upload(store, save_clip(tmp_path / 'long.mp4', num_frames=12, fps=10))
    *steps, last = engine.run(job)
    assert steps[-1].total == steps[-1].done == used
    assert len(last.people) == used
    assert last.notices == ((expected,) if expected else ())
    assert len(frames_of(job.folder / 'overlay.mp4')) == used


def test_what_can_be_read_of_a_damaged_clip_is_used(engine, store, tmp_path):
    whole = save_clip(tmp_path / 'whole.mp4', num_frames=20)
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    job = upload(store, cut)
    last = findings_of(engine.run(job))
    assert 2 < len(last.people) < 18
    (notice,) = last.notices
    assert notice.startswith('The clip is not whole: ')
    assert 'of 20 frames decoded' in notice


def refused(engine, job):
    with pytest.raises(RefusedError) as error:
        list(engine.run(job))
    assert not list(job.folder.glob('upload*'))
    text = str(error.value)
    assert job.name in text
    assert str(job.folder) not in text
    return text


@pytest.mark.parametrize('name', ['cut.jpg', 'cut.png', 'cut.webp'])
def test_pictures_that_are_cut_short(engine, store, tmp_path, name):
    path = save_picture(tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 'damaged' in refused(engine, upload(store, path))


def test_a_clip_without_one_good_frame(engine, store, tmp_path):
    path = save_clip(tmp_path / 'noise.mp4')
    data = bytearray(path.read_bytes())
    start = data.index(b'mdat') + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    text = refused(engine, upload(store, path))
    assert text == '“noise.mp4” cannot be read: not one frame could be decoded.'


def test_bombs_never_reach_a_decoder(engine, store, tmp_path, monkeypatch):
    for module, name in ((cv2, 'imdecode'), (cv2, 'imread'), (Image.Image, 'load')):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail('was decoded'))
    path = tmp_path / 'bomb.png'
    path.write_bytes(png_bomb(30_000, 30_000))
    assert 'million pixels' in refused(engine, upload(store, path))


def test_a_closed_job_is_given_up(engine, store, tmp_path):
    job = upload(store, save_clip(tmp_path / 'walk.mp4', num_frames=30))
    with store.work(job):
        steps = engine.run(job)
        assert next(steps) == Progress(0)
        assert next(steps).done == 1
        store.close(job)
        assert not list(steps)
    assert not job.folder.exists()


def test_a_visitor_who_is_gone_leaves_no_upload(engine, store, tmp_path):
    job = upload(store, save_clip(tmp_path / 'walk.mp4'))
    steps = engine.run(job)
    next(steps)
    steps.close()
    assert not list(job.folder.glob('upload*'))


def test_wrong_options_are_said_at_the_start(engine):
    with pytest.raises(ValueError, match='bbox_thr: got 2'):
        Engine(engine.inferencer, Limits(), bbox_thr=2)
    with pytest.raises(ValueError, match='fov'):
        Engine(engine.inferencer, Limits(), fov=-5)


def test_given_options_are_used(engine, store, tmp_path):
    engine = Engine(engine.inferencer, Limits(), bbox_thr=0.85, fov=60)
    job = upload(store, save_picture(tmp_path / 'x.png'))
    last = findings_of(engine.run(job))
    assert last.people == (1,)
    assert 'Camera: field of view.' in last.sources
    (person,) = json.loads((job.folder / 'people.json').read_text())
    expected = IMAGE_SIZE[0] / 2 / np.tan(np.radians(30))
    np.testing.assert_allclose(person['camera']['focal_px'], expected, rtol=1e-4)


def test_without_a_detector_the_whole_picture_is_one_person(engine, store, tmp_path):
    engine.inferencer.detector = None
    with pytest.raises(ValueError, match=r'bbox_thr: got 0\.5 without a detector'):
        Engine(engine.inferencer, Limits(), bbox_thr=0.5)
    job = upload(store, save_picture(tmp_path / 'x.png'))
    last = findings_of(engine.run(job))
    assert last.people == (1,)
    assert 'Boxes: whole image.' in last.sources


def test_a_kept_frame_is_smaller_but_sees_the_same(engine, tmp_path):
    """Points are seen at the same share of the picture's width and height."""
    picture = noise_picture(size=(2560, 1920))
    boxes = [[100, 200, 1200, 1800]]
    (result,) = MeshInferencer(engine.inferencer.model)(
        picture, bboxes=boxes, return_datasamples=True
    )
    sample = result['predictions'][0]
    KeptFrame.of(picture[..., ::-1], sample).save(tmp_path / 'frame.npz')
    kept = KeptFrame.load(tmp_path / 'frame.npz')
    assert kept.image_rgb.shape == (960, 1280, 3)
    seen = kept.vertices_cam[..., :2] / kept.vertices_cam[..., 2:] * kept.focal_px + kept.princpt_px
    expected = sample.pred_instances.vertices_img[..., :2]
    np.testing.assert_allclose(2 * (seen + 0.5), expected + 0.5, atol=0.02)
    assert kept.names.tolist() == ['person_0']
    assert (kept.spread_mm > 0).all()
