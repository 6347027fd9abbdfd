"""Mesh files read back by trimesh."""

import numpy as np
import pytest
import trimesh
from helpers_gltf import gltf_tree, vertex_srgb

from i2l_plugin.visualization.exporters import export_mesh


@pytest.fixture
def mesh():
    box = trimesh.creation.icosphere(subdivisions=2, radius=400.0)
    vertices = np.asarray(box.vertices) * (1, 2, 0.5) + (100, -300, 2500)
    colors = np.random.default_rng(0).uniform(0.3, 1, vertices.shape)
    return vertices, np.asarray(box.faces), colors


def only_mesh(path):
    """The mesh of a GLB file, whose colours trimesh's joining of meshes would drop."""
    (loaded,) = trimesh.load(path, process=False).geometry.values()
    return loaded


@pytest.mark.parametrize('suffix', ['.obj', '.ply', '.glb', '.OBJ'])
def test_round_trip_in_y_up_metres(tmp_path, mesh, suffix):
    vertices, faces, colors = mesh
    path = export_mesh(tmp_path / 'new' / f'person{suffix}', vertices, faces, colors)
    loaded = trimesh.load(path, process=False, force='mesh')
    expected = np.stack([vertices[:, 0], -vertices[:, 1], -vertices[:, 2]], -1) / 1000
    np.testing.assert_allclose(loaded.vertices, expected, atol=1e-6)
    np.testing.assert_array_equal(loaded.faces, faces)
    if suffix == '.glb':
        shown, steps = vertex_srgb(only_mesh(path)) * 255, 2.5
    else:
        shown, steps = loaded.visual.vertex_colors[:, :3], 0.51
    np.testing.assert_allclose(shown, colors * 255, atol=steps)
    # outward faces stay outward: the axes are turned, not mirrored
    assert loaded.volume == pytest.approx(trimesh.Trimesh(vertices, faces).volume / 1e9)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_without_colours(tmp_path, mesh):
    path = export_mesh(tmp_path / 'a.ply', *mesh[:2])
    assert trimesh.load(path, process=False).visual.kind is None


def test_glb_is_of_light_on_matte_cloth_seen_from_both_sides(tmp_path, mesh):
    """glTF 2.0: colours of vertices are linear, and what has no material is a polished metal."""
    vertices, faces, _ = mesh
    half = np.full(vertices.shape, 188 / 255)  # half of the light: 0.5029 by IEC 61966-2-1
    path = export_mesh(tmp_path / 'a.glb', vertices, faces, half)
    color = only_mesh(path).visual.vertex_attributes['color']
    np.testing.assert_array_equal(color, np.tile([128, 128, 128, 255], (len(vertices), 1)))
    for colors in (half, None):
        tree = gltf_tree(export_mesh(path, vertices, faces, colors))
        (primitive,) = tree['meshes'][0]['primitives']
        material = tree['materials'][primitive['material']]
        assert material['pbrMetallicRoughness']['metallicFactor'] == 0
        assert material['doubleSided']
        assert ('COLOR_0' in primitive['attributes']) == (colors is not None)


def test_failed_write_leaves_the_old_file_and_no_temporary(tmp_path, mesh, monkeypatch):
    path = tmp_path / 'a.obj'
    path.write_text('old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='disk full'):
        export_mesh(path, *mesh)
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('name', 'change', 'match'),
    [
        ('a.stl', {}, r'\.obj, \.ply, \.glb'),
        ('a.obj', {'vertices_mm': np.zeros((1, 5, 3))}, 'one person at a time'),
        ('a.obj', {'faces': np.zeros((4, 4), int)}, 'faces must be'),
        ('a.obj', {'vertex_colors': np.zeros(3)}, 'vertex_colors must be'),
        ('a.ply', {'spread_mm': np.zeros(3)}, 'spread_mm must be'),
    ],
)
def test_bad_arguments_are_named(tmp_path, mesh, name, change, match):
    arguments = dict(zip(('vertices_mm', 'faces', 'vertex_colors'), mesh, strict=True)) | change
    with pytest.raises(ValueError, match=match):
        export_mesh(tmp_path / name, **arguments)
    assert not list(tmp_path.iterdir())
