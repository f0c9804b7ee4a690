"""The lab of notebook 03: how much total variation takes away noise, and what else it takes."""

from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen
from stylelab.labs.kit.drawing import curves
from stylelab.losses.denoising import denoise
from stylelab.losses.distances import psnr
from stylelab.losses.smoothness import tv_loss

WEIGHTS = [0.0, *(round(10 ** (n / 4), 5) for n in range(-12, 1))]
POWERS = {"absolute |Δ|": 1, "squared Δ²": 2}


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. kind: of POWERS. line: from the top."""

    photograph: Chosen
    noise: float
    weight: float
    kind: str
    line: int


def total_variation(size: int = 192) -> "TotalVariationLab":
    """The lab of total variation; see TotalVariationLab. size: longest side in pixels of its picture."""
    return TotalVariationLab(size)


class TotalVariationLab(Lab):
    """A noisy photograph, denoised at once; `result` is the denoised picture, (1, 3, H, W) in [0, 1]."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.photograph = Chooser(self, "photograph", "coffee")
        self.noise = widgets.FloatSlider(value=0.1, min=0, max=0.4, step=0.02, description="noise (sd)")
        self.weight = widgets.SelectionSlider(
            options=[(f"{w:.3g}", w) for w in WEIGHTS], value=WEIGHTS[9], description="weight"
        )
        self.kind = widgets.Dropdown(options=list(POWERS), description="differences")
        self.line = widgets.IntSlider(value=size // 3, min=0, max=size - 1, description="row of pixels")
        self.before, self.after = Picture(400, 200, "32vh"), Picture(400, 200, "32vh")
        self.profile = Picture(800, 400, "27vh")
        for control in (self.photograph, self.noise, self.weight, self.kind, self.line):
            self.on(control, lambda: self.later(self._draw))
        self.build(
            (self.photograph, controls(self.noise, self.weight, self.line, self.kind)),
            (row(self.before, self.after), row(self.profile)),
            fold("Your own photograph", self.photograph.own),
        )
        self.later(self._draw)

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(
            self.photograph.value, self.noise.value, self.weight.value, self.kind.value, self.line.value
        )

    def _draw(self, asked: Settings) -> None:
        clean, name, power = asked.photograph.image(self.size), asked.photograph.name, POWERS[asked.kind]
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)) * asked.noise
        noisy = (clean + noise).clamp(0, 1)
        denoised = denoise(noisy[0].numpy(), asked.weight, power)
        self.result = torch.from_numpy(denoised)[None].clamp(0, 1)
        self.line.max = clean.shape[-2] - 1
        line = min(asked.line, clean.shape[-2] - 1)
        self.before.show(
            _marked(noisy, line),
            f"{name} with noise of {asked.noise:.2f}: {_quality(noisy, clean, power)}.",
        )
        self.after.show(
            _marked(self.result, line),
            f"Denoised, weight {asked.weight:.3g}, {asked.kind}: {_quality(self.result, clean, power)}.",
        )
        pixels = {
            label: image[0, :, line].mean(0).tolist()
            for label, image in (("noisy", noisy), ("original", clean), ("denoised", self.result))
        }
        self.profile.show(
            curves(pixels, "column", "brightness", width=760),
            f"Row {line} of {name} (marked above), mean of its three channels: before, after, and as it was.",
        )


def _quality(image: Tensor, clean: Tensor, power: int) -> str:
    return f"PSNR {psnr(image, clean):.1f} dB, total variation {tv_loss(image, power).item():.4f}"


def _marked(image: Tensor, line: int) -> Tensor:
    """A copy with the ends of a row of pixels marked in black and white."""
    image, reach = image.clone(), max(2, image.shape[-1] // 24)
    for ends in (slice(0, reach), slice(-reach, None)):
        image[..., line, ends] = 1.0
        image[..., max(0, line - 1), ends] = 0.0
    return image
