"""Convolutions of a fast network arranged so that a processor is quick at them; the result is the same.

A processor works on 16 maps at a time. The last layer's three would leave it mostly idle, and enlarging a
picture before convolving it computes the same sums four times.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def upsampled(convolution: nn.Conv2d, maps: Tensor) -> Tensor:
    """The maps (N, C, H, W) doubled to their nearest neighbours, then convolved, 3 × 3: (N, C', 2 H, 2 W).

    Of three neighbours in the doubled picture two are the same pixel of the small one, so the result is four
    convolutions of the small one, interleaved.
    Source: Shi et al. (2016), "Is the deconvolution layer the same as a convolutional layer?".
    """
    weight = _halves(_halves(convolution.weight, 2), 4)  # (C', C, 2, 3, 2, 3): a place in the square each
    weight = weight.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
    # A border mirrored after doubling is one repeated before.
    return F.pixel_shuffle(F.conv2d(F.pad(maps, (1,) * 4, mode="replicate"), weight), 2)


def _halves(weight: Tensor, dim: int) -> Tensor:
    """Three taps along `dim` as those on the small picture, of the left and of the right of two pixels."""
    first, second, third = weight.unbind(dim)
    nothing = torch.zeros_like(first)
    left = torch.stack([first, second + third, nothing], dim)
    right = torch.stack([nothing, first + second, third], dim)
    return torch.stack([left, right], dim)


def in_squares(convolution: nn.Conv2d, maps: Tensor) -> Tensor:
    """The maps (N, C, H, W), H and W even, convolved with mirrored borders: (N, C', H, W).

    Every square of 2 × 2 results is computed at once, as 4 C' maps of half the size.
    """
    weight, bias = convolution.weight, convolution.bias
    border = weight.shape[-1] // 2
    squares = [F.pad(weight, (right, 1 - right, low, 1 - low)) for low in (0, 1) for right in (0, 1)]
    padded = F.pad(maps, (border,) * 4, mode="reflect")
    made = F.conv2d(padded, torch.stack(squares, 1).flatten(0, 1), stride=2)
    made = F.pixel_shuffle(made, 2)
    return made if bias is None else made + bias[:, None, None].to(made.dtype)
