"""The methods of the command line beside the transfer: each makes a Stylist of the words given as STYLE."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylelab.cli.words import weighted
from stylelab.errors import StylelabError

if TYPE_CHECKING:
    from stylelab.pictures.stylist import Stylist

NETWORK = ".safetensors"  # the ending of a fast network's file


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


def _fast(styles: Sequence[str]) -> "Stylist":
    from stylelab.feedforward.network import FastNetwork

    files = [word for word in styles if Path(word).suffix == NETWORK]
    if len(files) > 1:
        raise StylelabError(f"--method fast takes one network, got {', '.join(files)}")
    network = FastNetwork.load(*files)
    mixed = [weighted(word) for word in styles if word not in files]
    return network.with_style(mixed or None)


METHODS = {"fast": _fast, "patches": _patches}
