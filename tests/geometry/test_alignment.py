"""Alignment against one-sample references: Umeyama (1991) by SVD, scipy's Procrustes and Kabsch."""

import numpy as np
import pytest
import torch
from helpers_alignment import freihand_scorer, umeyama
from scipy.spatial.transform import Rotation

from i2l_plugin.geometry.alignment import (
    freihand_align,
    root_align,
    similarity_align,
    similarity_error,
    similarity_transform,
)

MIRROR = np.diag([-1.0, 1.0, 1.0])


def random_pairs(batch, num_points, noise_mm=30.0, seed=0, distance_mm=4000.0):
    """Bodies some metres away, and their rotated, scaled, moved and noisy versions."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(batch, num_points, 3)) * [150, 400, 120]
    rotation = Rotation.random(batch, random_state=seed).as_matrix()
    source = target @ rotation * rng.uniform(0.5, 2, (batch, 1, 1))
    source += rng.normal(size=source.shape) * noise_mm
    offset = rng.normal(size=(2, batch, 1, 3)) * 300 + [0, 0, distance_mm]
    return source + offset[0], target + offset[1]


def align(source, target, **options):
    """similarity_align of single samples or batches given as arrays."""
    source, target = np.broadcast_arrays(source, target)
    batched = [
        torch.from_numpy(np.array(p, float).reshape(-1, *p.shape[-2:])) for p in (source, target)
    ]
    return similarity_align(*batched, **options).numpy().reshape(source.shape)


def mean_square(points):
    return (points**2).sum(-1).mean(-1)


@pytest.mark.parametrize(
    ('batch', 'num_points'), [(300, 14), (5, 6890), (40, 778), (50, 3), (9000, 21)]
)
def test_equals_umeyama_sample_by_sample(batch, num_points):
    source, target = random_pairs(batch, num_points)
    expected = np.stack([umeyama(*pair) for pair in zip(source, target, strict=True)])
    np.testing.assert_allclose(align(source, target), expected, rtol=0, atol=1e-6)
    error = similarity_error(torch.from_numpy(source), torch.from_numpy(target))
    expected = np.linalg.norm(expected - target, axis=-1).mean(-1)
    np.testing.assert_allclose(error, expected, rtol=0, atol=1e-6)


def test_rotation_equals_scipys_align_vectors():
    source, target = random_pairs(20, 14, seed=1)
    rotation = similarity_transform(torch.from_numpy(source), torch.from_numpy(target)).rotation
    for i in range(20):
        centred = source[i] - source[i].mean(0), target[i] - target[i].mean(0)
        expected = Rotation.align_vectors(centred[1], centred[0])[0].as_matrix()
        np.testing.assert_allclose(rotation[i].numpy(), expected, rtol=0, atol=1e-10)


def test_transform_recovers_a_known_similarity():
    rng = np.random.default_rng(2)
    source = rng.normal(size=(6, 10, 3)) * 200
    rotation = Rotation.random(6, random_state=3).as_matrix()
    scale, translation = rng.uniform(0.2, 3, 6), rng.normal(size=(6, 3)) * 1000
    target = scale[:, None, None] * source @ rotation.transpose(0, 2, 1) + translation[:, None]
    before = torch.from_numpy(source)
    found = similarity_transform(before, torch.from_numpy(target))
    np.testing.assert_allclose(found.scale, scale, rtol=1e-12)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, translation, atol=1e-9)
    np.testing.assert_allclose(align(source, target), target, atol=1e-9)
    np.testing.assert_array_equal(before.numpy(), source)  # the arguments stay as they were


def test_float32_points_are_aligned_in_float64():
    source, target = (torch.from_numpy(p).float() for p in random_pairs(4, 14))
    expected = [
        umeyama(*pair)
        for pair in zip(source.double().numpy(), target.double().numpy(), strict=True)
    ]
    aligned = similarity_align(source, target)
    assert aligned.dtype == torch.float64
    np.testing.assert_allclose(aligned.numpy(), expected, rtol=0, atol=1e-6)


def test_no_similarity_is_better_nearby():
    """The residual is a minimum: any small change of scale, rotation or translation adds to it."""
    source, target = random_pairs(1, 14, noise_mm=100, distance_mm=0)
    fit = similarity_transform(torch.from_numpy(source), torch.from_numpy(target))
    scale, rotation, translation = (part[0].numpy() for part in fit)
    best = mean_square(scale * source[0] @ rotation.T + translation - target[0])
    rng = np.random.default_rng(0)
    for _ in range(50):
        turn = Rotation.from_rotvec(rng.normal(size=3) * 0.01).as_matrix() @ rotation
        moved = (
            (scale + rng.normal() * 0.01) * source[0] @ turn.T + translation + rng.normal(size=3)
        )
        assert mean_square(moved - target[0]) > best


@pytest.mark.parametrize('seed', range(4))
def test_mirror_image_is_never_aligned_perfectly(seed):
    source, _ = random_pairs(8, 14, seed=seed)
    mirrored = source @ MIRROR
    fit = similarity_transform(torch.from_numpy(source), torch.from_numpy(mirrored))
    np.testing.assert_allclose(torch.linalg.det(fit.rotation), 1, atol=1e-12)
    expected = np.stack([umeyama(*pair) for pair in zip(source, mirrored, strict=True)])
    aligned = align(source, mirrored)
    np.testing.assert_allclose(aligned, expected, rtol=0, atol=1e-6)
    # the residual that remains is the smallest principal extent of the set: centimetres here
    assert (np.sqrt(mean_square(aligned - mirrored)) > 20).all()


def test_reflections_fit_a_mirror_image_when_allowed():
    source, _ = random_pairs(8, 14)
    aligned = align(source, source @ MIRROR, allow_reflection=True)
    np.testing.assert_allclose(aligned, source @ MIRROR, rtol=0, atol=1e-6)


@pytest.mark.parametrize('noise_mm', [1.0, 300.0])
def test_freihand_align_equals_its_scorer_reflections_included(noise_mm):
    source, target = random_pairs(60, 21, noise_mm)
    source[::3] = source[::3] @ MIRROR
    expected = np.stack([freihand_scorer(*pair) for pair in zip(source, target, strict=True)])
    aligned = freihand_align(torch.from_numpy(source), torch.from_numpy(target)).numpy()
    np.testing.assert_allclose(aligned, expected, rtol=0, atol=1e-6)
    assert not np.allclose(aligned[0], align(source[0], target[0]), atol=1)  # it did reflect


def unit(seed):
    direction = np.random.default_rng(seed).normal(size=3)
    return direction / np.linalg.norm(direction)


def cloud(seed, num_points=14, rank=3):
    """A centred set that spans `rank` dimensions of a random orientation."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(num_points, rank)) @ rng.normal(size=(rank, 3)) * 200
    return points - points.mean(0)


@pytest.mark.parametrize('place', [np.zeros(3), np.array([0.1, -56.7, 4321.3])])
@pytest.mark.parametrize('num_points', [1, 2, 3, 7, 14, 6890])
def test_prediction_of_one_place_moves_to_the_mean_of_the_target(place, num_points):
    target = np.random.default_rng(0).normal(size=(num_points, 3)) * 300 + [10, 20, 3000]
    aligned = align(np.tile(place, (num_points, 1)), target)
    np.testing.assert_allclose(aligned, np.tile(target.mean(0), (num_points, 1)), rtol=0, atol=1e-6)


def test_rounding_noise_of_one_place_is_not_blown_up_into_a_shape():
    place = np.array([0.1, -56.7, 4321.3])
    noise = np.random.default_rng(0).integers(-1, 2, (14, 3))  # the last bit
    target = cloud(1) + 3000
    aligned = align(place + noise * np.spacing(place), target)
    np.testing.assert_allclose(aligned, np.tile(target.mean(0), (14, 1)), rtol=0, atol=1e-6)


def test_target_of_one_place_shrinks_the_prediction_onto_it():
    place = np.array([123.4, -56.7, 4321.0])
    aligned = align(cloud(0) + 1000, np.tile(place, (14, 1)))
    np.testing.assert_allclose(aligned, np.tile(place, (14, 1)), rtol=0, atol=1e-6)


def test_coplanar_sets_equal_umeyama():
    for seed in range(10):
        source, target = cloud(seed, rank=2), cloud(seed + 50, rank=2) + 500
        np.testing.assert_allclose(
            align(source, target), umeyama(source, target), rtol=0, atol=1e-6
        )


@pytest.mark.parametrize('target_rank', [1, 2, 3])
def test_straight_prediction_fits_its_line(target_rank):
    """Closed form: the line turns onto m = sum_i t_i x_i and its scale is |m| / sum_i t_i^2."""
    for seed in range(10):
        target = cloud(seed, rank=target_rank)
        position = np.random.default_rng(seed).normal(size=14) * 100
        position -= position.mean()
        source = position[:, None] * unit(seed) + [0, 0, 2000]
        moment = position @ target
        expected = position[:, None] * moment / (position @ position)
        np.testing.assert_allclose(align(source, target + 70), expected + 70, rtol=0, atol=1e-6)


@pytest.mark.parametrize('source_rank', [2, 3])
def test_straight_target_has_the_residual_of_umeyama(source_rank):
    """The turn about the target's line is free; distances to the line do not depend on it."""
    for seed in range(10):
        source, target = cloud(seed, rank=source_rank), cloud(seed + 50, rank=1) + 300
        error = np.linalg.norm(align(source, target) - target, axis=-1)
        expected = np.linalg.norm(umeyama(source, target) - target, axis=-1)
        np.testing.assert_allclose(error, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize('shape', ['octahedron', 'cube'])
def test_mirror_image_of_a_symmetric_set_has_the_residual_of_umeyama(shape):
    """All singular values are equal: the worst case for the rotation, which is far from unique."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, 8).T
    source = 100 * {'octahedron': axes, 'cube': corners}[shape]
    aligned, expected = (f(source, -source) for f in (align, umeyama))
    np.testing.assert_allclose(
        mean_square(aligned + source), mean_square(expected + source), rtol=1e-9
    )


@pytest.mark.parametrize('angle_deg', [0, 90, 180])
def test_half_and_quarter_turns_are_found(angle_deg):
    source = cloud(5)
    for axis in [*np.eye(3), unit(6)]:
        turn = Rotation.from_rotvec(np.deg2rad(angle_deg) * axis).as_matrix()
        np.testing.assert_allclose(
            align(source, source @ turn.T), source @ turn.T, rtol=0, atol=1e-6
        )


@pytest.mark.parametrize('factor', [1e-12, 1e12])
def test_extreme_sizes(factor):
    source, target = random_pairs(3, 14, distance_mm=0)
    np.testing.assert_allclose(
        align(source * factor, target), align(source, target), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize('bad', [np.nan, np.inf])
@pytest.mark.parametrize('which', [0, 1])
def test_a_set_that_is_not_finite_spoils_only_itself(bad, which):
    pair = random_pairs(3, 14)
    expected = align(*pair)
    pair[which][1, 4, 2] = bad
    aligned = align(*pair)
    np.testing.assert_array_equal(aligned[[0, 2]], expected[[0, 2]])
    assert not np.isfinite(aligned[1]).all()


def test_no_samples_give_no_samples():
    empty = torch.zeros(0, 14, 3)
    assert len(similarity_align(empty, empty)) == len(similarity_error(empty, empty)) == 0
    assert len(similarity_transform(empty, empty).scale) == 0


@pytest.mark.parametrize(
    ('source', 'target', 'message'),
    [
        ((2, 5, 3), (2, 6, 3), r'\(2, 5, 3\) and \(2, 6, 3\)'),
        ((2, 5, 2), (2, 5, 2), r'\(2, 5, 2\)'),
        ((5, 3), (5, 3), r'\(5, 3\)'),
        ((2, 0, 3), (2, 0, 3), 'N >= 1'),
    ],
)
def test_wrong_shapes_are_named(source, target, message):
    with pytest.raises(ValueError, match=message):
        similarity_align(torch.zeros(source), torch.zeros(target))


def test_root_align_takes_each_root_to_the_origin():
    points = torch.tensor([[[1.0, 2, 3], [4, 6, 8]], [[0, 0, 5], [1, 1, 1]]])
    expected = [[[0, 0, 0], [3, 4, 5]], [[0, 0, 0], [1, 1, -4]]]
    np.testing.assert_array_equal(root_align(points, points[:, 0]), expected)
    np.testing.assert_array_equal(root_align(points[0], points[0, 1])[0], [-3, -4, -5])
