"""The guided filter: a picture drawn again with a photograph's own edges, window by window."""

import math
import numbers

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError, StylelabError
from stylelab.pictures.loading import ImageLike, image_of
from stylelab.pictures.resampling import resize, same_aspect


def guided_filter(image: ImageLike, guide: ImageLike, radius: int = 8, epsilon: float = 1e-3) -> Tensor:
    """What affine maps of the guide's colours, one for each window, make of the image.

    After a transfer, with the photograph as the guide, each place keeps the light it was given, drawn with
    the photograph's own detail; strokes smaller than a window go.
    image: (N, C, H, W) in [0, 1], or what load_image reads. guide: (N or 1, 3 or 1, h, w), likewise, of one
    aspect ratio with the image, to whose size it is brought.
    radius: a window is 2 radius + 1 pixels wide, less at the border. epsilon: of the square of the slopes;
    where the guide's variance is less, the image is smoothed instead.
    Returns the image's shape in [0, 1]. Raises ImageError for a guide of another shape, StylelabError for a
    radius or an epsilon that makes no sense.
    Source: He, Sun and Tang (2013), eq. 19 to 21.
    """
    image, guide = image_of(image), image_of(guide)
    (height, width), (tall, wide) = image.shape[-2:], guide.shape[-2:]
    if not same_aspect((height, width), (tall, wide)):
        raise ImageError(
            f"the picture is {width}×{height} and its guide {wide}×{tall}: give the photograph it was "
            "made from"
        )
    if not isinstance(radius, numbers.Integral) or radius < 1:
        raise StylelabError(f"radius={radius} must be a whole number of pixels from 1 upwards")
    if not 0 < epsilon < math.inf:
        raise StylelabError(f"epsilon={epsilon}: use numbers above 0; 0.001 is usual")

    def mean(maps: Tensor) -> Tensor:
        """Of each window, at its centre; maps: (..., H, W)."""
        flat = maps.reshape(-1, 1, height, width)
        for kernel, padding in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
            flat = F.avg_pool2d(flat, kernel, 1, padding, count_include_pad=False)
        return flat.view(maps.shape)

    # In float64, which not every device has: a variance is the small difference of two large means.
    V, G = (x.detach().cpu().double() for x in (image, resize(guide, (height, width)).clamp(0, 1)))
    mean_V, mean_G = mean(V), mean(G)
    variance = mean(G[:, :, None] * G[:, None]) - mean_G[:, :, None] * mean_G[:, None]
    covariance = mean(G[:, :, None] * V[:, None]) - mean_G[:, :, None] * mean_V[:, None]
    ridge = variance.movedim((1, 2), (-2, -1)) + epsilon * torch.eye(G.shape[1]).double()
    slopes = torch.linalg.solve(ridge, covariance.movedim((1, 2), (-2, -1))).movedim((-2, -1), (1, 2))
    offset = mean_V - (slopes * mean_G[:, :, None]).sum(1)
    return ((mean(slopes) * G[:, :, None]).sum(1) + mean(offset)).clamp(0, 1).to(image)
