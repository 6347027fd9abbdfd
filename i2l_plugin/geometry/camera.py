"""Pinhole camera: projection, its inverse (Eq. 7), mirroring, and what stands in for a calibration.

Camera frame: x right, y down, z forward, mm. Image frame: px without a half-pixel shift, so the
centre of the first pixel is (0, 0) and a mirrored x is W - 1 - x. There is no lens distortion.
Shape legend: N points, ... any leading (batch) dimensions, the same in all arguments.
"""

from __future__ import annotations

import torch
from torch import Tensor

DEFAULT_FOCAL_PX = 1500.0  # stands in for an unknown focal length (Moon et al., ICCV 2019)


def project(points_cam_mm: Tensor, focal_px: Tensor, princpt_px: Tensor) -> Tensor:
    """Camera space -> image: (x px, y px, z mm), the depth unchanged.

    Args:
        points_cam_mm: (..., N, 3), depth not 0.
        focal_px: (..., 2), fx and fy.
        princpt_px: (..., 2), cx and cy.

    Returns:
        (..., N, 3) points in px, px, mm.
    """
    depth_mm = points_cam_mm[..., 2:]
    xy_px = points_cam_mm[..., :2] / depth_mm * focal_px[..., None, :] + princpt_px[..., None, :]
    return torch.cat([xy_px, depth_mm], dim=-1)


def back_project(points_img: Tensor, focal_px: Tensor, princpt_px: Tensor) -> Tensor:
    """Image -> camera space, the inverse of `project` (Eq. 7).

    Args:
        points_img: (..., N, 3) points in px, px and ABSOLUTE depth in mm.
        focal_px: (..., 2), not 0.
        princpt_px: (..., 2).

    Returns:
        (..., N, 3) mm.
    """
    depth_mm = points_img[..., 2:]
    xy_mm = (points_img[..., :2] - princpt_px[..., None, :]) / focal_px[..., None, :] * depth_mm
    return torch.cat([xy_mm, depth_mm], dim=-1)


def mirror_points_img(points_img: Tensor, image_width_px: Tensor | float) -> Tensor:
    """Where image points land when the image is mirrored: x -> W - 1 - x, the rest unchanged.

    Args:
        points_img: (..., N, 2 or more), x first.
        image_width_px: Width of the image, a number or (...).

    Returns:
        Same shape. Left and right are NOT renamed: reorder joints with a mirror order.
    """
    width_px = torch.as_tensor(image_width_px, dtype=points_img.dtype, device=points_img.device)
    x_px = width_px[..., None, None] - 1 - points_img[..., :1]
    return torch.cat([x_px, points_img[..., 1:]], dim=-1)


def mirror_princpt(princpt_px: Tensor, image_width_px: Tensor | float) -> Tensor:
    """Principal point (..., 2) px of the mirrored image; the focal lengths stay as they are.

    With it, the body mirrored about the plane X = 0 projects to the mirrored pixels.
    """
    return mirror_points_img(princpt_px[..., None, :], image_width_px)[..., 0, :]


def default_intrinsics(width_px: float, height_px: float) -> tuple[Tensor, Tensor]:
    """Focal length (2,) and principal point (2,) in px where an image has no calibration.

    f = 1500 px and c = (W / 2, H / 2), after Moon et al., ICCV 2019.
    """
    focal_px = torch.tensor([DEFAULT_FOCAL_PX, DEFAULT_FOCAL_PX])
    return focal_px, torch.tensor([width_px / 2, height_px / 2])


def box_depth_k(focal_px: Tensor, box_size_px: Tensor, real_size_mm: tuple[float, float]) -> Tensor:
    """Depth at which a real rectangle of the given size fills the box: RootNet's k.

    k = sqrt(fx * fy * A_real / (w * h)), Moon et al., ICCV 2019, Eq. 3.

    Args:
        focal_px: (..., 2).
        box_size_px: (..., 2) width and height of the box grown to the input's aspect, > 0.
        real_size_mm: Sides of the real rectangle: (2000, 2000) for bodies, (300, 300) for hands.

    Returns:
        (...) mm.
    """
    area_mm2 = real_size_mm[0] * real_size_mm[1]
    return (focal_px.prod(dim=-1) * area_mm2 / box_size_px.prod(dim=-1)).sqrt()
