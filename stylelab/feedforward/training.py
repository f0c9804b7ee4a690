"""How a fast network learns its styles: now its weights are changed, no longer the pixels of a picture."""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from stylelab.device import pick_device
from stylelab.errors import StylelabError
from stylelab.feedforward.goals import Goals
from stylelab.feedforward.learner import Learner
from stylelab.feedforward.network import FastNetwork
from stylelab.feedforward.settings import FastSettings
from stylelab.files import checked_target
from stylelab.learning.batches import Batches, training_photographs
from stylelab.learning.checkpoints import read_checkpoint
from stylelab.learning.running import TrainingStep, check_length, steps_of, watched
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.networks.features import Features
from stylelab.pictures.loading import ImageLike, as_image
from stylelab.seeds import whole_seed


def fit_fast_network(
    styles,
    photographs: str | Path | Sequence[ImageLike] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    network: FastNetwork | str | Path | None = None,
    extractor: FeatureExtractor | None = None,
    callback: Callable[[TrainingStep[FastNetwork]], None] | None = None,
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
    network: one to add styles to, or its file: only their vectors are trained, its other styles keep every
    bit; it is not changed, a copy is returned. extractor: whose feature maps are compared, the bundled VGG-19
    by default.
    callback: called with each TrainingStep. settings: see FastSettings.
    Returns the network; its `record` has the losses and pictures of the progress. Ctrl-C, or Stop in Jupyter,
    ends the training early with the network so far. Raises OptimisationError where a loss is no longer a
    number, StylelabError for arguments that make no sense, WeightsError for a checkpoint of something else.
    """
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
    return watched(work, "fast network", progress, callback, _interrupted)


def _interrupted(network: FastNetwork) -> None:
    if network.record:
        network.record.interrupted = True


def fast_training(
    styles,
    photographs: str | Path | Sequence[ImageLike] | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    network: FastNetwork | str | Path | None = None,
    extractor: FeatureExtractor | None = None,
    save_every: float = 300.0,
    device: str | torch.device = "auto",
    **settings,
) -> Generator[TrainingStep[FastNetwork], None, None]:
    """What fit_fast_network does, as a generator that can be watched, paused and stopped; takes the same.

    Pictures and weights are loaded, and complained about, before the first step. When the generator ends or
    is closed, the checkpoint is written. Of a training that is complete, the last step comes again.
    """
    asked, seed = FastSettings.of(settings), whole_seed(seed)
    check_length(seconds, steps)
    if checkpoint is not None:
        checked_target(checkpoint)
    vgg = extractor or shared_extractor(device=str(pick_device(device)))
    paintings = {name: painting.to(vgg.device) for name, painting in named_paintings(styles).items()}
    trained = FastNetwork.load(network) if isinstance(network, str | Path) else network
    weights = asked.style_weight
    if isinstance(weights, Mapping) and (odd := [name for name in weights if name not in paintings]):
        raise StylelabError(f"style_weight names {', '.join(odd)}, but styles has {', '.join(paintings)}")
    pictures = training_photographs(photographs)
    goals = Goals(paintings, asked, Features(vgg, asked.precision))
    batches = Batches(pictures, asked.size, asked.batch, asked.leaves, seed)
    learner = Learner(paintings, asked, seed, goals, batches, trained)
    # What must be the same again where a checkpoint goes on.
    given = [*paintings.values(), *pictures, *(trained.state_dict().values() if trained else ())]
    told = learner.record.settings | {"styles": list(paintings), "pictures": _digest(given)}
    if checkpoint is not None and (found := read_checkpoint(checkpoint, told)):
        learner.resume(found)
    return _thawed(learner, steps_of(learner, seconds, steps, told, checkpoint, save_every))


def _thawed(learner: Learner, work: Generator[TrainingStep, None, None]) -> Generator:
    """The steps; afterwards all weights of the network may be trained again, as those of any other."""
    try:
        yield from work
    finally:
        learner.network.requires_grad_(True)


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


def _digest(tensors: Sequence[Tensor]) -> str:
    """A short text that other pictures would not have."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
