"""The methods of the command line beside the transfer: each makes a Stylist of the words given as STYLE."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stylelab.errors import StylelabError

if TYPE_CHECKING:
    from stylelab.pictures.stylist import Stylist


def _patches(styles: Sequence[str]) -> "Stylist":
    from stylelab.patches.net import PatchNet
    from stylelab.pictures.samples import sample_names

    if len(styles) != 1:
        raise StylelabError(f"--method patches takes one net as STYLE, got {', '.join(styles)}")
    if styles[0] in sample_names("style") + sample_names("content"):
        raise StylelabError(
            f"{styles[0]} is a picture; --method patches takes in its place a net that net.save wrote "
            "(notebook 05)"
        )
    return PatchNet.load(styles[0])


METHODS = {"patches": _patches}
