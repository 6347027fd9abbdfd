import cv2
import numpy as np
import pytest
import torch
from mmpose.structures.bbox import get_warp_matrix

from i2l_plugin.geometry.crop import (
    apply_affine,
    box_has_area,
    clip_box,
    crop_from_image,
    crop_rotation,
    cropped_box_size,
    invert_affine,
)


@pytest.mark.parametrize('rotation', [0, 30, -60, 179.5])
@pytest.mark.parametrize('output_size', [(256, 256), (192, 256)])
def test_crop_is_the_one_mmpose_warps_with(rotation, output_size):
    center, scale = np.array([612.3, 340.7]), np.array([411.0, 548.0])
    truth = get_warp_matrix(center, scale, rotation, output_size)
    crop = crop_from_image(center, scale, rotation, output_size)
    corners = np.array([[[0.0, 0.0], [1000, 0], [0, 1000], [1000, 1000]]])
    np.testing.assert_allclose(
        cv2.transform(corners, crop), cv2.transform(corners, truth), atol=2e-3
    )  # the host goes through float32


def test_crop_sends_the_box_corners_to_the_crop_corners():
    crop = torch.from_numpy(crop_from_image((100, 80), (50, 50), 0, (200, 200)))
    corners = torch.tensor([[75.0, 55.0], [125.0, 105.0]], dtype=torch.float64)
    assert apply_affine(crop, corners).tolist() == [[0, 0], [200, 200]]


def test_a_quarter_turn_of_the_box_turns_its_content_counter_clockwise():
    crop = torch.from_numpy(crop_from_image((0, 0), (2, 2), 90, (2, 2)))
    right_of_centre = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    landed = apply_affine(crop, right_of_centre) - 1
    torch.testing.assert_close(landed, torch.tensor([[0.0, -1.0]], dtype=torch.float64))


@pytest.mark.parametrize('rotation', [0, 30, -90, 179.5])
def test_the_box_that_a_crop_shows_is_the_one_it_was_cut_from(rotation):
    """Whatever its rotation: the height follows from the width and the crop's aspect."""
    boxes = [((612.3, 340.7), (411.0, 548.0)), ((5.0, 7.0), (30.0, 40.0))]
    crops = [crop_from_image(*box, rotation, (192, 256)) for box in boxes]
    found = cropped_box_size(torch.from_numpy(np.stack(crops)), (192, 256))
    np.testing.assert_allclose(found, [scale for _, scale in boxes])


@pytest.mark.parametrize('width', [0, -3, float('nan')])
def test_a_box_without_width_is_refused(width):
    with pytest.raises(ValueError, match='scale_px'):
        crop_from_image((5, 5), (width, 10), 0, (256, 256))


def test_invert_affine_is_the_matrix_inverse():
    generator = torch.Generator().manual_seed(0)
    affine = torch.randn(2, 3, 2, 3, generator=generator, dtype=torch.float64)
    last_row = torch.tensor([0.0, 0, 1], dtype=torch.float64).expand(2, 3, 1, 3)
    truth = torch.cat([affine, last_row], dim=-2).inverse()[..., :2, :]
    torch.testing.assert_close(invert_affine(affine), truth)


def test_apply_affine_is_a_loop_over_points_and_leaves_the_depth():
    generator = torch.Generator().manual_seed(0)
    affine = torch.randn(4, 2, 3, generator=generator, dtype=torch.float64)
    points = torch.randn(4, 5, 3, generator=generator, dtype=torch.float64)
    landed = apply_affine(affine, points)
    for b in range(4):
        for n in range(5):
            x, y, z = points[b, n].tolist()
            t = affine[b].tolist()
            truth = [row[0] * x + row[1] * y + row[2] for row in t]
            assert landed[b, n].tolist() == pytest.approx([*truth, z])


def test_clip_box_keeps_the_part_inside_the_image():
    boxes = [[-5, 3, 20, 30], [10, 10, 12, 12], [70, 10, 90, 20]]
    clipped = clip_box(boxes, [[64, 24]] * 3)
    assert clipped.tolist() == [[0, 3, 20, 23], [10, 10, 12, 12], [63, 10, 63, 20]]


def test_boxes_need_a_pixel_of_width_and_of_height():
    boxes = [[[3, 4, 4, 5], [3, 4, 3.99, 9]], [[3, 4, 9, 4.5], [-1, -1, 50, 80]]]
    assert box_has_area(boxes).tolist() == [[True, False], [False, True]]
    assert box_has_area(boxes[0][0])


@pytest.mark.parametrize('rotation_deg', [0.0, 35.0, -60.0, 170.0])
def test_axes_of_a_crop_turn_about_the_optical_axis_against_the_boxs_rotation(rotation_deg):
    """Protocols, section 4: in-plane rotation by r rotates orientations by -r."""
    crop = torch.from_numpy(crop_from_image((30, 40), (123, 77), rotation_deg, (64, 64)))
    expected, _ = cv2.Rodrigues(np.array([0, 0, -np.deg2rad(rotation_deg)]))
    np.testing.assert_allclose(crop_rotation(crop), expected, atol=1e-12)
    batch = crop_rotation(torch.stack([crop, torch.eye(2, 3, dtype=torch.float64)]))
    np.testing.assert_allclose(batch[0], expected, atol=1e-12)
    np.testing.assert_array_equal(batch[1], np.eye(3))
