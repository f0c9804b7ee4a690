"""What every method of this course is in the end: something that turns a picture into a picture."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Stylist(Protocol):
    """Anything with `stylise`: a transfer whose painting is fixed, a patch net, a difference table, yours."""

    def stylise(self, image: Tensor) -> Tensor:
        """The image in another style: (N, 3 or 1, H, W) in [0, 1] to the same height and width."""
