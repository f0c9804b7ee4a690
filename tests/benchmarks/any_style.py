"""Any painting at once: how well, and how quickly beside the published architectures at full width.

The pictures were kept out of the decoders' training. The published networks are built here and untrained:
what they paint takes as long.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from stylelab import WCT, AdaIN, FeatureExtractor, load_image, relative_losses
from stylelab.arbitrary import LEVELS, AnyStyle, adain, wct
from stylelab.device import autocast, has_fast_bfloat16
from stylelab.losses.distances import psnr
from stylelab.networks.extractor import shared_extractor
from stylelab.networks.features import Features
from stylelab.pictures.resampling import resize
from tests.benchmarks.painted import PHOTOGRAPHS, of_the_default
from tests.benchmarks.table import Row, timed

PAIRS = (  # six photographs and six paintings that no decoder was trained on
    ("astronaut", "watercolour"),
    ("cat", "stained_glass"),
    ("coffee", "pointillism"),
    ("dahlia", "woodblock_waves"),
    ("pagoda", "starry_night"),
    ("rocket", "hubble"),
)
BACK = {"relu1_1": 32, "relu2_1": 27, "relu3_1": 23, "relu4_1": 20}  # dB, at least
STYLE = {"adain": 0.40, "wct": 0.27}  # mean style loss over the pairs, at most
CONTENT = 1.2  # and content loss
MILLISECONDS = {"adain": 150, "adain, painting kept": 80, "wct": 400}  # at 256 px, at most
CPU = torch.device("cpu")


def quality(size: int = 256, folder: Path | None = None) -> Iterator[Row]:
    """Rows for photographs there and back from each level, then for both methods beside the default."""
    for level, goal in BACK.items():
        there_and_back = AdaIN(level, precision="float32", device="cpu")
        images = [load_image(name, size) for name in PHOTOGRAPHS]
        found = [psnr(there_and_back.stylise(image, image, strength=0), image) for image in images]
        mean = sum(found) / len(found)
        yield Row(
            f"photographs back from {level}, {size} px, mean of {len(found)}",
            f"{mean:.1f} dB",
            f"{min(found):.1f} dB (worst)",
            "",
            f"{goal} dB",
            mean >= goal,
        )
    extractor = FeatureExtractor(device="cpu")
    default = [of_the_default(names, size, extractor, folder) for names in PAIRS]
    for name, method in (("adain", AdaIN(device="cpu")), ("wct", WCT(device="cpu"))):
        losses = [
            relative_losses(method.stylise(load_image(content, size), style), content, style, extractor)
            for content, style in PAIRS
        ]
        ours, theirs = (
            {term: sum(row[term] for row in rows) / len(rows) for term in rows[0]}
            for rows in (losses, default)
        )
        yield Row(
            f"{name}, {size} px, mean of {len(PAIRS)} pairs",
            f"{ours['content']:.2f}, {ours['style']:.3f}",
            f"{theirs['content']:.2f}, {theirs['style']:.3f} (default)",
            f"{ours['content'] / theirs['content']:.2f}, {ours['style'] / theirs['style']:.1f}",
            f"{CONTENT}, {STYLE[name]}",
            ours["content"] <= CONTENT and ours["style"] <= STYLE[name],
        )


# The convolutions of VGG-19, block by block: maps before and after.
CONVOLUTIONS = (
    ((3, 64), (64, 64)),
    ((64, 128), (128, 128)),
    ((128, 256), *3 * ((256, 256),)),
    ((256, 512), *3 * ((512, 512),)),
    ((512, 512),),
)


def mirror(block: int) -> nn.Sequential:
    """VGG-19 turned round from the first layer of a block on, at full width, as published decoders are."""
    layers: list[nn.Module] = []
    for number in range(block, 0, -1):
        if number < block:
            layers.append(nn.Upsample(scale_factor=2))
        for before, after in reversed(CONVOLUTIONS[number - 1][: 1 if number == block else None]):
            layers += [nn.Conv2d(after, before, 3, padding=1, padding_mode="reflect"), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1]).eval().to(memory_format=torch.channels_last)


class Published:
    """The architectures of Huang and Belongie (2017) and of Li et al. (2017): what is as in their code."""

    def __init__(self, precision: str) -> None:
        self.precision, self.features = precision, Features(shared_extractor(device="cpu"), precision)
        self.decoders = {f"relu{block}_1": mirror(block) for block in range(1, 6)}

    @torch.no_grad()
    def _pass(self, image: Tensor, painting: Tensor, level: str, transform) -> Tensor:
        maps, style = (self.features(picture, level)[level].float() for picture in (image, painting))
        with autocast(self.precision, CPU):
            return self.decoders[level](transform(maps, style)).float().clamp(0, 1)

    def adain(self, image: Tensor, painting: Tensor) -> Tensor:
        """One pass at relu4_1."""
        return self._pass(image, painting, "relu4_1", adain)

    def wct(self, image: Tensor, painting: Tensor) -> Tensor:
        """Three passes, from relu3_1 to relu1_1: theirs has five, from relu5_1 on."""
        for level in reversed(LEVELS[:3]):
            image = self._pass(image, painting, level, wct)
        return image


def painting_kept(method: AnyStyle, image: Tensor, styles) -> Tensor:
    """What `stylise` does for the next photograph in the same painting's style."""
    return method.painted(method.encode(image), styles, (image.shape[-2], image.shape[-1]))


def speed(size: int = 256, repeat: int = 10) -> Iterator[Row]:
    """Rows of milliseconds for a square picture, beside the published architectures'."""
    image, painting = (
        resize(load_image(name, size), (size, size)).clamp(0, 1) for name in ("pagoda", "starry_night")
    )
    for precision in ("float32", "bfloat16") if has_fast_bfloat16(CPU) else ("float32",):
        published = Published(precision)
        for name, method in (
            ("adain", AdaIN(precision=precision, device="cpu")),
            ("wct", WCT(precision=precision, device="cpu")),
        ):
            method.stylise(image, painting), getattr(published, name)(image, painting)  # libraries load
            theirs = 1000 * timed(getattr(published, name), image, painting, repeat=repeat)[1]
            both = 1000 * timed(method.stylise, image, painting, repeat=repeat)[1]
            kept = [(method.encode(painting), 1.0)]
            one = 1000 * timed(painting_kept, method, image, kept, repeat=repeat)[1]
            for what, ours in ((name, both), (f"{name}, painting kept", one)):
                goal = MILLISECONDS.get(what)
                yield Row(
                    f"{what}, {size} px, {precision}",
                    f"{ours:.0f} ms",
                    f"{theirs:.0f} ms (published widths)",
                    f"1/{theirs / ours:.1f}",
                    f"{goal} ms, faster" if goal else "faster",
                    ours < theirs and (goal is None or ours <= goal),
                )


def rows(folder: Path | None = None) -> Iterator[Row]:
    """All of them."""
    yield from quality(folder=folder)
    yield from speed()
