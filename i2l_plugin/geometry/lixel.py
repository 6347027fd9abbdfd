"""1D heatmaps over lixels: expectation, spread, and the separable Gaussian of Eq. 3.

A lixel is a cell of a line; its index i in 0..D-1 is also its coordinate.
Shapes: B batch, N points, D lixels.
"""

import torch
from torch import Tensor


def soft_argmax(logits: Tensor) -> Tensor:
    """Expected lixel index, in [0, D-1], of each 1D heatmap. (..., D) -> (...).

    Sun et al., Integral human pose regression, ECCV 2018; no temperature.
    """
    index = torch.arange(logits.shape[-1], device=logits.device, dtype=logits.dtype)
    return logits.softmax(-1) @ index


def lixel_spread(logits: Tensor) -> Tensor:
    """Standard deviation, in lixels, of each 1D heatmap: its uncertainty. (..., D) -> (...)."""
    index = torch.arange(logits.shape[-1], device=logits.device, dtype=logits.dtype)
    likelihood = logits.softmax(-1)
    offset = index - (likelihood @ index).unsqueeze(-1)  # (..., D)
    return (likelihood * offset.square()).sum(-1).sqrt()


def gaussian_1d(centre_lixel: Tensor, num_lixels: int, sigma_lixel: float) -> Tensor:
    """One axis of Eq. 3: an unnormalised Gaussian (peak 1) at each centre. (...) -> (..., D)."""
    index = torch.arange(num_lixels, device=centre_lixel.device, dtype=centre_lixel.dtype)
    offset = index - centre_lixel.unsqueeze(-1)
    return torch.exp(-offset.square() / (2 * sigma_lixel**2))
