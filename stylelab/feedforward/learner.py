"""A fast network while it learns: a step of Adam, what is shown of it, what a checkpoint keeps."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stylelab.device import autocast
from stylelab.errors import OptimisationError, StylelabError
from stylelab.feedforward.goals import Goals
from stylelab.feedforward.network import FastNetwork
from stylelab.feedforward.settings import FastSettings
from stylelab.learning.batches import Batches
from stylelab.learning.checkpoints import Checkpoint
from stylelab.learning.records import TrainingRecord, jpeg
from stylelab.pictures.resampling import resize

SHOWN_SIZE = 128  # pixels of the longest side of what is shown
SHOWN_STYLES = 4  # of the styles side by side in a picture of the progress
THUMBNAIL = 64  # pixels of a painting's


class Learner:
    """The network in training, with its optimiser and its record.

    paintings: (1, 3, H, W) by name. asked: the settings. seed: of a new network. goals: what it is asked for.
    batches: what it learns from. trained: one to add these styles to, of which a copy is made, or None for a
    new one.
    `network` is up to date after every step. `at_rest`: not in the middle of one.
    """

    def __init__(
        self,
        paintings: Mapping[str, Tensor],
        asked: FastSettings,
        seed: int,
        goals: Goals,
        batches: Batches,
        trained: FastNetwork | None,
    ) -> None:
        self.asked, self.names, self.added = asked, list(paintings), trained is not None
        self.goals, self.batches, device = goals, batches, goals.network.extractor.device
        if trained is None:
            self.network = FastNetwork(self.names, asked.widths, asked.blocks, seed).to(device)
            self.table = self.network.vectors
            self.parameters = list(self.network.parameters())
        else:
            if known := [name for name in self.names if name in trained.styles]:
                raise StylelabError(f"the network knows {', '.join(known)} already; take another name")
            # What its styles have in common is a better start than none.
            start = trained.vectors.detach().mean(dim=0, keepdim=True).repeat(len(self.names), 1)
            self.network = trained.extended(self.names, start).to(device).requires_grad_(False)
            self.table = nn.Parameter(start.to(device))
            self.parameters = [self.table]
        self.rate = asked.added_rate if self.added else asked.learning_rate
        fused = device.type in ("cpu", "cuda")
        self.optimiser = torch.optim.Adam(self.parameters, lr=self.rate, fused=fused)
        self.record = TrainingRecord(tuple(self.names), asked.to_dict() | {"seed": seed, "added": self.added})
        self.network.records.append(self.record)
        self.network.thumbnails |= {
            name: jpeg(resize(painting, THUMBNAIL).clamp(0, 1).cpu()) for name, painting in paintings.items()
        }
        self.at_rest = True

    def step(self, number: int, share: float) -> None:
        """See learning.running: the losses in the record are those that the step started from."""
        pictures = self.batches.pictures(number).to(self.table.device)
        chosen = self.batches.styles(number, len(self.names))
        objective = self.goals.objective(pictures, chosen)
        with autocast(self.asked.precision, pictures.device):
            painted = self.network(pictures, self.table[chosen])
        losses = objective(painted)
        values = dict(zip(objective.names, losses.tolist(), strict=True))
        for name, value in values.items():
            if not math.isfinite(value):
                raise OptimisationError(f"step {number}: the {name} loss is {value}; lower the learning rate")
        self.optimiser.zero_grad()
        losses[-1].backward()
        nn.utils.clip_grad_norm_(self.parameters, self.asked.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * (1 - share)
        self.at_rest = False
        self.optimiser.step()
        self._settle()
        self.record.steps = number
        self.record.history.append({"step": number, **values})
        self.at_rest = True

    def _settle(self) -> None:
        """Puts vectors that are trained apart into the network."""
        if self.added:
            self.network.vectors[-len(self.names) :] = self.table.detach()

    def show(self) -> None:
        """Adds a picture of the progress to the record: the first photograph in the first few styles."""
        probe = next(iter(self.batches.photographs), None)
        probe = self.batches.pictures(1)[:1] if probe is None else probe
        probe = resize(probe, min(SHOWN_SIZE, max(probe.shape[-2:]))).clamp(0, 1)
        shown = [self.network.stylise(probe, name) for name in self.names[:SHOWN_STYLES]]
        self.record.pictures.append((self.record.steps, torch.cat(shown, dim=3).cpu()))

    def checkpoint(self, told: dict) -> Checkpoint:
        """All that the next step depends on, and the record. told: what the training was told."""
        weights = {"table": self.table.detach()} if self.added else self.network.state_dict()
        return Checkpoint.of(self.record, told, weights, self.optimiser)

    def resume(self, found: Checkpoint) -> None:
        """Goes on from where a checkpoint was written."""
        if self.added:
            with torch.no_grad():
                self.table.copy_(found.weights["table"])
            self._settle()
        else:
            self.network.load_state_dict(found.weights)
        found.restore(self.record, self.optimiser)
