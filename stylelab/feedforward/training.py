"""How a fast network learns its styles: now its weights are changed, no longer the pixels of a picture."""

import hashlib
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stylelab.device import pick_device
from stylelab.errors import StylelabError
from stylelab.feedforward.batches import Batches, training_photographs
from stylelab.feedforward.checkpoints import read_checkpoint
from stylelab.feedforward.goals import Goals
from stylelab.feedforward.learning import Learner
from stylelab.feedforward.network import FastNetwork
from stylelab.feedforward.settings import FastSettings
from stylelab.files import checked_target
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.networks.features import Features
from stylelab.pictures.loading import ImageLike, as_image
from stylelab.pictures.resampling import resize
from stylelab.progress import BY_WORK, progress_bar
from stylelab.seeds import whole_seed

SHOWN_AT = (0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # shares of the way: most happens early
SHOWN_SIZE = 128  # pixels of the longest side of what is shown


@dataclass(frozen=True)
class TrainingStep:
    """One step of a training: its number, from 1; how far it is, 0 to 1; losses by name; seconds so far.

    network: as it is after this step, the very one that is trained.
    """

    index: int
    share: float
    losses: dict[str, float]
    seconds: float
    network: FastNetwork


def fit_fast_network(
    styles,
    photographs: str | Path | Sequence[ImageLike] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    network: FastNetwork | None = None,
    extractor: FeatureExtractor | None = None,
    callback: Callable[[TrainingStep], None] | None = None,
    save_every: float = 300.0,
    device: str | torch.device = "auto",
    **settings,
) -> FastNetwork:
    """A network that paints in the given styles, trained from nothing; or a trained one with styles added.

    styles: {name: painting}, or names of samples; paintings as load_image reads them.
    photographs: a folder or a list of pictures to learn on, beside dead leaves; the sample photographs by
    default, [] for none. steps, seconds: how long, one of the two; the same steps give the same network on
    the same machine. seed: of all that is drawn. progress: draw a bar. checkpoint: a file that is written
    every `save_every` seconds and at the end, and from which a training that was stopped goes on, to the bit;
    it may then be given more steps or seconds, and the learning rate falls towards the new end.
    network: one to add styles to: only their vectors are trained, its other styles keep every bit; it is not
    changed, a copy is returned. extractor: whose feature maps are compared, the bundled VGG-19 by default.
    callback: called with each TrainingStep. settings: see FastSettings.
    Returns the network; its `record` has the losses and pictures of the progress. Ctrl-C, or Stop in Jupyter,
    ends the training early with the network so far. Raises OptimisationError where a loss is no longer a
    number, StylelabError for arguments that make no sense, WeightsError for a checkpoint of something else.
    """
    made: FastNetwork | None = None
    work = fast_training(
        styles,
        photographs,
        seconds,
        steps,
        seed,
        checkpoint,
        network,
        extractor,
        save_every,
        device,
        **settings,
    )
    with progress_bar(1.0, "fast network", "", progress, delay=0, layout=BY_WORK) as bar:
        try:
            for step in work:
                made = step.network
                bar.update(step.share - bar.n)
                if progress:
                    bar.set_postfix_str(f"step {step.index}, loss {step.losses['total']:.4g}")
                if callback:
                    callback(step)
        except KeyboardInterrupt:
            if made is None or made.record is None:
                raise
            made.record.interrupted = True
        finally:
            work.close()  # which writes the checkpoint
    assert made is not None, "a training has at least one step"
    return made


def fast_training(
    styles,
    photographs: str | Path | Sequence[ImageLike] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    network: FastNetwork | None = None,
    extractor: FeatureExtractor | None = None,
    save_every: float = 300.0,
    device: str | torch.device = "auto",
    **settings,
) -> Generator[TrainingStep, None, None]:
    """What fit_fast_network does, as a generator that can be watched, paused and stopped; takes the same.

    Pictures and weights are loaded, and complained about, before the first step. When the generator ends or
    is closed, the checkpoint is written. Of a training that is complete, the last step comes again.
    """
    asked, seed = FastSettings.of(settings), whole_seed(seed)
    _check_length(seconds, steps)
    if checkpoint is not None:
        checked_target(checkpoint)
    vgg = extractor or shared_extractor(device=str(pick_device(device)))
    paintings = {name: painting.to(vgg.device) for name, painting in named_paintings(styles).items()}
    weights = asked.style_weight
    if isinstance(weights, Mapping) and (odd := [name for name in weights if name not in paintings]):
        raise StylelabError(f"style_weight names {', '.join(odd)}, but styles has {', '.join(paintings)}")
    pictures = training_photographs(photographs)
    learner = Learner(paintings, asked, seed, network, vgg.device)
    # What must be the same again where a checkpoint goes on.
    given = [*paintings.values(), *pictures, *(network.state_dict().values() if network else ())]
    told = learner.record.settings | {"styles": list(paintings), "pictures": _digest(given)}
    if checkpoint is not None and (found := read_checkpoint(checkpoint, told)):
        learner.resume(found)
    goals = Goals(paintings, asked, Features(vgg, asked.precision))
    batches = Batches(pictures, asked.size, asked.batch, asked.leaves, seed)
    return _steps(learner, goals, batches, seconds, steps, told, checkpoint, save_every)


def _steps(
    learner: Learner,
    goals: Goals,
    batches: Batches,
    seconds: float | None,
    steps: int | None,
    told: dict,
    checkpoint: str | Path | None,
    save_every: float,
) -> Generator[TrainingStep, None, None]:
    record, device = learner.record, learner.table.device
    started = time.perf_counter() - record.seconds
    saved, written = time.perf_counter(), record.steps
    probe = batches.photographs[0] if batches.photographs else batches.pictures(1)[:1]
    probe = resize(probe, min(SHOWN_SIZE, max(probe.shape[-2:]))).clamp(0, 1)

    def share() -> float:
        return min(1.0, record.steps / steps if steps else record.seconds / (seconds or 1))

    def done() -> TrainingStep:
        losses = {name: value for name, value in record.history[-1].items() if name != "step"}
        return TrainingStep(record.steps, share(), losses, record.seconds, learner.network)

    try:
        if not record.pictures:
            learner.show(probe)
        if record.steps and share() >= 1:
            yield done()
        while share() < 1:
            number = record.steps + 1
            chosen = batches.styles(number, len(learner.names))
            pictures = batches.pictures(number).to(device)
            learner.step(goals.objective(pictures, chosen), pictures, chosen, share())
            record.seconds = time.perf_counter() - started
            if len(record.pictures) < len(SHOWN_AT) and share() >= SHOWN_AT[len(record.pictures)]:
                learner.show(probe)
            yield done()
            if checkpoint is not None and time.perf_counter() - saved > save_every:
                learner.checkpoint(told).write(checkpoint)
                saved, written = time.perf_counter(), record.steps
    finally:
        learner.network.requires_grad_(True)
        # Stopped in the middle of a step, its weights are neither before nor after it.
        if checkpoint is not None and record.steps > written and learner.at_rest:
            learner.checkpoint(told).write(checkpoint)


def named_paintings(styles) -> dict[str, Tensor]:
    """{name: painting (1, 3, H, W)} of the same, of names of samples, or of files, called after them."""
    if isinstance(styles, Mapping):
        pairs = list(styles.items())
    else:
        listed = [styles] if isinstance(styles, str | Path) else list(styles)
        if not all(isinstance(style, str | Path) for style in listed):
            raise StylelabError("styles: give {name: painting}, so that each can be asked for by name")
        pairs = [(Path(style).stem, style) for style in listed]
    if not pairs:
        raise StylelabError("no style: give {name: painting}, or names of samples")
    if len({name for name, _ in pairs}) < len(pairs):
        raise StylelabError(f"styles {', '.join(name for name, _ in pairs)}: give each another name")
    return {name: as_image(painting) for name, painting in pairs}


def _check_length(seconds: float | None, steps: int | None) -> None:
    if (seconds is None) == (steps is None):
        raise StylelabError("say how long to train, by steps= or by seconds=, one of the two")
    if steps is not None and not (isinstance(steps, int) and steps >= 1):
        raise StylelabError(f"steps {steps}: a whole number from 1 on")
    if seconds is not None and not 0 < seconds < math.inf:
        raise StylelabError(f"seconds {seconds}: a number above 0")


def _digest(tensors: Sequence[Tensor]) -> str:
    """A short text that other pictures would not have."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
