"""VGG-19 and SqueezeNet 1.1: their layers, in order and by name."""

import torch
from torch import nn

NETWORKS = ("vgg19", "squeezenet1_1")


_VGG19_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions


def architecture(network: str) -> nn.Sequential:
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


def vgg19_names() -> list[str]:
    """conv1_1, relu1_1, conv1_2, …, pool5."""
    names = []
    for block, (_, convolutions) in enumerate(_VGG19_BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            names += [f"conv{block}_{i}", f"relu{block}_{i}"]
        names.append(f"pool{block}")
    return names


def _squeezenet_names() -> list[str]:
    stem, middle = ["conv1", "relu1", "pool1"], ["fire2", "fire3", "pool3", "fire4", "fire5", "pool5"]
    return [*stem, *middle, "fire6", "fire7", "fire8", "fire9"]


LAYER_NAMES = {"vgg19": vgg19_names, "squeezenet1_1": _squeezenet_names}
