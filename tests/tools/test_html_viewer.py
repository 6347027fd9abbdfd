"""The scene viewer's bundle belongs to its sources; its arithmetic is that of the package."""

import hashlib
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from helpers_runs import ROOT
from helpers_scene_html import Page, toy_scene, toy_spread

from i2l_plugin.visualization.ray_scene import Camera
from i2l_plugin.visualization.renderer import view_rotation
from i2l_plugin.visualization.scene_html import VIEWER, scene_html

SOURCES = ROOT / 'tools/html_viewer'
NODE = shutil.which('node')
needs_node = pytest.mark.skipif(NODE is None, reason='needs Node.js')
FLIP = np.array([1, -1, -1])  # the camera frame (y down) to the viewer's (y up) and back
CAMERA = Camera((310.0, 290.0), (260.0, 40.0), (320, 200))
PICTURE = {'width': 320, 'height': 200}
VIEWPORT = {'width': 500, 'height': 460}
JS_CAMERA = {'focal_px': CAMERA.focal_px.tolist(), 'princpt_px': CAMERA.princpt_px.tolist()}


def run_module(name, body, **given):
    """What JavaScript gives back, with a module's exports as `m` and the arguments as `given`."""
    script = f"""import * as m from {json.dumps((SOURCES / 'src' / name).as_uri())};
import {{ readFileSync }} from 'node:fs';
const given = JSON.parse(readFileSync(0, 'utf8'));
const result = (() => {{ {body} }})();
console.log(JSON.stringify(result));"""
    result = subprocess.run(
        [NODE, '--input-type=module', '-e', script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(result.stdout)


def test_the_bundle_is_built_from_these_sources():
    digest = hashlib.sha256()
    files = [SOURCES / 'build.js', SOURCES / 'package-lock.json']
    for file in [*files, *sorted((SOURCES / 'src').iterdir())]:
        digest.update(file.read_bytes())
    bundle = (VIEWER / 'scene_viewer.js').read_text('ascii')
    assert digest.hexdigest() in bundle[:200], 'run `npm ci && npm run build` in tools/html_viewer'
    assert len(bundle) < 800_000
    assert '</script' not in bundle.lower()
    assert 'SPDX-License-Identifier: MIT' in bundle


def test_versions_are_exact_and_the_notice_names_them():
    package = json.loads((SOURCES / 'package.json').read_text())
    lock = json.loads((SOURCES / 'package-lock.json').read_text())
    for name, version in package['devDependencies'].items():
        assert re.fullmatch(r'[\d.]+', version)
        assert lock['packages'][f'node_modules/{name}']['version'] == version
    assert not any('resolved' in entry for entry in lock['packages'].values())
    notice = (VIEWER / 'NOTICE').read_text()
    assert f'three.js {package["devDependencies"]["three"]}' in notice
    assert 'The above copyright notice and this permission notice shall be included' in notice


@pytest.mark.skipif(
    NODE is None or not (SOURCES / 'node_modules').is_dir(),
    reason='needs Node.js and `npm ci` in tools/html_viewer',
)
def test_building_again_gives_the_same_bytes(tmp_path):
    built = tmp_path / 'viewer.js'
    subprocess.run([NODE, SOURCES / 'build.js', built], check=True, timeout=60)
    assert built.read_bytes() == (VIEWER / 'scene_viewer.js').read_bytes()


@needs_node
def test_the_viewer_reads_what_the_package_writes():
    scene = toy_scene()
    page = Page(scene_html(**scene, vertex_spread_mm=toy_spread(scene['vertices_cam'])))
    ((_, text),) = page.find('script', id='scene')
    read = run_module(
        'data.js',
        'const s = m.parseScene(given.text);'
        'return [[...s.faces], s.people.map((p) => [...p.positions]),'
        ' s.people.map((p) => [...p.levels]), [...s.spread.colors]];',
        text=text,
    )
    np.testing.assert_array_equal(np.reshape(read[0], (-1, 3)), scene['faces'])
    vertices = np.reshape(read[1], scene['vertices_cam'].shape) * 1000 * FLIP
    np.testing.assert_allclose(vertices, scene['vertices_cam'], atol=1e-3)
    assert [(min(levels), max(levels)) for levels in read[2]] == [(0, 255)] * 2
    assert read[3][-3:] == [253, 231, 37]


@needs_node
def test_the_viewport_shows_what_the_pictures_camera_sees():
    """A point's place between the borders is where the picture, fitted whole, has its pixel."""
    tangents = run_module(
        'projection.js',
        'return m.viewportTangents(given.camera, given.picture, given.viewport);',
        camera=JS_CAMERA,
        picture=PICTURE,
        viewport=VIEWPORT,
    )
    points = np.random.default_rng(0).uniform((-500, -500, 1500), (500, 500, 4000), (20, 3))
    x, y = (points[:, :2] / points[:, 2:]).T
    across = (x - tangents['left']) / (tangents['right'] - tangents['left']) * 500
    down = (tangents['top'] + y) / (tangents['top'] - tangents['bottom']) * 460
    scale = 500 / 320  # the width is what binds; bars above and below
    expected = (CAMERA.project(points) + 0.5) * scale + (0, (460 - 200 * scale) / 2)
    np.testing.assert_allclose(np.stack([across, down], -1), expected, atol=1e-9)


@needs_node
def test_the_pictures_corners():
    corners = run_module(
        'projection.js',
        'return m.pictureCorners(given.camera, given.picture, 4);',
        camera=JS_CAMERA,
        picture=PICTURE,
    )
    corners = np.array(corners) * FLIP
    np.testing.assert_allclose(corners[:, 2], 4)
    borders = [[-0.5, -0.5], [319.5, -0.5], [319.5, 199.5], [-0.5, 199.5]]
    np.testing.assert_allclose(CAMERA.project(corners), borders, atol=1e-9)


def axes(view):
    """JavaScript for the camera's three axes in the scene, as rows."""
    return f'[[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((axis) => m.turn({view}, axis))'


@needs_node
@pytest.mark.parametrize(('azimuth', 'elevation'), [(90, 0), (0, 90), (-35, 20)])
def test_angles_are_those_of_the_renderer(azimuth, elevation):
    view = {'yaw': -np.deg2rad(azimuth), 'pitch': -np.deg2rad(elevation)}
    turned = run_module('orbit.js', f'return {axes("given.view")};', view=view)
    # rows of `view_rotation` are its camera's axes in the picture's camera frame
    expected = view_rotation(azimuth, elevation) * FLIP * FLIP[:, None]
    np.testing.assert_allclose(turned, expected, atol=1e-12)


@needs_node
def test_the_pivot_stays_while_turning_and_the_camera_while_choosing_another():
    """Homogeneous coordinates: scene = [axes | position] camera, whatever the view."""
    result = run_module(
        'orbit.js',
        f"""
let view = m.startView([0.3, -0.2, -3]);
const note = () => ({{ axes: {axes('view')}, position: m.position(view), view }});
const notes = [note()];
const step = (next) => {{ view = next; notes.push(note()); }};
step(m.rotated(view, 0.7, -0.4));
step(m.panned(view, 0.1, 0.05));
step(m.zoomed(view, 0.5, [0.1, 20]));
step(m.around(view, [1, 0.5, -4]));
step(m.rotated(view, -1.9, 5));
step(m.zoomed(view, 1e-9, [0.1, 20]));
return notes;""",
    )
    start, rotated, panned, zoomed, around, up, nearest = result
    for note in result:
        turned = np.array(note['axes'])
        np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(turned) == pytest.approx(1)
        note['seen'] = turned @ (np.array(note['view']['pivot']) - note['position'])
        np.testing.assert_allclose(note['seen'], note['view']['offset'], atol=1e-12)
    np.testing.assert_allclose(start['position'], 0, atol=1e-12)
    np.testing.assert_allclose(start['axes'], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(rotated['seen'], start['seen'])
    place = [note['seen'][:2] / -note['seen'][2] for note in (rotated, panned, zoomed)]
    np.testing.assert_allclose(place[1] - place[0], (0.1, 0.05), atol=1e-12)
    np.testing.assert_allclose(place[2], place[1])
    np.testing.assert_allclose(zoomed['seen'], 0.5 * panned['seen'])
    np.testing.assert_allclose(around['position'], zoomed['position'], atol=1e-12)
    np.testing.assert_allclose(around['axes'], zoomed['axes'])
    assert up['view']['pitch'] == pytest.approx(np.pi / 2)  # no farther than straight up
    assert np.linalg.norm(nearest['seen']) == pytest.approx(0.1)


@needs_node
@pytest.mark.parametrize('side', [(0.0, 0.0), (-np.pi / 2, 0.0), (0.3, -1.2)])
def test_framing_is_as_near_as_all_points_fit(side):
    points = np.random.default_rng(1).normal((1, 0, -5), (1.5, 0.4, 0.8), (200, 3))
    tangents = {'left': -0.7, 'right': 0.2, 'bottom': -0.1, 'top': 0.5}
    offset, turned = run_module(
        'orbit.js',
        'const view = m.framing(given.angles, [1, 0, -5], [given.points], given.tangents, 0.1);'
        f'return [view.offset, {axes("view")}];',
        angles=dict(zip(('yaw', 'pitch'), side, strict=True)),
        points=points.ravel().tolist(),
        tangents=tangents,
    )
    seen = (points - (1, 0, -5)) @ np.transpose(turned) + offset
    assert (seen[:, 2] < 0).all()
    places = seen[:, :2] / -seen[:, 2:]
    low, high = np.array([-0.7, -0.1]), np.array([0.2, 0.5])
    shares = (places - low) / (high - low)
    assert shares.min() > 0.1 - 1e-9
    assert shares.max() < 0.9 + 1e-9
    width = np.ptp(shares, axis=0)
    assert width.max() == pytest.approx(0.8)  # nothing is wasted along one axis
    np.testing.assert_allclose((shares.min(0) + shares.max(0)) / 2, 0.5, atol=0.1)
