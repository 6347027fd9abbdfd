"""Result files: every format of pictures and videos, whole at all times, read back by others."""

import json

import av
import cv2
import numpy as np
import pytest
import trimesh
from helpers_inference import IMAGE_SIZE, Oracle, People, noise_picture, tiny_network

from i2l_plugin.apis.inference.json_stream import JsonListWriter
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.result_files import FORMATS
from i2l_plugin.apis.inference.steady_video import SteadyVideo
from i2l_plugin.apis.inference.video import VideoWriter

FRAMES, FPS = 5, 20


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('files'))


@pytest.fixture(scope='module')
def people(network):
    return People(network.body_model, n=2)


def save_video(path, frames=FRAMES):
    with VideoWriter(path, FPS) as video:
        for i in range(frames):
            video.write(np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 40 * i, np.uint8))
    return path


def run(network, people, inputs, number, out, **options):
    """Results of an inferencer that knows the truth; the same people in each picture."""
    inferencer = MeshInferencer(network)
    inferencer.estimate.estimator = Oracle(network, people)
    given = dict(
        bboxes=[people.bbox_px] * number,
        root_depths=[people.root_depths_mm] * number,
        camera=people.camera,
    )
    return inferencer(inputs, return_datasamples=True, out_dir=out, **{**given, **options})


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


@pytest.fixture(scope='module')
def picture_files(network, people, tmp_path_factory):
    """All formats of one picture, and its scene sample."""
    folder = tmp_path_factory.mktemp('picture')
    cv2.imwrite(str(folder / 'one.png'), noise_picture())
    (result,) = run(network, people, str(folder / 'one.png'), 1, folder / 'out', save=FORMATS)
    return folder / 'out', result['predictions'][0]


def test_every_format_of_a_picture_has_its_file(picture_files):
    meshes = [
        f'predictions/one_{part}.{suffix}'
        for part in ('person0', 'person1', 'scene')
        for suffix in ('glb', 'obj', 'ply')
    ]
    others = ['predictions/one.html', 'predictions/one.json', 'predictions/one.npz']
    assert names(picture_files[0]) == sorted([*meshes, *others, 'visualizations/one.jpg'])


def test_the_vertices_survive_into_every_file(picture_files, people):
    folder = picture_files[0] / 'predictions'
    written = json.loads((folder / 'one.json').read_text())
    np.testing.assert_allclose([p['vertices_cam'] for p in written], people.vertices_mm, atol=0.05)
    with np.load(folder / 'one.npz', allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays['vertices_cam'], people.vertices_mm, atol=0.05)
    for suffix in ('obj', 'ply', 'glb'):
        mesh = trimesh.load(folder / f'one_person1.{suffix}', force='mesh', process=False)
        expected = people.vertices_mm[1] * [1e-3, -1e-3, -1e-3]
        np.testing.assert_allclose(mesh.bounds, [expected.min(0), expected.max(0)], atol=2e-4)


def test_the_page_of_a_scene_says_where_all_is_from(picture_files):
    page = (picture_files[0] / 'predictions/one.html').read_text()
    for words in ('Boxes: given', 'Camera: given intrinsics', 'Root depth: given', 'person_1'):
        assert words in page


def test_a_picture_of_nobody_has_every_file_but_meshes(network, people, tmp_path):
    options = dict(bboxes=[[]], root_depths=[[]], save=FORMATS)
    (result,) = run(network, people, noise_picture(), 1, tmp_path / 'all', **options)
    assert len(result['predictions'][0].pred_instances) == 0
    told = [f'predictions/array.{suffix}' for suffix in ('html', 'json', 'npz')]
    assert names(tmp_path / 'all') == [*told, 'visualizations/array.jpg']
    assert json.loads((tmp_path / 'all/predictions/array.json').read_text()) == []


@pytest.fixture(scope='module')
def video_files(network, people, tmp_path_factory):
    folder = tmp_path_factory.mktemp('video')
    video = str(save_video(folder / 'clip.mp4'))
    results = list(run(network, people, video, FRAMES, folder / 'out', batch_size=3))
    return folder / 'out', [result['predictions'][0] for result in results]


def test_a_video_has_one_json_one_video_and_an_npz_for_each_frame(video_files):
    frames = [f'predictions/clip/clip_{i:06d}.npz' for i in range(FRAMES)]
    assert names(video_files[0]) == sorted(
        [*frames, 'predictions/clip.json', 'visualizations/clip.mp4']
    )


def test_the_json_of_a_video_is_the_hosts_list_of_frames(video_files, people):
    frames = json.loads((video_files[0] / 'predictions/clip.json').read_text())
    assert [frame['frame_id'] for frame in frames] == list(range(FRAMES))
    np.testing.assert_allclose([frame['time_s'] for frame in frames], np.arange(FRAMES) / FPS)
    for frame in frames:
        assert [person['track_id'] for person in frame['instances']] == [0, 1]
        vertices = [person['vertices_cam'] for person in frame['instances']]
        np.testing.assert_allclose(vertices, people.vertices_mm, atol=0.05)


def test_the_video_has_the_frames_and_the_rate_of_its_source(video_files):
    with av.open(str(video_files[0] / 'visualizations/clip.mp4')) as video:
        pictures = [frame.to_ndarray(format='rgb24') for frame in video.decode(video=0)]
        assert video.streams.video[0].average_rate == FPS
    assert len(pictures) == FRAMES
    for i, picture in enumerate(pictures):
        assert picture.shape[:2] == IMAGE_SIZE[::-1]
        assert np.abs(picture[:20, :20].astype(int) - 40 * i).max() < 6  # the frame's grey
        assert np.ptp(picture.astype(int)) > 60  # people on it


def test_several_inputs_each_have_their_files(network, people, tmp_path):
    videos = [str(save_video(tmp_path / folder / 'a.mp4', 2)) for folder in ('x', 'y')]
    inputs = [noise_picture(), videos[0], videos[1], noise_picture()]
    list(run(network, people, inputs, 6, tmp_path / 'out', save='json'))
    written = {path.name: json.loads(path.read_text()) for path in tmp_path.rglob('out/*/*.json')}
    assert len(written) == 4
    assert sorted(len(content) for content in written.values()) == [2, 2, 2, 2]
    assert sum('frame_id' in content[0] for content in written.values()) == 2


def test_the_folders_of_the_host_can_be_chosen_apart(network, people, tmp_path):
    video = str(save_video(tmp_path / 'clip.mp4', 2))
    list(run(network, people, video, 2, None, vis_out_dir=tmp_path / 'seen'))
    assert names(tmp_path / 'seen') == ['clip.mp4']
    list(run(network, people, noise_picture(), 1, None, pred_out_dir=tmp_path / 'told'))
    assert names(tmp_path / 'told') == ['array.json', 'array.npz']


def test_an_unknown_format_is_refused_before_anything_is_read(network, people, tmp_path):
    with pytest.raises(ValueError, match=r"save: got \['gif'\], expected some of json, npz"):
        run(network, people, noise_picture(), 1, tmp_path / 'out', save=['json', 'gif'])
    assert not (tmp_path / 'out').exists()


def test_a_call_that_is_left_early_leaves_whole_files(network, people, tmp_path):
    video = str(save_video(tmp_path / 'clip.mp4'))
    results = run(network, people, video, FRAMES, tmp_path / 'out', batch_size=2)
    next(results)
    next(results)
    results.close()
    assert len(json.loads((tmp_path / 'out/predictions/clip.json').read_text())) == 2
    with av.open(str(tmp_path / 'out/visualizations/clip.mp4')) as made:
        assert len(list(made.decode(video=0))) == 2
    assert not [name for name in names(tmp_path / 'out') if '/.' in name]


def test_an_error_in_the_middle_leaves_nothing_half_written(network, people, tmp_path):
    video = str(save_video(tmp_path / 'clip.mp4'))
    boxes = [people.bbox_px] * 3  # the fourth frame has none
    with pytest.raises(ValueError, match="'clip_000003' is number 4"):
        list(run(network, people, video, FRAMES, tmp_path / 'out', bboxes=boxes, batch_size=2))
    assert not [name for name in names(tmp_path / 'out') if not name.endswith('.npz')]


def test_a_list_is_written_entry_by_entry(tmp_path):
    with JsonListWriter(tmp_path / 'deep/list.json') as file:
        assert not (tmp_path / 'deep/list.json').exists()
        file.write({'a': 1})
        file.write([2.5])
    assert json.loads((tmp_path / 'deep/list.json').read_text()) == [{'a': 1}, [2.5]]
    with JsonListWriter(tmp_path / 'none.json'):
        pass
    assert json.loads((tmp_path / 'none.json').read_text()) == []


def test_ctrl_c_within_an_entry_cuts_the_list_after_the_last_whole_one(tmp_path):
    def write():
        with JsonListWriter(tmp_path / 'a.json') as file:
            file.write('whole')
            file._file.write(b',\n{"half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert json.loads((tmp_path / 'a.json').read_text()) == ['whole']


def test_numbers_that_are_not_finite_never_reach_a_list(tmp_path):
    def write():
        with JsonListWriter(tmp_path / 'a.json') as file:
            file.write([1.0])
            file.write([float('nan')])

    with pytest.raises(ValueError, match='not JSON compliant'):
        write()
    assert names(tmp_path) == []


class _Counted:
    """In place of a VideoWriter."""

    def __init__(self):
        self.pictures = []

    @property
    def num_frames(self):
        return len(self.pictures)

    def write(self, picture):
        self.pictures.append(int(picture[0, 0, 0]))


@pytest.mark.parametrize(
    ('times', 'expected'),
    [
        ([0.0, 0.1, 0.2], [0, 1, 2]),
        ([5.0, 5.1, 5.2], [0, 1, 2]),
        ([0.0, 0.3, 0.4], [0, 0, 0, 1, 2]),
        ([0.0, 0.104, 0.196, 0.3], [0, 1, 2, 3]),
        ([0.0, 0.01, 0.02, 0.3], [0, 1, 2, 3]),
    ],
)
def test_a_video_keeps_step_with_its_source(times, expected):
    video = SteadyVideo(_Counted(), 10.0)
    for i, time_s in enumerate(times):
        video.write(np.full((2, 2, 3), i, np.uint8), time_s)
    assert video.writer.pictures == expected
