"""How the decoders learn: to undo VGG-19 block by block, then to paint with AdaIN between the blocks.

The first part of a training is cheap: each block returns the maps below it, from VGG-19's own and from what
the chain hands it, and no gradient goes through VGG-19. Decoders that only learnt this keep a photograph's
edges and grain under any painting's statistics; so in the last part pictures are painted as well, one of
the batch in the style of another, and VGG-19 judges them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.arbitrary.decoders import LEVELS, PADDING, Decoders, size_at
from stylelab.arbitrary.transforms import adain
from stylelab.device import autocast, pick_device
from stylelab.errors import OptimisationError, StylelabError, unknown
from stylelab.files import checked_target
from stylelab.learning.batches import Batches, training_photographs
from stylelab.learning.checkpoints import Checkpoint, read_checkpoint
from stylelab.learning.records import TrainingRecord
from stylelab.learning.running import TrainingStep, check_length, steps_of, watched
from stylelab.losses.distances import content_loss
from stylelab.losses.gram import gram_matrix, style_loss
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.networks.features import Features
from stylelab.networks.layers import RELU_1_TO_5
from stylelab.pictures.loading import ImageLike
from stylelab.pictures.resampling import resize
from stylelab.seeds import whole_seed

SHOWN_SIZE = 128  # pixels of the longest side of what is shown of the progress
MEASURED = 4  # batches by which the size of each level's maps is known


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """The settings of a training of decoders, each with its default.

    size: side of the training pictures in pixels. batch: of a step. leaves: the share of dead leaves among
    them, the rest are photographs. pixels: the weight of the mean squared error of pixels beside the relative
    errors of maps. painted: how many pictures of each batch are painted as well, each in the style of the
    next one, once this share of the training is over: paint_from. content_weight, style_weight: of the
    relative losses of those. learning_rate: Adam's, rising over `warm_up` steps, then falling in a line to 0.
    clip: the most that the gradient's norm may be, of each net. precision: "float32", "bfloat16" or "auto".
    """

    size: int = 144
    batch: int = 6
    leaves: float = 0.5
    pixels: float = 20.0
    painted: int = 3
    paint_from: float = 0.75
    content_weight: float = 0.25
    style_weight: float = 1.0
    learning_rate: float = 1e-3
    warm_up: int = 100
    clip: float = 1.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        for sound, complaint in (
            (isinstance(self.size, int) and self.size >= 32, f"size={self.size}: pixels, 32 or more"),
            (isinstance(self.batch, int) and self.batch >= 1, f"batch={self.batch}: a whole number from 1"),
            (isinstance(self.painted, int) and self.painted >= 0, f"painted={self.painted}: 0, 1, 2 …"),
            (0 <= self.leaves <= 1, f"leaves={self.leaves}: a share, 0 to 1"),
            (0 <= self.paint_from <= 1, f"paint_from={self.paint_from}: a share, 0 to 1"),
            (
                all(0 <= weight < math.inf for weight in (self.content_weight, self.style_weight)),
                "content_weight and style_weight are numbers from 0 on",
            ),
            (
                isinstance(self.warm_up, int) and self.warm_up >= 1,
                f"warm_up={self.warm_up}: steps, 1 or more",
            ),
            (
                all(0 < value < math.inf for value in (self.pixels, self.learning_rate, self.clip)),
                "pixels, learning_rate and clip are numbers above 0",
            ),
        ):
            if not sound:
                raise StylelabError(complaint)


class DecoderLearner:
    """The decoders in training; see learning.running.Learner."""

    def __init__(self, asked: DecoderSettings, seed: int, batches: Batches, vgg: FeatureExtractor) -> None:
        self.asked, self.batches, self.features = asked, batches, Features(vgg, asked.precision)
        scales = torch.stack([self._sizes(batches.pictures(step)) for step in range(1, MEASURED + 1)]).mean(0)
        self.network = Decoders(scales.tolist(), seed).to(vgg.device)
        # A short memory of how large gradients were: those of painted pictures are many times as large.
        self.optimiser = torch.optim.Adam(
            self.network.parameters(), lr=asked.learning_rate, betas=(0.9, 0.99), fused=True
        )
        self.record = TrainingRecord(LEVELS, asdict(asked) | {"seed": seed})
        self.network.records.append(self.record)
        self.at_rest = True

    @torch.no_grad()
    def _maps(self, pictures: Tensor) -> list[Tensor]:
        """Pictures, and their maps at each level, float32."""
        pictures = pictures.to(self.features.extractor.device)
        maps = self.features(pictures, LEVELS)
        return [pictures, *(maps[level].float() for level in LEVELS)]

    def _sizes(self, pictures: Tensor) -> Tensor:
        """The root of the mean square of the maps, of each level."""
        return torch.stack([maps.square().mean().sqrt() for maps in self._maps(pictures)[1:]]).cpu()

    def step(self, number: int, share: float) -> None:
        """One step of Adam; the record has the errors that it started from."""
        truth = self._maps(self.batches.pictures(number))
        size = (truth[0].shape[-2], truth[0].shape[-1])
        self.optimiser.zero_grad()
        handed = truth[-1]
        values: dict[str, float] = {
            "step": number,
            **dict.fromkeys((*reversed(LEVELS), "content", "style"), 0.0),
        }
        for level in range(len(LEVELS), 0, -1):
            sources = [truth[level]] if handed is truth[level] else [truth[level], handed]
            with autocast(self.asked.precision, handed.device):
                made = [self.network.undo(maps, level, size_at(size, level - 1)) for maps in sources]
            error = torch.stack([self._error(image.float(), truth[level - 1], level) for image in made]).sum()
            values[LEVELS[level - 1]] = error.item()
            error.backward()
            handed = made[-1].detach().float()
        if share >= self.asked.paint_from and self.asked.painted:
            values |= self._paint(truth, size)
        for block in self.network.blocks:
            nn.utils.clip_grad_norm_(block.parameters(), self.asked.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = self.asked.learning_rate * min(1.0, number / self.asked.warm_up) * (1 - share)
        values["total"] = sum(value for name, value in values.items() if name != "step")
        if not math.isfinite(values["total"]):
            raise OptimisationError(f"step {number}: the error is {values['total']}; lower the learning rate")
        self.at_rest = False
        self.optimiser.step()
        self.record.steps = number
        self.record.history.append(values)
        self.at_rest = True

    def _error(self, made: Tensor, truth: Tensor, level: int) -> Tensor:
        error = F.mse_loss(made, truth)
        return self.asked.pixels * error if level == 1 else error / truth.square().mean()

    def _paint(self, truth: list[Tensor], size: tuple[int, int]) -> dict[str, float]:
        """Adds the gradient of painted pictures, and returns their losses, weighted.

        Source: Huang and Belongie (2017), eq. 11 to 13: content is the distance to the maps that AdaIN asked
        for, not to the photograph's; style is compared by Gram matrices, where the source has moments.
        """
        count = min(self.asked.painted, len(truth[0]))
        maps = {level: found[:count] for level, found in zip(LEVELS, truth[1:], strict=True)}
        paintings = {level: found.roll(-1, 0)[:count] for level, found in zip(LEVELS, truth[1:], strict=True)}
        deepest = LEVELS[-1]
        with autocast(self.asked.precision, truth[0].device):
            change = {level: partial(_adain, style_maps=paintings[level]) for level in LEVELS}
            image = self.network(maps[deepest], deepest, size, change).float()
        # What is out of range is cut off in the file, so it is judged cut off.
        found = self.features(image.clamp(0, 1), RELU_1_TO_5)
        with torch.no_grad():
            asked_for = adain(maps[deepest], paintings[deepest])
            own = self.features(truth[0].roll(-1, 0)[:count], RELU_1_TO_5)
            grams = {layer: gram_matrix(maps) for layer, maps in own.items()}
        content = self.asked.content_weight * content_loss(found[deepest].float(), asked_for, "relative")
        style = self.asked.style_weight / len(grams) * style_loss(found, grams, reduction="relative")
        (content + style).backward()
        return {"content": content.item(), "style": style.item()}

    @torch.no_grad()
    def show(self) -> None:
        """Adds a picture of the progress: a photograph back from each level, from shallow to deep."""
        probe = next(iter(self.batches.photographs), None)
        probe = self.batches.pictures(1)[:1] if probe is None else probe
        maps = self._maps(resize(probe, min(SHOWN_SIZE, max(probe.shape[-2:]))).clamp(0, 1))
        size = (maps[0].shape[-2], maps[0].shape[-1])
        shown = [self.network(maps[n + 1], level, size).clamp(0, 1) for n, level in enumerate(LEVELS)]
        self.record.pictures.append((self.record.steps, torch.cat(shown, dim=3).cpu()))

    def checkpoint(self, told: dict) -> Checkpoint:
        """All that the next step depends on, and the record. told: what the training was told."""
        return Checkpoint.of(self.record, told, self.network.state_dict(), self.optimiser)

    def resume(self, found: Checkpoint) -> None:
        """Goes on from where a checkpoint was written."""
        self.network.load_state_dict(found.weights)
        found.restore(self.record, self.optimiser)


def _adain(maps: Tensor, style_maps: Tensor) -> Tensor:
    """AdaIN in float32, of maps that come out of a convolution in 16 bits."""
    return adain(maps.float(), style_maps)


def fit_decoders(
    photographs: str | Path | Sequence[ImageLike] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    extractor: FeatureExtractor | None = None,
    callback: Callable[[TrainingStep[Decoders]], None] | None = None,
    save_every: float = 300.0,
    device: str | torch.device = "auto",
    **settings,
) -> Decoders:
    """Decoders that undo VGG-19, trained from nothing.

    photographs: a folder or a list of pictures to learn on, beside dead leaves; the sample photographs by
    default, [] for none. steps, seconds: how long, one of the two; the same steps give the same decoders on
    the same machine. checkpoint, save_every, progress, callback: as for fit_fast_network. extractor: the
    VGG-19 to be undone, the bundled one with replicated borders by default. settings: see DecoderSettings.
    Returns the decoders; the last of their `records` has the errors and pictures of the progress.
    """
    for name in settings:
        if name not in (known := [setting.name for setting in fields(DecoderSettings)]):
            raise StylelabError(unknown("setting", name, known, "arbitrary.DecoderSettings"))
    asked, seed = DecoderSettings(**settings), whole_seed(seed)
    check_length(seconds, steps)
    if checkpoint is not None:
        checked_target(checkpoint)
    vgg = extractor or shared_extractor(padding=PADDING, device=str(pick_device(device)))
    pictures = training_photographs(photographs)
    learner = DecoderLearner(asked, seed, Batches(pictures, asked.size, asked.batch, asked.leaves, seed), vgg)
    told = learner.record.settings | {"levels": list(LEVELS), "photographs": len(pictures)}
    if checkpoint is not None and (found := read_checkpoint(checkpoint, told)):
        learner.resume(found)
    work = steps_of(learner, seconds, steps, told, checkpoint, save_every)

    def interrupted(network: Decoders) -> None:
        learner.record.interrupted = True

    return watched(work, "decoders", progress, callback, interrupted)
