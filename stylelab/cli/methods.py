"""The methods of the command line beside the transfer: each makes a Stylist of the words given as STYLE.

And of the device that it is to compute on, as --device has it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stylelab.cli.words import weighted
from stylelab.errors import StylelabError, unknown

if TYPE_CHECKING:
    from stylelab.pictures.stylist import Stylist

NETWORK = ".safetensors"  # the ending of a fast network's file


def _patches(styles: Sequence[str], device: str) -> "Stylist":
    from stylelab.device import pick_device
    from stylelab.patches.net import PatchNet
    from stylelab.pictures.samples import sample_names

    if len(styles) != 1:
        raise StylelabError(f"--method patches takes one net as STYLE, got {', '.join(styles)}")
    if styles[0] in sample_names("style") + sample_names("content"):
        raise StylelabError(
            f"{styles[0]} is a picture; --method patches takes in its place a net that net.save wrote "
            "(notebook 05)"
        )
    return PatchNet.load(styles[0]).to(pick_device(device))


def _fast(styles: Sequence[str], device: str) -> "Stylist":
    from stylelab.feedforward.network import FastNetwork

    files = [word for word in styles if Path(word).suffix == NETWORK]
    if len(files) > 1:
        raise StylelabError(f"--method fast takes one network, got {', '.join(files)}")
    network = FastNetwork.load(files[0] if files else None, device)
    mixed = [weighted(word) for word in styles if word not in files]
    for name, _ in mixed:
        if name not in network.styles:
            known = unknown("style", name, network.styles, "--list")
            raise StylelabError(
                f"{known}; it paints in those it was trained in, --method optimise in any painting's"
            )
    return network.with_style(mixed or None)


def _any_style(name: str) -> Callable[[Sequence[str], str], "Stylist"]:
    def made(styles: Sequence[str], device: str) -> "Stylist":
        from stylelab.arbitrary import stylists

        return getattr(stylists, name)(device=device).with_style([weighted(word) for word in styles])

    return made


METHODS = {"fast": _fast, "adain": _any_style("AdaIN"), "wct": _any_style("WCT"), "patches": _patches}
