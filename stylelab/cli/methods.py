"""The methods of the command line beside the transfer: each makes a Stylist of the words given as STYLE."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stylelab.errors import StylelabError

if TYPE_CHECKING:
    from stylelab.pictures.stylist import Stylist


def _patches(styles: Sequence[str]) -> "Stylist":
    from stylelab.patches.net import PatchNet

    if len(styles) != 1:
        raise StylelabError(f"--method patches takes one net as STYLE, got {', '.join(styles)}")
    return PatchNet.load(styles[0])


METHODS = {"patches": _patches}
