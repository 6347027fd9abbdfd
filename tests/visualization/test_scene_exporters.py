"""Scene files read back by trimesh, and what it does not read by hand."""

import numpy as np
import pytest
import trimesh
from helpers_gltf import gltf_tree, vertex_srgb
from helpers_people import FACES, FOCAL, HEIGHT, WIDTH, nobody, people_sample

from i2l_plugin import files
from i2l_plugin.visualization.colors import person_colors
from i2l_plugin.visualization.ray_scene import Camera
from i2l_plugin.visualization.scene_exporters import export_people, export_scene

PLACES = [(-600 + 120 * i, 20 * i, 3000 + 170 * i) for i in range(12)]
VERTICES = people_sample(PLACES).pred_instances.vertices_cam
EXPECTED_M = VERTICES.astype(float) * (1e-3, -1e-3, -1e-3)


def read_obj(path):
    """Objects of an OBJ file in their order: name -> vertices and colours (V, 6), faces (F, 3)."""
    objects, vertices, faces, before = {}, [], [], 0
    for line in path.read_text().splitlines():
        kind, *words = line.split() or ['']
        if kind == 'o':
            before += len(vertices)
            vertices, faces = objects[words[0]] = [], []
        elif kind == 'v':
            vertices.append([float(word) for word in words])
        elif kind == 'f':
            faces.append([int(word) - 1 - before for word in words])
    return {name: (np.array(v), np.array(f)) for name, (v, f) in objects.items()}


def read_scene(path):
    """name -> vertices (V, 3) m, faces (F, 3), colours (V, 3) in [0, 1], in the file's order."""
    if path.suffix == '.obj':
        return {name: (v[:, :3], f, v[:, 3:]) for name, (v, f) in read_obj(path).items()}
    loaded = trimesh.load(path, process=False)
    if path.suffix == '.ply':
        person = loaded.metadata['_ply_raw']['vertex']['data']['person']
        owner = person[loaded.faces[:, 0]]
        return {
            f'person_{i}': (
                loaded.vertices[person == i],
                loaded.faces[owner == i] - np.flatnonzero(person == i)[0],
                loaded.visual.vertex_colors[person == i, :3] / 255,
            )
            for i in np.unique(person)
        }
    return {
        node: (mesh.vertices, mesh.faces, vertex_srgb(mesh))
        for node in [node['name'] for node in gltf_tree(path)['nodes']]
        for mesh in [loaded.geometry[loaded.graph[node][1]]]
    }


@pytest.mark.parametrize('suffix', ['.obj', '.ply', '.glb'])
@pytest.mark.parametrize('colors', ['default', 'person', 'vertex'])
def test_people_come_back_by_name_in_their_order_place_and_colour(tmp_path, suffix, colors):
    rng = np.random.default_rng(0)
    # not too dark for the 8 bits of linear light in a GLB
    person, vertex = rng.uniform(0.3, 1, (12, 3)), rng.uniform(0.3, 1, VERTICES.shape)
    given = {'default': None, 'person': person, 'vertex': vertex}
    path = export_scene(tmp_path / 'new' / f'a{suffix}', VERTICES, FACES, given[colors])
    people = read_scene(path)
    assert list(people) == [f'person_{i}' for i in range(12)]
    expected = person_colors(12) if colors == 'default' else given[colors]
    for i, (vertices, faces, color) in enumerate(people.values()):
        np.testing.assert_allclose(vertices, EXPECTED_M[i], atol=1e-6)
        np.testing.assert_array_equal(faces, FACES)
        steps = 2.5 if suffix == '.glb' else 0.51
        np.testing.assert_allclose(
            color, np.broadcast_to(expected[i], color.shape), atol=steps / 255
        )
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_obj_is_one_mesh_for_trimesh(tmp_path):
    path = export_scene(tmp_path / 'a.obj', VERTICES, FACES)
    loaded = trimesh.load(path, process=False, maintain_order=True, force='mesh')
    np.testing.assert_allclose(loaded.vertices, EXPECTED_M.reshape(-1, 3), atol=1e-6)
    assert loaded.body_count == 12 * trimesh.Trimesh(VERTICES[0], FACES, process=False).body_count


def test_uncertainty_is_a_property_of_ply_and_an_attribute_of_glb(tmp_path):
    spread = np.random.default_rng(0).uniform(5, 90, VERTICES.shape[:2])
    path = export_scene(tmp_path / 'a.ply', VERTICES, FACES, spread_mm=spread)
    vertices = trimesh.load(path, process=False).metadata['_ply_raw']['vertex']['data']
    np.testing.assert_allclose(vertices['spread_mm'], spread.ravel(), rtol=1e-6)
    np.testing.assert_array_equal(vertices['person'], np.repeat(np.arange(12), len(VERTICES[0])))
    names = [f'track_{i}' for i in range(50, 38, -1)]
    path = export_scene(tmp_path / 'a.glb', VERTICES, FACES, names=names, spread_mm=spread)
    geometry = trimesh.load(path, process=False).geometry
    for i, name in enumerate(names):
        stored = geometry[name].vertex_attributes['_spread_mm']
        np.testing.assert_allclose(np.ravel(stored), spread[i], rtol=1e-6)


def test_glb_camera_sees_people_where_the_picture_does(tmp_path):
    """glTF 2.0: clip = x / (aspect tan(yfov / 2)), y / tan(yfov / 2), both over -z."""
    camera = Camera((500.0, 450.0), (319.5, 239.5), (640, 480))
    path = export_scene(tmp_path / 'a.glb', VERTICES, FACES, camera=camera)
    tree = gltf_tree(path)
    node = next(i for i, node in enumerate(tree['nodes']) if 'camera' in node)
    assert node in tree['scenes'][0]['nodes']
    assert {*tree['nodes'][node]} == {'name', 'camera'}  # at the origin, not turned
    lens = tree['cameras'][tree['nodes'][node]['camera']]['perspective']
    x, y, z = np.moveaxis(EXPECTED_M, -1, 0)
    up = y / -z / np.tan(lens['yfov'] / 2)
    right = x / -z / np.tan(lens['yfov'] / 2) / lens['aspectRatio']
    pixels = np.stack([(right + 1) / 2 * 640 - 0.5, (1 - up) / 2 * 480 - 0.5], -1)
    np.testing.assert_allclose(pixels, camera.project(VERTICES), atol=1e-3)
    assert 'cameras' not in gltf_tree(export_scene(path, VERTICES, FACES))


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.glb'
    path.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(files.os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        export_scene(path, VERTICES, FACES)
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('name', 'change', 'match'),
    [
        ('a.stl', {}, r'\.obj, \.ply, \.glb'),
        (
            'a.obj',
            {'vertices_cam': VERTICES[0]},
            r'vertices_cam must be \(N, V, 3\), got \(192, 3\)',
        ),
        ('a.obj', {'vertices_cam': VERTICES[:0]}, 'vertices_cam has nobody'),
        ('a.glb', {'vertices_cam': VERTICES * np.nan}, 'must be finite'),
        ('a.ply', {'faces': FACES + 9}, 'the mesh has 192'),
        ('a.obj', {'faces': np.zeros((4, 4), int)}, 'faces must be'),
        ('a.glb', {'colors': np.zeros((11, 3))}, r'colors must be \(12, 3\) or \(12, 192, 3\)'),
        ('a.glb', {'names': ['a', 'b']}, 'names must be 12 different'),
        ('a.glb', {'names': ['a'] * 12}, 'names must be 12 different'),
        ('a.obj', {'names': [f'a {i}' for i in range(12)]}, 'without white space'),
        ('a.ply', {'spread_mm': np.zeros((12, 3))}, r'spread_mm must be \(12, 192\)'),
    ],
)
def test_bad_arguments_are_named(tmp_path, name, change, match):
    arguments = {'vertices_cam': VERTICES, 'faces': FACES} | change
    with pytest.raises(ValueError, match=match):
        export_scene(tmp_path / name, **arguments)
    assert not list(tmp_path.iterdir())


def test_people_and_their_scene_in_every_format(tmp_path):
    sample = people_sample(PLACES[:2], track_ids=np.array([7, 3]))
    paths = export_people(tmp_path / 'meshes', 'street', sample, FACES, ('obj', 'ply', '.GLB'))
    stems = ('street_track7', 'street_track3', 'street_scene')
    names = [f'{stem}.{suffix}' for stem in stems for suffix in ('obj', 'ply', 'glb')]
    assert [path.name for path in paths] == names
    assert {*(tmp_path / 'meshes').iterdir()} == {*paths}
    for path in paths[:-1]:  # trimesh joins a GLB's people in an order of its own
        loaded = trimesh.load(path, process=False, maintain_order=True, force='mesh')
        i = names.index(path.name) // 3
        expected = EXPECTED_M[i] if i < 2 else EXPECTED_M[:2].reshape(-1, 3)
        tints = np.rint(255 * person_colors([7, 3]))
        tints = tints[[i]] if i < 2 else tints
        np.testing.assert_allclose(loaded.vertices, expected, atol=1e-6)
        tints = np.repeat(tints, len(VERTICES[0]), axis=0)
        if path.suffix == '.glb':
            (person,) = trimesh.load(path, process=False).geometry.values()
            np.testing.assert_allclose(255 * vertex_srgb(person), tints, atol=2.5)
        else:
            np.testing.assert_array_equal(loaded.visual.vertex_colors[:, :3], tints)
    geometry = trimesh.load(paths[-1], process=False).geometry
    np.testing.assert_allclose(geometry['track_3'].vertices, EXPECTED_M[1], atol=1e-6)
    scene = gltf_tree(paths[-1])
    assert [node['name'] for node in scene['nodes']] == ['track_7', 'track_3', 'camera']
    lens = scene['cameras'][0]['perspective']
    assert np.tan(lens['yfov'] / 2) == pytest.approx(HEIGHT / 2 / FOCAL[1])
    assert '_spread_mm' in scene['meshes'][0]['primitives'][0]['attributes']


def test_uncertainty_colours_and_what_is_stored(tmp_path):
    sample = people_sample(PLACES[:2])
    spread = sample.pred_instances.vertex_spread
    spread[:] = 0
    spread[0, :, 2], spread[1, :, 2] = 30.0, 60.0
    sample.pop('ori_shape')
    arguments = {'formats': ['ply', 'glb'], 'uncertainty': True, 'spread_range_mm': (30.0, 90.0)}
    paths = export_people(tmp_path, 'a', sample, FACES, **arguments)
    assert paths[0].name == 'a_person0.ply'
    first, second = (trimesh.load(paths[i], process=False) for i in (0, 2))
    np.testing.assert_allclose(first.visual.vertex_colors[:, :3] - [[68, 1, 84]], 0, atol=2)
    np.testing.assert_allclose(second.visual.vertex_colors[:, :3] - [[33, 145, 140]], 0, atol=4)
    np.testing.assert_allclose(second.metadata['_ply_raw']['vertex']['data']['spread_mm'], 60)
    assert 'cameras' not in gltf_tree(paths[-1])  # the picture's size is unknown
    del sample.pred_instances.vertex_spread
    with pytest.raises(ValueError, match="no 'vertex_spread'"):
        export_people(tmp_path, 'a', sample, FACES, uncertainty=True)
    paths = export_people(tmp_path / 'plain', 'a', sample, FACES, ['ply'])
    assert b'spread_mm' not in paths[0].read_bytes()


def test_nobody_writes_nothing_and_an_unknown_format_is_refused_first(tmp_path):
    assert export_people(tmp_path, 'a', nobody(ori_shape=(HEIGHT, WIDTH)), FACES) == []
    sample = people_sample(PLACES[:1])
    for formats in (['obj', 'stl'], [], 'obj'):
        with pytest.raises(ValueError, match='formats must be some of obj, ply, glb'):
            export_people(tmp_path, 'a', sample, FACES, formats)
    assert not list(tmp_path.iterdir())
