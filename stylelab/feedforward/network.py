"""One small network that paints a photograph in a frame of film's time, in any style that it was trained in.

All styles share the convolutions. After each of them every map of a picture is brought to mean 0 and spread
1, then multiplied by one number and moved by another: these two numbers a map are the style, all of it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.device import autocast, pick_device
from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.feedforward.convolutions import in_squares, upsampled
from stylelab.learning.records import TrainingRecord
from stylelab.learning.saving import read_trained, shipped, write_trained
from stylelab.losses.scene import weighted_styles
from stylelab.pictures.filters import reflect_pad
from stylelab.pictures.loading import ImageLike, image_of
from stylelab.seeds import generator

StyleChoice: TypeAlias = str | Mapping[str, float] | Sequence[tuple[str, float]] | Tensor | None
SHIPPED = "fast.safetensors"  # in data/networks
LEAST = 16  # pixels: below it mirrored borders are wider than the smallest maps
MULTIPLE = 4  # two convolutions halve the picture
NORMAL = (torch.pi / 2) ** 0.5  # the standard deviation of a normal distribution over its mean deviation
MOST = 3.0  # that a residual block adds to a map, whose spread is about 1
EPSILON = 1e-2  # of the spread of maps that are about 1: what is flatter is a flat sky, not a signal


class FastNetwork(nn.Module):
    """A network of one picture to another, and for each of its styles two numbers a map.

    styles: their names. widths: maps after the first convolution and after each of the two that halve the
    picture. blocks: residual blocks at a quarter of the size. seed: of the random start.
    `styles` are the names; `thumbnails` small JPEG files of the paintings by name; `records` what its
    trainings left behind, the last of them `record`. `vectors` is (styles, 2 · maps).
    Raises StylelabError for names, widths or blocks that make no network.
    Source: Johnson, Alahi and Fei-Fei (2016); two numbers a map and style from Dumoulin, Shlens and Kudlur
    (2017), "A learned representation for artistic style", eq. 5; nearest-neighbour upsampling from Odena,
    Dumoulin and Olah (2016), "Deconvolution and checkerboard artifacts".
    """

    convolutions: Sequence[nn.Conv2d]

    def __init__(
        self,
        styles: Sequence[str],
        widths: Sequence[int] = (20, 40, 80),
        blocks: int = 5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.styles = _checked_names(styles)
        widths = tuple(widths)
        if len(widths) != 3 or not all(_is_whole(width, 1024) for width in widths):
            raise StylelabError(f"widths {widths}: give three whole numbers up to 1024, such as (20, 40, 80)")
        if not _is_whole(blocks, 64):
            raise StylelabError(f"blocks {blocks}: a whole number from 1 to 64")
        self.widths, self.blocks = widths, blocks
        self.thumbnails: dict[str, bytes] = {}
        self.records: list[TrainingRecord] = []
        narrow, middle, wide = widths
        residual = [(wide, wide, 3, 1)] * (2 * blocks)
        plan = [(3, narrow, 9, 1), (narrow, middle, 3, 2), (middle, wide, 3, 2), *residual]
        plan += [(wide, middle, 3, 1), (middle, narrow, 3, 1), (narrow, 3, 9, 1)]
        with torch.device("meta"):  # else each layer would draw on torch's global state
            self.convolutions = nn.ModuleList(  # type: ignore[assignment]  # which does not say of what
                # A map's own mean goes, and a bias with it: only what is not normalised needs one.
                nn.Conv2d(a, b, side, step, side // 2, bias=b == 3, padding_mode="reflect")
                for a, b, side, step in plan
            )
            self.maps = tuple(b for _, b, _, _ in plan[:-1])
            self.vectors = nn.Parameter(torch.empty(len(self.styles), 2 * sum(self.maps)))
        self._start(generator(seed))

    def _start(self, random: torch.Generator) -> None:
        """Weights as He et al. (2015) draw them; every style multiplies by 1 and moves by 0."""
        state = {}
        for name, value in self.state_dict().items():
            state[name] = torch.zeros(value.shape)
            if value.ndim == 4:
                state[name].normal_(0, (2 / value[0].numel()) ** 0.5, generator=random)
        state["vectors"] = plain_vectors(self.maps).repeat(len(self.styles), 1)
        self.load_state_dict(state, assign=True)
        self.vectors.requires_grad_(True)
        self.to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """Where the weights are; images are brought here."""
        return self.vectors.device

    @property
    def record(self) -> TrainingRecord | None:
        """What the last training left behind: settings, losses, progress pictures; None before the first."""
        return self.records[-1] if self.records else None

    def forward(self, image: Tensor, vectors: Tensor) -> Tensor:
        """Pictures painted, (N, 3, H, W) in [0, 1], each in its own style.

        image: (N, 3, H, W) in [0, 1], sides multiples of 4 from 16 on. vectors: (N or 1, 2 · maps).
        """
        # ReLUs end at 6 (Krizhevsky, 2010), and what a block adds at 3: without that each block adds more
        # to a flat bright patch than the one before it, until the patch is a blob in every style.
        first, down, deeper, *residual, up, higher, last = self.convolutions
        parts = iter(self.scales_and_shifts(vectors))
        x = (2 * image - 1).contiguous(memory_format=torch.channels_last)
        for convolution in (first, down, deeper):
            x = F.relu6(normalised(convolution(x), *next(parts)))
        for one, other in zip(residual[::2], residual[1::2], strict=True):
            inner = F.relu6(normalised(one(x), *next(parts)))
            x = x + normalised(other(inner), *next(parts)).clamp(-MOST, MOST)
        for convolution in (up, higher):
            x = F.relu6(normalised(upsampled(convolution, x), *next(parts)))
        return torch.sigmoid(in_squares(last, x).float())

    @torch.no_grad()
    def stylise(
        self,
        image: ImageLike,
        style: StyleChoice = None,
        strength: float = 1.0,
        precision: str = "auto",
    ) -> Tensor:
        """The image painted in a style, or in a mixture of several.

        image: (N, 3 or 1, H, W) in [0, 1], of any size and aspect, or what load_image reads; a grey one
        counts as three equal channels. style: a name of `styles`, {name: weight} (only the proportions of the
        weights count), vectors as `mix` makes them, or nothing where the network has one style only.
        strength: 0 gives the image back, 1 the painted one, more exaggerates what it changes. precision:
        "float32", "bfloat16", or "auto": bfloat16 where the processor has it built in.
        Returns (N, 3, H, W) in [0, 1] on the network's device; each picture as if it were alone.
        Raises StylelabError for a style that it does not know, ImageError for what is no image.
        """
        image = image_of(image)
        if image.ndim != 4 or image.shape[1] not in (1, 3) or image.numel() == 0:
            raise ImageError(
                f"expected an image (N, 3 or 1, H, W), got {tuple(image.shape)}; load_image makes one"
            )
        if precision not in ("auto", "float32", "bfloat16"):
            raise StylelabError(f'precision="{precision}": use "auto", "float32" or "bfloat16"')
        if not isinstance(strength, int | float) or not 0 <= strength < float("inf"):
            raise StylelabError(f"strength {strength}: give a number from 0 (no effect) upwards; 1 is all")
        vectors = self.mix(style)
        image = image.to(self.device, torch.float32).expand(-1, 3, -1, -1)
        # One by one: a batch may be convolved in another order, and would differ from its pictures in a bit.
        painted = torch.cat([self._painted(picture, vectors, precision) for picture in image.split(1)])
        return painted if strength == 1 else image.lerp(painted, strength).clamp(0, 1)

    def _painted(self, picture: Tensor, vectors: Tensor, precision: str) -> Tensor:
        height, width = picture.shape[-2:]
        tall, wide = (max(LEAST, -(-side // MULTIPLE) * MULTIPLE) for side in (height, width))
        more = max(tall - height, wide - width)
        if more:
            picture = reflect_pad(picture, more)[..., more : more + tall, more : more + wide]
        with autocast(precision, self.device):
            painted = self(picture, vectors)
        return painted[..., :height, :width]

    def mix(self, style: StyleChoice = None) -> Tensor:
        """The vectors of a style or a mixture, (1, 2 · maps): the weighted mean of the styles' own.

        style: as for `stylise`. One name, however heavy, gives exactly that style's vectors.
        """
        if isinstance(style, Tensor):
            if style.numel() != self.vectors.shape[1]:
                raise StylelabError(
                    f"got vectors {tuple(style.shape)}; a style is {self.vectors.shape[1]} numbers here"
                )
            return style.to(self.vectors).view(1, -1)
        if style is None:
            if len(self.styles) > 1:
                known = ", ".join(self.styles)
                raise StylelabError(f"this network knows {known}: say which, by name or {{name: weight}}")
            style = self.styles[0]
        asked: dict[str, float] = {}
        for name, weight in weighted_styles(style):
            if name not in self.styles:
                known = unknown("style", name, self.styles, "the network's .styles")
                raise StylelabError(f"{known}; fit_fast_network(..., network=network) adds one of your own")
            asked[name] = asked.get(name, 0.0) + float(weight)
        total = sum(asked.values())
        mixed = torch.zeros_like(self.vectors[:1])
        for number, name in enumerate(self.styles):  # in its own order, so that yours changes no bit
            if asked.get(name):
                mixed = mixed + asked[name] / total * self.vectors[number]
        return mixed

    def scales_and_shifts(self, vectors: StyleChoice = None) -> list[tuple[Tensor, Tensor]]:
        """Vectors taken apart: (scale, shift) of each convolution but the last, (N, C, 1, 1) each.

        vectors: (N, 2 · maps), or a style as for `stylise`.
        """
        if not isinstance(vectors, Tensor):
            vectors = self.mix(vectors)
        sizes = [count for count in self.maps for _ in range(2)]
        parts = [part[:, :, None, None] for part in vectors.split(sizes, dim=1)]
        return list(zip(parts[::2], parts[1::2], strict=True))

    def with_style(self, style: StyleChoice, strength: float = 1.0, precision: str = "auto") -> "FastStyle":
        """The network with its style fixed: a Stylist. Takes what `stylise` takes."""
        return FastStyle(self, self.mix(style).detach(), strength, precision)

    def extended(self, styles: Sequence[str], vectors: Tensor) -> "FastNetwork":
        """A copy that knows more styles: vectors (more, 2 · maps); the others keep theirs to the bit."""
        copy = FastNetwork((*self.styles, *styles), self.widths, self.blocks)
        state = self.state_dict() | {"vectors": torch.cat([self.vectors.detach(), vectors.to(self.vectors)])}
        copy.load_state_dict({name: value.clone() for name, value in state.items()}, assign=True)
        copy.vectors.requires_grad_(True)
        copy.to(memory_format=torch.channels_last)
        copy.thumbnails, copy.records = dict(self.thumbnails), list(self.records)
        return copy

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file that FastNetwork.load reads, numbers in half precision.

        Names, thumbnails and records are in it. path: in a folder that exists; a file there is replaced.
        Raises WeightsError for a missing folder, a write-protected file or a disk that refuses.
        """
        shape = {"styles": list(self.styles), "widths": list(self.widths), "blocks": self.blocks}
        small = {name: base64.b64encode(picture).decode("ascii") for name, picture in self.thumbnails.items()}
        more = {"thumbnails": json.dumps(small)}
        write_trained(path, "FastNetwork", shape, self.state_dict(), self.records, more)

    @classmethod
    def load(cls, path: str | Path | None = None, device: str | torch.device = "auto") -> "FastNetwork":
        """The network that `save` wrote, computing in float32 again; without a path the one of the course.

        Raises WeightsError for a file that is missing, damaged or something else. Nothing in it is executed.
        """
        chosen = pick_device(device)

        def build(shape, state, records, texts) -> "FastNetwork":
            network = cls(**shape)
            network.load_state_dict(state)
            thumbnails = json.loads(texts["thumbnails"])
            network.thumbnails = {name: base64.b64decode(text) for name, text in thumbnails.items()}
            network.records = records
            return network

        network = read_trained(
            shipped(SHIPPED, "fit_fast_network") if path is None else path, "FastNetwork", build
        )
        return network.to(chosen).to(memory_format=torch.channels_last)


@dataclass(frozen=True, eq=False)
class FastStyle:
    """A fast network with its style fixed: a Stylist like any other."""

    network: FastNetwork
    style: StyleChoice
    strength: float = 1.0
    precision: str = "auto"

    def stylise(self, image: ImageLike) -> Tensor:
        """The image (N, 3 or 1, H, W) in [0, 1] painted, (N, 3, H, W)."""
        return self.network.stylise(image, self.style, self.strength, self.precision)


def normalised(maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Every map of every picture brought to mean 0 and spread 1, times a scale, plus a shift.

    maps: (N, C, H, W). scale, shift: (N or 1, C, 1, 1). Spread is the mean absolute deviation, not the
    standard deviation of instance norm: of squares a single spike can be most, so networks learn to hide in
    one how strong the rest was, and it shows as a dark blob in a flat corner.
    Source: Ulyanov, Vedaldi and Lempitsky (2016) for instance norm; Hoffer et al. (2018), "Norm matters", for
    the mean absolute deviation in its place; Karras et al. (2020), "Analyzing and improving the image quality
    of StyleGAN", section 2, for the blob.
    """
    # Rows of the picture with all maps of a pixel beside one another, which is how they lie in memory:
    # numbers of a map each would be worked on a few at a time, rows are by the thousand.
    rows = maps.permute(0, 2, 3, 1).flatten(2)
    width = maps.shape[3]
    centred = rows - _in_rows(_means(rows, width), rows, width)
    spread = NORMAL * _means(centred.abs(), width)
    factor = scale.flatten(1) / (spread + EPSILON)
    made = torch.addcmul(_in_rows(shift.flatten(1), rows, width), centred, _in_rows(factor, rows, width))
    return made.unflatten(2, (width, -1)).permute(0, 3, 1, 2)


def _means(rows: Tensor, width: int) -> Tensor:
    """The mean of each map, (N, C), of rows (N, H, W · C); in float32."""
    return rows.mean(1, dtype=torch.float32).unflatten(1, (width, -1)).mean(1)


def _in_rows(numbers: Tensor, rows: Tensor, width: int) -> Tensor:
    """Numbers (N, C) of each map for every pixel of a row, (N, 1, W · C)."""
    return numbers.to(rows.dtype).repeat(1, width)[:, None]


def plain_vectors(maps: Sequence[int]) -> Tensor:
    """The vectors of no style yet, (1, 2 · maps): every map times 1, plus 0."""
    return torch.cat([torch.full((1, count), value) for count in maps for value in (1.0, 0.0)], dim=1)


def _checked_names(styles: Sequence[str]) -> tuple[str, ...]:
    names = (styles,) if isinstance(styles, str) else tuple(styles)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise StylelabError(f"styles {names}: give the name of each, at least one")
    if len({*names}) < len(names):
        raise StylelabError(f"styles {', '.join(names)}: give each another name")
    return names


def _is_whole(value, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
