"""The Wasserstein distance of two layers' maps, as if their values were normally distributed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stylelab.losses.distances import reduced
from stylelab.losses.gram import gram_matrix
from stylelab.losses.statistic import Statistic, centre

# Of the largest eigenvalue: what is below has no root, and no gradient. In float64 it is rounding.
FLOOR = 1e-12


@dataclass(frozen=True)
class Wasserstein(Statistic):
    """W² = |m_F − m_S|² + tr(A + B − 2 (B^½ A B^½)^½): how far the positions' values have to move.

    Each position of a map is a point of C numbers; m_F, A and m_S, B are mean and covariance of the
    picture's points and of the painting's. Between two normal distributions W² is the least mean squared
    distance by which the points of one can be carried into the other.
    Reductions: "sum" is W², "mean" is W² / C, "relative" is W² / (|m_S|² + tr B): 0 is equal, 1 is as far as
    maps of 0. Where a covariance has no variance in some direction, the gradient there is the least of those
    that are possible; it is bounded everywhere.
    Several paintings: their means and the roots of their covariances are averaged. That is the Wasserstein
    barycentre where the covariances have the same axes. Elsewhere it is near: of three paintings the mean W²
    to it was at most 4 % above the least there is, to the mean of the covariances 14 to 31 %.
    Source: Dowson and Landau (1982), "The Fréchet distance between multivariate normal distributions",
    eq. 4; for style Mroueh (2020), "Wasserstein style transfer".
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, C, 1 + C): the mean, and beside it the symmetric root of the covariance."""
        centred, mean = centre(maps, mask)
        mask = None if mask is None else mask.to(centred)
        values, axes = torch.linalg.eigh(_in_double(gram_matrix(centred, "hw", mask)))
        root = axes * values.clamp_min(0).sqrt()[:, None] @ axes.mT
        return torch.cat([mean[..., None], root.to(mean)], -1)

    def distance(
        self, maps: Tensor, measure: Tensor, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """See Statistic and the head of this class; computes in float32, what has small values in float64."""
        centred, mean = centre(maps, mask)
        mask = None if mask is None else mask.to(centred)
        channels, positions = centred.shape[1], centred[0, 0].numel()
        target, root = measure[..., 0], measure[..., 1:]
        if positions < channels:
            # X Xᵀ is A: Xᵀ B X is smaller than B^½ A B^½, and has the same eigenvalues but for zeros.
            share = 1 / positions if mask is None else mask.flatten() / mask.sum()
            points = centred.flatten(2) * share**0.5
            spread = points.square().sum((1, 2))
            carried = _in_double(root) @ _in_double(points)
            product = carried.mT @ carried
        else:
            covariance = gram_matrix(centred, "hw", mask)
            spread = covariance.diagonal(dim1=1, dim2=2).sum(1)
            product = _in_double(root) @ _in_double(covariance) @ _in_double(root)
        common = _RootTrace.apply(product).to(spread)
        shift = (mean - target).square().sum(1)
        squares = shift + (spread + root.square().sum((1, 2)) - 2 * common).clamp_min(0)
        return reduced(squares, measure.square().sum((1, 2)), channels, reduction)


def _in_double(matrix: Tensor) -> Tensor:
    """In float64; of a device that has none, on the processor."""
    return matrix.to("cpu" if matrix.device.type == "mps" else matrix.device, torch.float64)


class _RootTrace(torch.autograd.Function):
    """tr S^½ of symmetric positive semi-definite S (N, n, n), and its gradient ½ S^-½ by hand: autograd's,
    through the eigenvectors, is infinite where two eigenvalues are equal, as all zeros are."""

    @staticmethod
    def forward(ctx, matrix: Tensor) -> Tensor:
        values, axes = torch.linalg.eigh(matrix)
        kept = values > FLOOR * values[:, -1:].clamp_min(0)
        roots = torch.where(kept, values, 0).sqrt()
        inverse = torch.where(kept, 1 / roots, 0)
        ctx.save_for_backward(axes * inverse[:, None] @ axes.mT / 2)
        return roots.sum(1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return gradient[:, None, None] * slope
