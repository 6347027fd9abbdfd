"""MeshInferencer in the host's contract: every kind of input, option and mistake."""

import doctest

import cv2
import numpy as np
import pytest
import torch
from helpers_inference import IMAGE_SIZE, noise_picture, tiny_network
from mmpose.apis.inferencers.base_mmpose_inferencer import BaseMMPoseInferencer
from mmpose.registry import INFERENCERS

from i2l_plugin.apis import MeshInferencer
from i2l_plugin.apis.inference.frames import Frame, Source
from i2l_plugin.apis.inference.scene_maker import PictureNumbers
from i2l_plugin.apis.inference.video import VideoWriter

BOXES = np.array([[10, 20, 100, 200], [50, 60, 300, 230]], np.float32)


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('inferencer'))


@pytest.fixture(scope='module')
def inferencer(network):
    return MeshInferencer(network)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Three pictures, of which the second is damaged, and a video of four frames."""
    folder = tmp_path_factory.mktemp('inputs')
    for i in range(3):
        cv2.imwrite(str(folder / f'{i}.png'), noise_picture(i))
    (folder / '1.png').write_bytes(b'junk')
    with VideoWriter(folder / 'clip.mp4', 25) as video:
        for i in range(4):
            video.write(np.ascontiguousarray(noise_picture(i)[..., ::-1]))
    return folder


class FakeCamera:
    """In place of cv2.VideoCapture: three frames."""

    def __init__(self, source):
        assert source == 3
        self.left = 3

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, _):
        return 0.0

    def grab(self):
        self.left -= 1
        return self.left >= 0

    def retrieve(self):
        return True, noise_picture(self.left)

    def release(self):
        pass


KINDS = {  # of inputs in a folder: what to give, and the pictures that one gets
    'file': (lambda folder: f'{folder}/0.png', ['0.png']),
    'path': (lambda folder: folder / '0.png', ['0.png']),
    'folder': (str, ['0.png', '2.png']),
    'glob': (lambda folder: f'{folder}/*.png', ['0.png', '2.png']),
    'list': (lambda folder: [f'{folder}/2.png', f'{folder}/0.png'], ['2.png', '0.png']),
    'video': (lambda folder: f'{folder}/clip.mp4', ['clip.mp4'] * 4),
    'mixed': (lambda folder: [noise_picture(), f'{folder}/clip.mp4'], [None] + ['clip.mp4'] * 4),
    'array': (lambda _: noise_picture(), [None]),
    'arrays': (lambda _: [noise_picture(), noise_picture(1)], [None] * 2),
    'stack': (lambda _: np.stack([noise_picture(), noise_picture(1)]), [None] * 2),
    'camera': (lambda _: 'webcam:3', [None] * 3),
}


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_input(inferencer, folder, kind, monkeypatch):
    if kind == 'camera':
        monkeypatch.setattr(cv2, 'VideoCapture', FakeCamera)
    make, names = KINDS[kind]
    skipped = []
    results = list(inferencer(make(folder), on_skip=lambda *what: skipped.append(what)))
    assert [set(result) for result in results] == [{'predictions', 'visualization'}] * len(names)
    samples = inferencer(make(folder), return_datasamples=True, on_skip=lambda *_: None)
    for result, sample, name in zip(results, samples, names, strict=True):
        (people,), (found,) = result['predictions'], sample['predictions']
        assert found.metainfo['img_path'] == (name and f'{folder}/{name}')
        np.testing.assert_allclose(
            [person['vertices_cam'] for person in people],
            found.pred_instances.vertices_cam,
            atol=1e-3,
        )
    damaged = [(f'{folder}/1.png', 'the file is damaged or not an image')]
    assert skipped == (damaged if kind in ('folder', 'glob') else [])


def test_it_is_one_of_the_hosts_inferencers(network):
    assert INFERENCERS.get('MeshInferencer') is MeshInferencer
    built = INFERENCERS.build(dict(type='MeshInferencer', model=network))
    assert isinstance(built, BaseMMPoseInferencer)
    hosts = {'bboxes', 'bbox_thr', 'nms_thr', 'show', 'draw_bbox', 'return_vis', 'pred_out_dir'}
    known = built.preprocess_kwargs | built.visualize_kwargs | built.postprocess_kwargs
    assert hosts <= known
    with pytest.raises(ValueError, match=r"unknown argument \{'speed'\}"):
        built(noise_picture(), speed=3)


def test_files_of_config_and_checkpoint(network, tmp_path):
    network.cfg.dump(tmp_path / 'config.py')
    torch.save({'state_dict': network.state_dict()}, tmp_path / 'a.pth')
    inferencer = MeshInferencer(str(tmp_path / 'config.py'), str(tmp_path / 'a.pth'), 'cpu')
    (ours,), (theirs,) = (
        list(one(noise_picture())) for one in (inferencer, MeshInferencer(network))
    )
    assert ours['predictions'] == theirs['predictions']


def test_the_example_of_its_documentation(network, tmp_path, monkeypatch, capsys):
    network.cfg.dump(tmp_path / 'config.py')
    torch.save({'state_dict': network.state_dict()}, tmp_path / 'checkpoint.pth')
    (tmp_path / 'pictures').mkdir()
    cv2.imwrite(str(tmp_path / 'pictures/a.png'), noise_picture())
    (example,) = doctest.DocTestFinder(recurse=False).find(MeshInferencer, 'MeshInferencer')
    monkeypatch.chdir(tmp_path)
    code = ''.join(part.source for part in example.examples)
    assert len(code.strip().splitlines()) == 5
    exec(code, {})
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert line == f'[[0.0, 0.0, 319.0, 239.0]] {network.body_model.num_vertices} default 1500 px'
    assert (tmp_path / 'results/predictions/a.npz').exists()


def test_weights_for_a_network_that_has_its_own_are_refused(network):
    with pytest.raises(ValueError, match=r"weights: got 'a\.pth' for a network that has its own"):
        MeshInferencer(network, 'a.pth')


def test_boxes_follow_their_pictures_past_one_that_is_damaged(inferencer, folder):
    boxes = [BOXES[:1], BOXES, BOXES[1:]]
    options = dict(bboxes=boxes, return_datasamples=True, on_skip=lambda *_: None)
    found = [
        result['predictions'][0].pred_instances.bboxes.tolist()
        for result in inferencer(str(folder), **options)
    ]
    assert found == [BOXES[:1].tolist(), BOXES[1:].tolist()]


def test_a_video_that_is_cut_short_is_no_picture_more():
    """What the reader reports behind its last frame must not shift the boxes that follow."""
    made, told = [], []
    source = Source('video', 'v.mp4', 25.0, 9, 'v')
    numbers = PictureNumbers(lambda _, number: made.append(number), lambda *what: told.append(what))

    def frames():
        for i in (0, 2):
            yield Frame(noise_picture(), f'v_{i}', 'v.mp4', i, i / 25, source)
            if i == 0:
                numbers.skip('v_1', 'the frame is damaged')
        numbers.skip('v.mp4', '2 of 9 frames decoded')
        yield Frame(noise_picture(), 'a', 'a.png', 0, None, Source('image', 'a.png', None, 1, 'a'))

    list(numbers.scenes(frames()))
    assert made == [0, 2, 3]
    assert [name for name, _ in told] == ['v_1', 'v.mp4']


def test_boxes_of_more_or_fewer_pictures_are_refused_at_once(inferencer, folder):
    with pytest.raises(ValueError, match='bboxes: got them for 2 pictures, expected 3'):
        inferencer(str(folder), bboxes=[BOXES, BOXES])
    with pytest.raises(ValueError, match='root_depths: got them for 1 pictures, expected 3'):
        inferencer(str(folder), root_depths=[1000])
    results = inferencer(f'{folder}/clip.mp4', bboxes=[BOXES] * 2, batch_size=1)
    with pytest.raises(ValueError, match="for 2 pictures, but 'clip_000002' is number 3"):
        list(results)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=0), 'batch_size: got 0'),
        (dict(fov=200), 'fov: got 200'),
        (dict(fov=50, camera=1000), 'give one of them'),
        (dict(bbox_thr=7), 'bbox_thr: got 7'),
        (dict(nms_thr=-1), 'nms_thr: got -1'),
        (dict(smooth='butter'), "smooth: got 'butter'"),
        (dict(save=['doc']), r"save: got \['doc'\]"),
        (dict(bboxes=[['x', 2, 3, 4]]), 'bboxes: '),
    ],
)
def test_mistakes_are_said_by_the_call_itself(inferencer, options, message):
    with pytest.raises(ValueError, match=message):
        inferencer(noise_picture(), **options)


@pytest.mark.parametrize(
    ('inputs', 'kind'),
    [
        ('{}/nowhere.png', FileNotFoundError),
        ('{}/empty', ValueError),
        ('http://a/b.jpg', ValueError),
    ],
)
def test_so_are_inputs_that_are_not_there(inferencer, tmp_path, inputs, kind):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(kind):
        inferencer(inputs.format(tmp_path))


def test_given_detectors_are_asked_and_named(network):
    seen = []

    def finder(image_bgr):
        seen.append(image_bgr)
        return np.column_stack([BOXES, [0.4, 0.8]])

    finder.name = 'my finder'
    inferencer = MeshInferencer(network, det_model=finder)
    (result,) = inferencer(noise_picture(), return_datasamples=True, nms_thr=0.9)
    found = result['predictions'][0]
    np.testing.assert_array_equal(seen[0], noise_picture())
    np.testing.assert_array_equal(found.pred_instances.bboxes, BOXES[::-1])  # the best first
    np.testing.assert_allclose(found.pred_instances.bbox_scores, [0.8, 0.4])
    assert found.metainfo['bbox_source'] == 'my finder'
    (result,) = inferencer(noise_picture(), bbox_thr=0.9)
    assert result['predictions'] == [[]]
    (result,) = inferencer(noise_picture(), bboxes=BOXES)
    assert result['predictions'][0][0]['bbox_source'] == 'given'
    whole = MeshInferencer(network, det_model='whole-image')
    (result,) = whole(noise_picture())
    assert result['predictions'][0][0]['bbox_source'] == 'whole image'


@pytest.mark.parametrize('name', ['bbox_thr', 'nms_thr'])
def test_thresholds_that_choose_nothing_are_refused(network, inferencer, name):
    with pytest.raises(ValueError, match=f'{name}: got 0.5 without a detector.*leave it out'):
        inferencer(noise_picture(), **{name: 0.5})
    detecting = MeshInferencer(network, det_model=lambda image: np.zeros((0, 5)))  # noqa: ARG005
    with pytest.raises(ValueError, match=f'{name}: got 0.5 for boxes that are given'):
        detecting(noise_picture(), bboxes=BOXES, **{name: 0.5})
    (result,) = detecting(noise_picture(), **{name: 0.5})
    assert result['predictions'] == [[]]


def test_without_thresholds_a_detectors_are_the_hosts(network):
    """Score 0.3, and an overlap of 0.3: 60 px are shared of 140, or 40 of 160."""

    def finder(image):  # noqa: ARG001
        tall = [[0, 0, 100, 100], [40, 0, 140, 100], [150, 0, 250, 100], [210, 0, 310, 100]]
        scores = [0.9, 0.8, 0.7, 0.6]
        return np.array([[*box, score] for box, score in zip(tall, scores, strict=True)] + faint)

    faint = [[0, 120, 100, 220, 0.31], [150, 120, 250, 220, 0.29]]
    (result,) = MeshInferencer(network, det_model=finder)(noise_picture())
    found = [round(person['bbox_score'], 2) for person in result['predictions'][0]]
    assert found == [0.9, 0.7, 0.6, 0.31]


def test_pictures_of_the_results_show_the_people(inferencer, folder):
    options = dict(bboxes=[BOXES], camera=300, return_vis=True)
    (result,) = inferencer(noise_picture(), **options)
    (row,) = result['visualization']
    assert row.dtype == np.uint8
    assert row.shape[0] == 320
    (result,) = inferencer(noise_picture(), draw_bbox=True, **options)
    assert (result['visualization'][0] != row).any()
    (result,) = inferencer(noise_picture(), bboxes=[BOXES])
    assert result['visualization'] == []
    options['bboxes'] = [BOXES] * 4
    frames = list(inferencer(f'{folder}/clip.mp4', **options))
    assert {result['visualization'][0].shape for result in frames} == {(*IMAGE_SIZE[::-1], 3)}


@pytest.mark.parametrize('smooth', [True, 'savgol', 'one-euro'])
def test_people_of_videos_are_numbered_and_smoothed(inferencer, folder, smooth):
    video = f'{folder}/clip.mp4'
    options = dict(bboxes=[BOXES] * 4, return_datasamples=True)
    runs = [
        [result['predictions'][0] for result in inferencer(video, smooth=s, **options)]
        for s in (False, smooth)
    ]
    for plain, smoothed in zip(*runs, strict=True):
        assert plain.pred_instances.track_ids.tolist() == [0, 1]
        assert smoothed.metainfo['frame_id'] == plain.metainfo['frame_id']
    rough, fine = (
        np.stack([sample.pred_instances.vertices_cam for sample in samples]) for samples in runs
    )
    steps = [np.abs(np.diff(vertices, axis=0)).mean() for vertices in (rough, fine)]
    assert steps[1] < 0.9 * steps[0]


def test_a_window_that_cannot_be_opened_is_one_clear_error(inferencer, monkeypatch):
    def no_window(*_):
        raise cv2.error('The function is not implemented. Rebuild the library with GTK support')

    monkeypatch.setattr(cv2, 'namedWindow', no_window)
    with pytest.raises(ValueError, match='show: this OpenCV cannot open a window'):
        list(inferencer(noise_picture(), show=True))


def test_escape_in_the_window_ends_the_call(inferencer, folder, monkeypatch):
    shown, keys = [], iter([-1, 27])
    monkeypatch.setattr(cv2, 'namedWindow', lambda *_: None)
    monkeypatch.setattr(cv2, 'destroyWindow', lambda name: shown.append(name))
    monkeypatch.setattr(cv2, 'imshow', lambda _, picture: shown.append(picture.shape))
    monkeypatch.setattr(cv2, 'waitKey', lambda ms: next(keys) if ms == 1 else None)
    results = list(inferencer(f'{folder}/clip.mp4', show=True))
    assert len(results) == 2
    assert shown == [(*IMAGE_SIZE[::-1], 3)] * 2 + ['i2l_plugin']
