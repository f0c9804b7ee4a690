"""The guided filter: an image made smooth, with edges only where a guide has them."""

import torch
import torch.nn.functional as F
from torch import Tensor


def guided_filter(image: Tensor, guide: Tensor, radius: int, epsilon: float = 1e-3) -> Tensor:
    """In each window a linear function of the guide's colours, as near as may be to the image.

    image: (1, C, H, W). guide: (1, 3 or 1, H, W) in [0, 1]. radius: of the square windows, in pixels.
    epsilon: variance of the guide from which on an edge is kept. Returns (1, C, H, W), not clamped.
    Source: He, Sun and Tang (2013), "Guided image filtering", eq. 19 to 21.
    """
    colours = guide.shape[1]
    guide_mean, image_mean = _window_mean(guide, radius), _window_mean(image, radius)
    products = _window_mean((guide[:, :, None] * guide[:, None]).flatten(1, 2), radius)
    spread = products.unflatten(1, (colours, colours)) - guide_mean[:, :, None] * guide_mean[:, None]
    spread = spread.permute(0, 3, 4, 1, 2) + epsilon * torch.eye(colours).to(guide)
    shared = _window_mean((guide[:, :, None] * image[:, None]).flatten(1, 2), radius)
    shared = shared.unflatten(1, (colours, -1)) - guide_mean[:, :, None] * image_mean[:, None]
    slopes = torch.linalg.solve(spread, shared.permute(0, 3, 4, 1, 2)).permute(0, 3, 4, 1, 2)
    offsets = image_mean - (slopes * guide_mean[:, :, None]).sum(1)
    slopes = _window_mean(slopes.flatten(1, 2), radius).unflatten(1, (colours, -1))
    return (slopes * guide[:, :, None]).sum(1) + _window_mean(offsets, radius)


def _window_mean(image: Tensor, radius: int) -> Tensor:
    """The mean of each pixel's window, of what of it is inside the picture."""
    return F.avg_pool2d(image, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False)
