"""A scene's page read back without a browser: its arrays, its words, nothing from outside."""

import base64
import hashlib
import re

import cv2
import numpy as np
import pytest
from helpers_people import FACES, FOCAL, HEIGHT, PRINCPT, WIDTH
from helpers_scene_html import HOSTILE, Page, decoded, toy_scene, toy_spread

from i2l_plugin.visualization import scene_html as module
from i2l_plugin.visualization.colors import person_colors
from i2l_plugin.visualization.scene_html import scene_html, write_scene_html

NUM_VERTICES = FACES.max() + 1


def test_the_meshes_come_back_in_y_up_metres():
    scene = toy_scene()
    payload = Page(scene_html(**scene)).payload
    assert payload['index_bytes'] == 2
    np.testing.assert_array_equal(decoded(payload['faces'], '<u2', -1, 3), FACES)
    for person, vertices in zip(payload['people'], scene['vertices_cam'], strict=True):
        positions = decoded(person['positions'], '<f4', NUM_VERTICES, 3)
        np.testing.assert_allclose(positions * (1000, -1000, -1000), vertices, atol=1e-3)


def test_indices_grow_where_two_bytes_are_too_few():
    vertices = np.ones((1, 65_537, 3))
    scene = toy_scene() | dict(vertices_cam=vertices, faces=np.array([[0, 1, 65_535]]))
    payload = Page(scene_html(**scene)).payload
    assert payload['index_bytes'] == 4
    assert decoded(payload['faces'], '<u4', 3).tolist() == [0, 1, 65_535]


def test_camera_and_picture_stay_together_when_the_picture_shrinks():
    """Where a point falls as a share of the picture, borders at -0.5 px, is as before."""
    picture = cv2.resize(toy_scene()['image_rgb'], (WIDTH * 4, HEIGHT * 4))
    focal, princpt = FOCAL * 4, (PRINCPT + 0.5) * 4 - 0.5
    scene = toy_scene(picture=picture) | dict(focal_px=focal, princpt_px=princpt)
    page = Page(scene_html(**scene, max_side_px=WIDTH))
    assert page.picture.shape == (HEIGHT, WIDTH, 3)
    assert (page.payload['picture']['width'], page.payload['picture']['height']) == (WIDTH, HEIGHT)
    rays = np.array([[0.0, 0.0], [0.21, -0.13], [-0.3, 0.2]])
    before = (rays * focal + princpt + 0.5) / (WIDTH * 4, HEIGHT * 4)
    camera = {name: np.array(value) for name, value in page.payload['camera'].items()}
    after = (rays * camera['focal_px'] + camera['princpt_px'] + 0.5) / (WIDTH, HEIGHT)
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert np.abs(page.picture.astype(int) - toy_scene()['image_rgb']).mean() < 3


def test_a_small_picture_is_left_alone():
    page = Page(scene_html(**toy_scene()))
    assert np.abs(page.picture.astype(int) - toy_scene()['image_rgb']).max() < 12  # JPEG
    np.testing.assert_allclose(page.payload['camera']['princpt_px'], PRINCPT)


def test_uncertainty_as_colours_of_a_scale_in_mm():
    scene = toy_scene()
    spread = toy_spread(scene['vertices_cam'])
    page = Page(scene_html(**scene, vertex_spread_mm=spread))
    colors = decoded(page.payload['spread']['colors'], np.uint8, 256, 3)
    assert colors[0].tolist() == [68, 1, 84]  # viridis, dark blue to yellow
    assert colors[255].tolist() == [253, 231, 37]
    low, high = np.percentile(spread, [2, 98])
    for person, values in zip(page.payload['people'], spread, strict=True):
        levels = decoded(person['levels'], np.uint8, NUM_VERTICES)
        expected = np.clip(values, low, high)
        np.testing.assert_allclose(low + levels / 255 * (high - low), expected, atol=0.12)
    ((_, bar),) = page.find('p', id='bar')
    assert re.findall(r'([\d.]+) mm', bar) == [f'{low:.1f}', f'{high:.1f}']
    without = Page(scene_html(**scene))
    assert without.payload['spread'] is None
    assert not without.find('input', name='colors')
    assert len(page.find('input', name='colors')) == 2


def test_people_have_names_colours_and_depths():
    page = Page(scene_html(**toy_scene()))
    texts = [' '.join(text.split()) for _, text in page.find('li')]
    depths = np.median(toy_scene()['vertices_cam'][..., 2], axis=1) / 1000
    assert texts == [f'person_{i} {depth:.2f} m' for i, depth in enumerate(depths)]
    fills = [attributes['fill'] for attributes, _ in page.find('rect')]
    red, green, blue = (round(255 * value) for value in person_colors(2)[1])
    assert fills[1] == f'#{red:02x}{green:02x}{blue:02x}'
    np.testing.assert_allclose([p['color'] for p in page.payload['people']], person_colors(2))
    chosen = Page(scene_html(**toy_scene(), names=['a', 'b'], colors=[[1, 0, 0], [0, 0, 1]]))
    assert [attributes['fill'] for attributes, _ in chosen.find('rect')] == ['#ff0000', '#0000ff']
    assert [person['name'] for person in chosen.payload['people']] == ['a', 'b']


def test_hostile_words_stay_words():
    plain = Page(scene_html(**toy_scene(), names=['a', 'b'], title='t', caption='c'))
    text = scene_html(**toy_scene(), names=[HOSTILE, 'b'], title=HOSTILE, caption=HOSTILE)
    page = Page(text)
    assert [tag for tag, _, _ in page.elements] == [tag for tag, _, _ in plain.elements]
    assert page.find('title')[0][1] == page.find('h1')[0][1] == HOSTILE
    assert page.find('header')[0][1].strip().splitlines() == [HOSTILE, HOSTILE]
    assert HOSTILE in page.find('li')[0][1]
    assert page.payload['people'][0]['name'] == HOSTILE
    assert re.fullmatch(r'[\w-]+\.glb', page.payload['file_name'])


def test_the_policy_lets_nothing_in_but_the_own_script_and_style():
    page = Page(scene_html(**toy_scene(), vertex_spread_mm=toy_spread(toy_scene()['vertices_cam'])))
    meta = 'Content-Security-Policy'
    ((attributes, _),) = page.find('meta', **{'http-equiv': meta})
    rules = dict(rule.split(' ', 1) for rule in attributes['content'].split('; '))
    assert rules.pop('default-src') == "'none'"
    assert rules.pop('img-src') == 'data:'
    for kind, tag in (('script', 'script'), ('style', 'style')):
        text = next(text for found, text in page.find(tag) if 'type' not in found)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f'{kind}-src') == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    for tag, attributes, _ in page.elements:
        assert 'style' not in attributes  # the policy would drop it
        assert not any(name.startswith('on') for name in attributes)
        for name in ('src', 'href'):
            assert attributes.get(name, 'data:').startswith('data:'), tag


def test_nobody_is_a_page_too():
    scene = toy_scene() | dict(vertices_cam=np.zeros((0, 0, 3)))
    page = Page(scene_html(**scene, vertex_spread_mm=np.zeros((0, 0))))
    assert page.payload['people'] == []
    assert 'nobody' in page.find('fieldset', id='panel')[0][1]


def test_size_of_a_person():
    """Within 150 kB a person of 6,890 vertices; the faces are there once."""
    vertices = np.random.default_rng(0).normal(3000, 1, (3, 6890, 3))
    faces = np.zeros((13776, 3), int)
    spread = np.ones((3, 6890))
    sizes = [
        len(
            scene_html(
                toy_scene()['image_rgb'], vertices[:n], faces, FOCAL, PRINCPT, spread[:n]
            ).encode()
        )
        for n in (1, 2, 3)
    ]
    assert sizes[1] - sizes[0] == pytest.approx(sizes[2] - sizes[1], abs=100)
    assert sizes[1] - sizes[0] < 150_000


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = write_scene_html(tmp_path / 'new' / 'scene.html', **toy_scene(), title='one')
    assert path.read_text('utf-8') == scene_html(**toy_scene(), title='one')
    assert [file.name for file in path.parent.iterdir()] == ['scene.html']
    monkeypatch.setattr(module, 'write_atomically', None)  # wrong input ends before any writing
    for wrong, message in (
        ({'title': 'x', 'max_side_px': 3}, 'max_side_px must be at least 16, got 3'),
        ({'names': ['only one']}, 'names must be one for each of 2 people'),
    ):
        with pytest.raises(ValueError, match=message):
            write_scene_html(tmp_path / 'b.html', **toy_scene(), **wrong)
    with pytest.raises(ValueError, match=r"path must end in \.html, got 'scene\.glb'"):
        write_scene_html(tmp_path / 'scene.glb', **toy_scene())


NOT_FINITE = np.full((2, NUM_VERTICES, 3), np.nan)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(image_rgb=np.zeros((4, 5))), r'image_rgb must be uint8 \(H, W, 3\), got float64'),
        (dict(vertices_cam=np.zeros((5, 3))), r'vertices_cam must be \(N, V, 3\) mm, got \(5, 3\)'),
        (dict(vertices_cam=NOT_FINITE), 'vertices_cam must be finite, got 1152 NaN'),
        (dict(faces=np.zeros((4, 3))), r'faces must be whole numbers \(F, 3\), got float64'),
        (dict(faces=FACES + 1), 'faces name vertices 1 to 192, but vertices_cam has 192 a person'),
        (dict(focal_px=(0, 5)), 'focal_px must be positive'),
        (dict(vertex_spread_mm=np.ones(7)), r'vertex_spread_mm must be \(2, 192\) like vert'),
        (dict(vertex_spread_mm=NOT_FINITE[..., 0]), 'vertex_spread_mm must be finite, got 384'),
        (dict(names='ab'), "names must be one for each of 2 people, got 'ab'"),
        (dict(colors=np.ones(3)), r'colors must be \(2, 3\), got \(3,\)'),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        scene_html(**(toy_scene() | wrong))
