"""Renderer against closed forms (sphere, triangle, plane) and a naive Moeller-Trumbore loop."""

import numpy as np
import pytest
import trimesh

from i2l_plugin.visualization.ray_scene import Camera, Hits, RayScene, vertex_normals
from i2l_plugin.visualization.renderer import (
    Mesh,
    overlay,
    render,
    render_view,
    shade_smooth,
    view_rotation,
)

CAMERA = Camera((300.0, 320.0), (40.0, 30.0), (80, 64))


def sphere(center, radius, subdivisions=4):
    mesh = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return np.asarray(mesh.vertices) + center, np.asarray(mesh.faces)


def all_pixels(camera):
    width, height = camera.image_size_px
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x, y], -1).reshape(-1, 2).astype(float)


def naive_first_hit(vertices, faces, direction):
    """Moeller and Trumbore (1997), one ray from the origin against every face: face, w, t."""
    best = (-1, np.zeros(3), np.inf)
    for index, face in enumerate(faces):
        a, b, c = vertices[face]
        e1, e2 = b - a, c - a
        p = np.cross(direction, e2)
        det = e1 @ p
        if abs(det) < 1e-12:
            continue
        u = (-a) @ p / det
        q = np.cross(-a, e1)
        v, t = direction @ q / det, e2 @ q / det
        if u >= 0 and v >= 0 and u + v <= 1 and 0 < t < best[2]:
            best = (index, np.array([1 - u - v, u, v]), t)
    return best


def white(hits):
    return np.ones((len(hits.mesh_id), 3))


def test_cast_agrees_with_a_naive_loop_over_faces():
    rng = np.random.default_rng(0)
    vertices = rng.normal((0, 0, 900), 80, (40, 3))
    faces = rng.permuted(np.tile(np.arange(40), (30, 1)), axis=1)[:, :3]
    directions = CAMERA.directions(rng.uniform((0, 0), (79, 63), (200, 2)))
    hits = RayScene([(vertices, faces)]).cast(directions)
    assert (hits.mesh_id >= 0).sum() > 50
    for i, direction in enumerate(directions):
        face, weights, depth = naive_first_hit(vertices, faces, direction)
        assert (hits.mesh_id[i] == 0) == (face >= 0)
        if face >= 0:
            assert hits.face_id[i] == face
            np.testing.assert_allclose(hits.barycentric[i], weights, atol=2e-4)
            np.testing.assert_allclose(hits.points_mm[i], direction * depth, rtol=1e-5)


def test_sphere_depth_equals_the_ray_sphere_equation():
    center, radius = np.array([20.0, -15.0, 2000.0]), 150.0
    directions = CAMERA.directions(all_pixels(CAMERA))
    hits = RayScene([sphere(center, radius, 5)]).cast(directions)
    a, b = (directions**2).sum(-1), directions @ center
    discriminant = b**2 - a * (center @ center - radius**2)
    inside = discriminant > 0
    depth = (b - np.sqrt(np.where(inside, discriminant, 0))) / a
    # the polyhedron lies inside the sphere: compare away from the silhouette
    sure = discriminant > 0.05 * (a * radius**2)
    assert sure.sum() > 1000
    np.testing.assert_array_equal(hits.mesh_id[sure], 0)
    np.testing.assert_array_equal(hits.mesh_id[~inside], -1)
    np.testing.assert_allclose(hits.points_mm[sure, 2], depth[sure], atol=1.0)


def test_coverage_of_a_sphere_is_the_area_of_its_ellipse():
    """On the optical axis a sphere's silhouette is a circle of radius f r / sqrt(z^2 - r^2)."""
    camera = Camera((300.0, 300.0), (40.3, 31.7), (80, 64))
    scene = RayScene([sphere(np.array([0, 0, 2000.0]), 150.0, 5)])
    _, coverage = render(scene, camera, white, supersample=8)
    radius = 300 * 150 / np.sqrt(2000**2 - 150**2)
    assert coverage.sum() == pytest.approx(np.pi * radius**2, rel=2e-3)
    x, y = np.meshgrid(np.arange(80), np.arange(64))
    centroid = (coverage * x).sum() / coverage.sum(), (coverage * y).sum() / coverage.sum()
    np.testing.assert_allclose(centroid, (40.3, 31.7), atol=0.02)


@pytest.mark.parametrize('shift', [0.0, 0.25, 0.5, 0.9])
def test_pixel_centre_lies_on_whole_numbers(shift):
    """A plane's left border at x px leaves pixels left of x - 1/2 empty and fills from x + 1/2."""
    border = 20.0 + shift
    corners_px = np.array([[border, 10], [60, 10], [60, 50], [border, 50]], float)
    vertices = CAMERA.directions(corners_px) * 1500
    scene = RayScene([(vertices, np.array([[0, 1, 2], [0, 2, 3]]))])
    _, coverage = render(scene, CAMERA, white, supersample=20)
    expected = np.clip(np.arange(80) + 0.5 - border, 0, 1) * (np.arange(80) < 60)
    np.testing.assert_allclose(coverage[30, :59], expected[:59], atol=0.051)


def test_a_projected_vertex_is_seen_at_its_pixel():
    vertices, faces = sphere(np.array([10.0, 5.0, 1500.0]), 120.0, 2)
    toward = np.flatnonzero(vertices[:, 2] < 1400)
    pixels = CAMERA.project(vertices[toward])
    np.testing.assert_allclose(
        pixels,
        vertices[toward, :2] / vertices[toward, 2:] * (300, 320) + (40, 30),
        rtol=1e-12,
    )
    hits = RayScene([(vertices, faces)]).cast(CAMERA.directions(pixels))
    np.testing.assert_allclose(hits.points_mm, vertices[toward], atol=0.01)


def test_edge_pixels_alone_are_supersampled_without_changing_the_inside():
    scene = RayScene([sphere(np.array([0, 0, 2000.0]), 150.0)])
    fine, smooth = render(scene, CAMERA, white, supersample=4)
    hard, sharp = render(scene, CAMERA, white, supersample=1)
    assert set(np.unique(sharp)) == {0.0, 1.0}
    between = (smooth > 0) & (smooth < 1)
    assert between.any()
    np.testing.assert_array_equal(smooth[~between], sharp[~between])
    np.testing.assert_allclose(fine[..., 0], smooth, atol=1e-6)
    np.testing.assert_array_equal(hard[..., 1], sharp)


def test_edges_of_a_mesh_before_its_own_other_parts_are_smooth():
    """One mesh of two plates: the near one's left border at x px fills pixel 20 by 20.5 - x."""
    border, wide = 20.2, np.array([[0, 0], [79, 0], [79, 63], [0, 63]], float)
    near, far = CAMERA.directions(np.maximum(wide, (border, 0))) * 1000, CAMERA.directions(wide)
    square = np.array([[0, 1, 2], [0, 2, 3]])
    scene = RayScene([(np.concatenate([near, far * 2000]), np.concatenate([square, square + 4]))])
    color, _ = render(
        scene, CAMERA, lambda hits: (hits.points_mm[:, 2:] < 1500) * np.ones(3), supersample=10
    )
    np.testing.assert_allclose(color[30, 18:23, 0], [0, 0, 20.5 - border, 1, 1], atol=0.051)


def test_nearer_mesh_hides_the_other_whatever_their_order():
    near, far = sphere(np.array([-30, 0, 1500.0]), 90.0), sphere(np.array([30, 0, 2500.0]), 200.0)
    image = np.full((64, 80, 3), 7, np.uint8)
    red, green = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    meshes = [Mesh(*near, red), Mesh(*far, green)]
    first = overlay(image, meshes, (300.0, 320.0), (40.0, 30.0))
    second = overlay(image, meshes[::-1], (300.0, 320.0), (40.0, 30.0))
    np.testing.assert_array_equal(first, second)
    x, y = np.rint(CAMERA.project(near[0].mean(0))).astype(int)
    assert first[y, x, 0] > 60
    assert first[y, x, 1] == 0
    np.testing.assert_array_equal(first[0, 0], (7, 7, 7))


def test_opacity_blends_linearly():
    mesh = Mesh(*sphere(np.array([0, 0, 1500.0]), 90.0))
    image = np.full((64, 80, 3), 200, np.uint8)
    half, full = (
        overlay(image, [mesh], CAMERA.focal_px, CAMERA.princpt_px, opacity).astype(float)
        for opacity in (0.5, 1.0)
    )
    np.testing.assert_allclose(half, (image + full) / 2, atol=1.01)


def test_picture_without_meshes_or_with_none_in_view_is_untouched():
    image = np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8)
    np.testing.assert_array_equal(overlay(image, [], (300, 320), (40, 30)), image)
    outside = Mesh(*sphere(np.array([9000.0, 0, 1500.0]), 90.0))
    np.testing.assert_array_equal(overlay(image, [outside], (300, 320), (40, 30)), image)


def test_mesh_around_the_camera_is_drawn_over_all_pixels():
    scene = RayScene([sphere(np.zeros(3), 500.0)])
    _, coverage = render(scene, CAMERA, white)
    np.testing.assert_array_equal(coverage, 1)


def test_occlusion_of_half_lines():
    scene = RayScene([sphere(np.array([0, 0, 1000.0]), 100.0)])
    origins = np.array([[0, 0, 500.0], [0, 0, 500.0], [0, 0, 1500.0], [150.0, 0, 500]])
    directions = np.array([[0, 0, 1.0], [0, 0, -1.0], [0, 0, 1.0], [0, 0, 1.0]])
    np.testing.assert_array_equal(scene.occluded(origins, directions), [True, False, False, False])
    assert not RayScene([]).occluded(origins, directions).any()
    np.testing.assert_array_equal(RayScene([]).cast(directions).mesh_id, -1)


def test_interpolation_of_a_linear_field_returns_it_at_the_points():
    meshes = [sphere(np.array([-60, 0, 1500.0]), 90.0), sphere(np.array([80, 0, 1600.0]), 90.0)]
    scene = RayScene(meshes)
    hits = scene.cast(CAMERA.directions(all_pixels(CAMERA)))
    assert set(np.unique(hits.mesh_id)) == {-1, 0, 1}
    gradient = np.array([[0.1, 2.0], [-0.3, 0.0], [0.01, 1.0]])
    values = scene.interpolate(hits, [v @ gradient for v, _ in meshes])
    np.testing.assert_allclose(values, hits.points_mm @ gradient, atol=0.05)


def test_vertex_normals_of_a_sphere_point_outward():
    vertices, faces = sphere(np.zeros(3), 2.0)
    np.testing.assert_allclose(vertex_normals(vertices, faces), vertices / 2, atol=0.01)


def test_normal_of_an_unused_vertex_is_zero():
    vertices = np.array([[0.0, 0, 1], [1, 0, 1], [0, 1, 1], [5, 5, 5]])
    expected = [[0, 0, 1]] * 3 + [[0, 0, 0]]
    np.testing.assert_allclose(vertex_normals(vertices, np.array([[0, 1, 2]])), expected)


def test_shading_is_brighter_towards_the_key_light_and_two_sided():
    center = np.array([0, 0, 1500.0])
    vertices, faces = sphere(center, 90.0)
    pixels = CAMERA.project(center + 60 * np.array([[-1, -1, -1], [1, 1, -1]]) / np.sqrt(3))
    values = []
    for orientation in (faces, faces[:, ::-1]):
        scene = RayScene([(vertices, orientation)])
        shade = shade_smooth(scene, [np.ones_like(vertices)])
        values.append(shade(scene.cast(CAMERA.directions(pixels))))
    assert values[0][0, 0] > values[0][1, 0] + 0.2
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)


def test_front_view_keeps_left_and_up_and_side_view_turns_depth_to_the_left():
    forward, right, down = np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    np.testing.assert_allclose(view_rotation(0, 0), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(view_rotation(90, 0) @ forward, -right, atol=1e-12)
    np.testing.assert_allclose(view_rotation(90, 0) @ right, forward, atol=1e-12)
    np.testing.assert_allclose(view_rotation(90, 0) @ down, down, atol=1e-12)
    # from above, what is far lies higher in the picture
    assert (view_rotation(0, 30) @ forward)[1] == pytest.approx(-0.5)
    assert np.linalg.det(view_rotation(37, -20)) == pytest.approx(1)


@pytest.mark.parametrize('azimuth', [0.0, 90.0, 200.0])
def test_side_view_frames_the_mesh(azimuth):
    vertices, faces = sphere(np.array([300.0, -200.0, 2500.0]), 100.0)
    vertices = vertices * (1, 3, 1) + (0, 400, 0)
    picture = render_view([Mesh(vertices, faces)], (90, 120), azimuth, 10.0, (0, 0, 0), 0.1)
    rows, columns = (np.flatnonzero(picture.any(axis=(axis, 2))) for axis in (1, 0))
    assert rows[0] == pytest.approx(0.1 * 120, abs=2)
    assert rows[-1] == pytest.approx(0.9 * 120, abs=2)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(44.5, abs=1)


def test_side_view_of_nothing_is_background():
    assert (render_view([], (8, 6), background=(1, 2, 3)) == (1, 2, 3)).all()


@pytest.mark.parametrize(
    ('vertices', 'faces', 'match'),
    [
        (np.zeros((3, 2)), np.array([[0, 1, 2]]), 'vertices of mesh 1'),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]]), 'vertices of mesh 1'),
        (np.zeros((3, 3)), np.array([[0, 1, 3]]), 'the mesh has 3'),
        (np.zeros((3, 3)), np.array([[0.0, 1, 2]]), 'faces of mesh 1 must be integers'),
    ],
)
def test_malformed_meshes_are_named(vertices, faces, match):
    good = sphere(np.array([0, 0, 1000.0]), 10.0, 1)
    with pytest.raises(ValueError, match=match):
        RayScene([good, (vertices, faces)])


@pytest.mark.parametrize(
    ('arguments', 'match'),
    [
        (((1.0,), (0, 0), (4, 4)), 'focal_px'),
        (((1.0, -1.0), (0, 0), (4, 4)), 'positive'),
        (((1.0, 1.0), (0, np.nan), (4, 4)), 'princpt_px'),
        (((1.0, 1.0), (0, 0), (0, 4)), 'image_size_px'),
    ],
)
def test_malformed_cameras_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        Camera(*arguments)


def test_malformed_pictures_and_colours_are_named():
    mesh = Mesh(*sphere(np.array([0, 0, 1000.0]), 10.0, 1), colors=np.zeros((5, 3)))
    with pytest.raises(ValueError, match='colors must have shape'):
        overlay(np.zeros((8, 8, 3), np.uint8), [mesh], (10, 10), (4, 4))
    with pytest.raises(ValueError, match='image must be uint8'):
        overlay(np.zeros((8, 8, 3)), [], (10, 10), (4, 4))


def test_selected_and_joined_hits_stay_in_order():
    scene = RayScene([sphere(np.array([0, 0, 1500.0]), 90.0, 1)])
    hits = scene.cast(CAMERA.directions(all_pixels(CAMERA)))
    index = np.array([2600, 3, 2599])
    joined = Hits.concatenate([hits.select(index[:1]), hits.select(index[1:])])
    np.testing.assert_array_equal(joined.points_mm, hits.points_mm[index])
    np.testing.assert_array_equal(joined.mesh_id, hits.mesh_id[index])
