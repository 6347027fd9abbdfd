"""Losses of paper section 3.4, in lixels, and one on the heatmaps themselves.

Every reduction is the mean over ALL elements, masked ones included, so that values compare with the
release's logs. Shapes: B batch, N points, V vertices, F faces, D lixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

from i2l_plugin.geometry.lixel import gaussian_1d
from i2l_plugin.geometry.mesh import face_corners, face_edges, face_normals, safe_norm


@MODELS.register_module()
class CoordinateL1Loss(nn.Module):
    """L1 distance of coordinates (Eqs. 8, 9, 10).

    Args:
        loss_weight: Factor of the loss; 1 in the paper.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean of weight * |prediction - target|. Each (B, N, 3) -> scalar."""
        # where(), not a product: a masked target may be anything, and inf * 0 is NaN.
        error = torch.where(weight > 0, prediction - target, 0.0)
        return self.loss_weight * (error.abs() * weight).mean()


@MODELS.register_module()
class HeatmapLoss(nn.Module):
    """Cross entropy of 1D heatmaps with a Gaussian around the true lixel.

    Not in the paper, whose losses see nothing but each heatmap's mean. A trunk that starts from
    nothing otherwise learns to tilt wide heatmaps rather than to find the point.

    Args:
        sigma_lixel: Standard deviation of the Gaussian, which is scaled to sum to 1; at least 0.2.
        loss_weight: Factor of the loss.
    """

    def __init__(self, sigma_lixel: float, loss_weight: float = 1.0) -> None:
        super().__init__()
        if sigma_lixel < 0.2:  # narrower, a Gaussian between two lixels has no weight on either
            raise ValueError(f'sigma_lixel must be at least 0.2, got {sigma_lixel}')
        self.sigma_lixel = sigma_lixel
        self.loss_weight = loss_weight

    def forward(self, logits: Sequence[Tensor], target: Tensor, weight: Tensor) -> Tensor:
        """Mean over points and axes; a masked target may be anything.

        Args:
            logits: Heatmaps before softmax of x, y, z: 3 x (B, N, D), each with its own D.
            target: (B, N, 3) lixels, in [0, D) where it counts.
            weight: (B, N, 3).

        Returns:
            Scalar.
        """
        total = target.new_zeros(())
        for axis, heatmap in enumerate(logits):
            counts = weight[..., axis]
            centre = torch.where(counts > 0, target[..., axis], 0.0)
            wanted = gaussian_1d(centre, heatmap.shape[-1], self.sigma_lixel)
            wanted = wanted / wanted.sum(-1, keepdim=True)  # (B, N, D)
            entropy = F.cross_entropy(
                heatmap.float().flatten(0, 1), wanted.flatten(0, 1), reduction='none'
            )
            total = total + (entropy * counts.flatten()).mean()
        return self.loss_weight * total / len(logits)


@MODELS.register_module()
class NormalEdgeLoss(nn.Module):
    """Surface losses of the mesh: normals (Eq. 11) and edge lengths (Eq. 12).

    Args:
        normal_weight: lambda of Eq. 13; 0.1 in the paper.
        edge_weight: Factor of the edge loss; 1 in the paper.
    """

    def __init__(self, normal_weight: float = 0.1, edge_weight: float = 1.0) -> None:
        super().__init__()
        self.normal_weight = normal_weight
        self.edge_weight = edge_weight

    def forward(
        self, prediction: Tensor, target: Tensor, valid: Tensor, faces: Tensor
    ) -> dict[str, Tensor]:
        """Both losses of a batch of meshes; gradients stay finite on degenerate meshes.

        Args:
            prediction: Vertices (B, V, 3).
            target: Ground-truth vertices (B, V, 3).
            valid: 1 where a ground-truth vertex counts, else 0, (B, V).
            faces: Vertex indices (F, 3).

        Returns:
            ``loss_normal`` and ``loss_edge``, scalars: means over the 3F edges of the faces.
        """
        target = torch.where(valid.unsqueeze(-1) > 0, target, 0.0)
        with torch.no_grad():
            target_edges = face_edges(target, faces)  # 3 x (3, B, F)
            normals = face_normals(target_edges)  # (3, B, F)
            corner_valid = face_corners(valid, faces)  # 3 x (B, F)
            face_valid = corner_valid[0] * corner_valid[1] * corner_valid[2]

        normal_loss = edge_loss = prediction.new_zeros(())
        for i, edge in enumerate(face_edges(prediction, faces)):
            length = safe_norm(edge)  # (B, F)
            cosine = (edge * normals).sum(0) / length
            normal_loss = normal_loss + (cosine.abs() * face_valid).mean()
            stretch = length - safe_norm(target_edges[i])
            edge_valid = corner_valid[i] * corner_valid[(i + 1) % 3]
            edge_loss = edge_loss + (stretch.abs() * edge_valid).mean()
        return dict(
            loss_normal=self.normal_weight * normal_loss / 3,
            loss_edge=self.edge_weight * edge_loss / 3,
        )
