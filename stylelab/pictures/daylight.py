"""Dusk by formula: the known answer to a transfer from day to dusk."""

import torch
from torch import Tensor

from stylelab.pictures.loading import ImageLike, image_of

SHADOW, LIGHT = (0.35, 0.45, 0.9), (1.1, 0.75, 0.45)  # what red, green and blue are multiplied by
ZENITH = 0.6  # of the light is left at the top of the picture


def at_dusk(photograph: ImageLike) -> Tensor:
    """A photograph by day as it might look at dusk: darker, shadows blue, lights warm, most light below.

    photograph: (N, 3, H, W) in [0, 1], or what load_image reads. Returns the same shape in [0, 1]: each
    pixel's colour is a smooth function of what it was and of its height, so every edge stays.
    """
    image = image_of(photograph)
    shadow, light = (image.new_tensor(colour).view(1, 3, 1, 1) for colour in (SHADOW, LIGHT))
    brightness = image.mean(1, keepdim=True)
    below = torch.linspace(ZENITH, 1, image.shape[-2], device=image.device).view(-1, 1)
    return (image**1.5 * shadow.lerp(light, brightness) * below).clamp(0, 1)
