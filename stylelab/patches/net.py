"""Patches of images, and a small feed-forward net that learns a filter from them: generalisation.

A filter that looks at a p×p neighbourhood is a function of p² numbers, and every pixel of an example pair is
one sample of it. A net fitted to those samples is itself a convolution: its first layer reads a patch at
every pixel, the others are 1×1 convolutions on what the first one found.
"""

import io
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.colour.spaces import rgb_to_yuv, yuv_to_rgb
from stylelab.errors import StylelabError, WeightsError, unknown
from stylelab.files import atomic_write, expanded
from stylelab.patches.windows import as_channels, check_patch
from stylelab.pictures.filters import reflect_pad
from stylelab.pictures.loading import ImageLike, image_of
from stylelab.seeds import generator

# Each activation with a stretch on which it is straight: (gain, offset) bring an image's values there.
ACTIVATIONS = {"tanh": (torch.tanh, 0.1, 0.0), "relu": (torch.relu, 1.0, 8.0)}


class PatchNet(nn.Module):
    """A net from a patch to the filtered value of its centre, as published 9-21-17-13-9-1 with tanh.

    patch: odd side in pixels. channels: 1 (luminance) or 3, in and out. hidden: units of each hidden
    layer; () is a linear map. activation: "tanh" or "relu", of the hidden layers. Values enter and leave
    as 2 v − 1. The last layer is linear, and the picture clamped: the published net's last tanh cannot
    reach black or white.
    """

    layers: Sequence[nn.Linear]

    def __init__(
        self,
        patch: int = 3,
        channels: int = 1,
        hidden: Sequence[int] = (21, 17, 13, 9),
        activation: str = "tanh",
    ) -> None:
        super().__init__()
        check_patch(patch)
        if channels not in (1, 3):
            raise StylelabError(f"channels {channels}: a net takes 1 (luminance) or 3 (colour)")
        if any(units < channels for units in hidden):
            raise StylelabError(f"hidden {tuple(hidden)}: each layer needs {channels} or more units")
        if activation not in ACTIVATIONS:
            raise StylelabError(unknown("activation", activation, ACTIVATIONS, "patches.ACTIVATIONS"))
        self.shape = {"patch": patch, "channels": channels, "hidden": tuple(hidden), "activation": activation}
        self.patch, self.channels, self.activation = patch, channels, activation
        sizes = [channels * patch**2, *hidden, channels]
        with torch.device("meta"):  # else each layer would draw on torch's global state
            linears = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        self.layers = nn.ModuleList(linears)  # type: ignore[assignment]  # which does not say modules of what
        self.start(generator(0))

    def start(self, random: torch.Generator) -> None:
        """Draws all weights and biases anew, uniformly in ± 1 / √(inputs of the layer)."""
        state = {}
        for name, value in self.state_dict().items():
            bound = self.layers[int(name.split(".")[1])].in_features ** -0.5
            drawn = torch.empty(value.shape).uniform_(-bound, bound, generator=random)
            state[name] = drawn if value.is_meta else drawn.to(value.device)
        self.load_state_dict(state, assign=True)

    def forward(self, patches: Tensor) -> Tensor:
        """Patches (n, channels · patch²) in [0, 1] → values (n, channels), not clamped."""
        return self._through(2 * patches - 1, F.linear, [layer.weight for layer in self.layers])

    @torch.no_grad()
    def stylise(self, image: ImageLike) -> Tensor:
        """The whole image at once, as one p×p convolution and 1×1 convolutions after it.

        image: (N, 3 or 1, H, W) in [0, 1], or what load_image reads. A net of one channel changes the
        luminance and keeps the chroma of a colour image; a net of three sees a grey image as three equal
        channels. Returns the image's shape (three channels from a net of three) on the net's device, in
        [0, 1].
        """
        image = image_of(image).to(self.layers[0].weight.device)
        padded = reflect_pad(as_channels(image, self.channels), self.patch // 2)
        kernels: list[Tensor] = [layer.weight[:, :, None, None] for layer in self.layers]
        kernels[0] = self.layers[0].weight.view(-1, self.channels, self.patch, self.patch)
        result = self._through(2 * padded - 1, F.conv2d, kernels).clamp(0, 1)
        return with_chroma(result, image)

    def _through(self, values: Tensor, apply: Callable[..., Tensor], kernels: Sequence[Tensor]) -> Tensor:
        activate = ACTIVATIONS[self.activation][0]
        for layer, kernel in zip(self.layers, kernels, strict=True):
            values = apply(values if layer is self.layers[0] else activate(values), kernel, layer.bias)
        return (values + 1) / 2

    def save(self, path: str | Path) -> None:
        """Write the net's weights and shape to a file that PatchNet.load reads; the whole file, or none.

        path: in a folder that exists, "~" expanded; a file there is replaced. Raises WeightsError for a
        missing folder, a write-protected file or a disk that refuses.
        """
        # By way of memory: where the disk is full, torch's own writer ends in a bare RuntimeError.
        torch.save({"stylelab PatchNet": self.shape, "weights": self.state_dict()}, buffer := io.BytesIO())
        with atomic_write(path, WeightsError) as part:
            part.write_bytes(buffer.getbuffer())

    @classmethod
    def load(cls, path: str | Path) -> "PatchNet":
        """The net that `save` wrote; WeightsError for any other file. Nothing in the file is executed."""
        path = expanded(path)
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            net = cls(**saved["stylelab PatchNet"])
            net.load_state_dict(saved["weights"])
        except FileNotFoundError:
            raise WeightsError(
                f"{path.name}: no such file in {path.parent.absolute()}; check the path"
            ) from None
        except Exception as error:  # torch raises a dozen kinds for files that are not its own
            raise WeightsError(f"{path.name}: not a PatchNet; give a file that net.save wrote") from error
        return net


def with_chroma(result: Tensor, image: Tensor) -> Tensor:
    """A result of one channel as the luminance of the colour image it was made from; others unchanged."""
    if result.shape[1] == 3 or image.shape[1] == 1:
        return result
    return yuv_to_rgb(torch.cat([result, rgb_to_yuv(image)[:, 1:].to(result)], dim=1)).clamp(0, 1)
