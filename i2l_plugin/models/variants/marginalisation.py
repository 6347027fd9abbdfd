"""How a map becomes a line for each axis (supplementary section 7.2, Table 9).

Shapes: B batch, c' channels, Dx and Dy lixels.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Marginalisation(nn.Module):
    """Up-sampled maps to a line along x and one along y.

    Args:
        how: ``'mean'`` (the paper's choice), ``'max'``, or ``'weighted'``: "a convolutional layer
            whose kernel size is (8h, 1) and (1, 8w)", which is an ordinary one here, of c' to c'
            channels with bias.
        channels: c'.
        size: (Dx, Dy), the kernels of ``'weighted'``.
    """

    def __init__(self, how: str, channels: int, size: Sequence[int]) -> None:
        super().__init__()
        if how not in ('mean', 'max', 'weighted'):
            raise ValueError(f"marginalise must be 'mean', 'max' or 'weighted', got {how!r}")
        self.how = how
        if how == 'weighted':
            width, height = size
            self.over_rows = nn.Conv2d(channels, channels, (height, 1))
            self.over_columns = nn.Conv2d(channels, channels, (1, width))

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """(B, c', Dy, Dx) -> (B, c', Dx) and (B, c', Dy)."""
        if self.how == 'mean':
            return feature.mean(2), feature.mean(3)
        if self.how == 'max':  # one position of each row and column gets the gradient
            return feature.max(2).values, feature.max(3).values
        return self.over_rows(feature).squeeze(2), self.over_columns(feature).squeeze(3)
