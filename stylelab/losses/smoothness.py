"""How restless an image is: total variation."""

from torch import Tensor

from stylelab.errors import StylelabError


def tv_loss(image: Tensor, power: int = 1, reduction: str = "mean") -> Tensor:
    """Total variation: how much each pixel differs from its right and its lower neighbour, to the `power`.

    image: (N, C, H, W), any range. power: 1 keeps edges, 2 rounds them. reduction: "mean", the mean over the
    horizontal differences plus the mean over the vertical ones (a weight then means the same at every size),
    or "sum" (as published; the mean over the batch).
    Returns a scalar, 0 for a constant image and for a single pixel.
    Source: Rudin, Osher and Fatemi (1992); as a power of differences Mahendran and Vedaldi (2015), eq. 4.
    """
    if power not in (1, 2):
        raise StylelabError(f"power={power} is not a total variation used here; use 1 or 2")
    if reduction not in ("mean", "sum"):
        raise StylelabError(f'reduction="{reduction}" is unknown here; use "mean" or "sum"')
    total = image.new_zeros(())
    for dim in (-1, -2):
        differences = image.diff(dim=dim)
        if differences.numel():
            powered = differences.abs() if power == 1 else differences.square()
            total = total + (powered.mean() if reduction == "mean" else powered.sum() / len(image))
    return total
