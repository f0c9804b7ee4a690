"""What decides the training of a fast network, beside its styles and photographs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from stylelab.errors import StylelabError, unknown

STYLE_WEIGHT = 5.5
LEAST_SIZE = 32  # pixels of a training picture: VGG-19's deepest layer needs some room


@dataclass(frozen=True, kw_only=True)
class FastSettings:
    """The settings of a training, each with its default.

    widths, blocks: of the network, see FastNetwork; not looked at where a trained one learns more styles.
    size: side of the training pictures in pixels, a multiple of 4. batch: of a step; each of its pictures is
    painted in another style. leaves: the share of dead leaves among them, the rest are photographs.
    style_size: longest side of the paintings in pixels, which decides how large strokes are; none is
    enlarged.
    content_weight, style_weight, tv_weight: of the terms; the losses of content (relu4_2) and style (Gram
    matrices, mean over relu1_1 … relu5_1) are relative. style_weight may be {name: weight}, for some styles.
    learning_rate: Adam's at the start, falling in a line to 0 at the end. For one that a style is added with,
    which trains some hundred numbers only, `added_rate`. clip: the most that the gradient's norm may be.
    precision: "float32", "bfloat16", or "auto": bfloat16 where the processor has it built in.
    Raises StylelabError for a value that makes no sense.
    """

    widths: tuple[int, int, int] = (20, 40, 80)
    blocks: int = 5
    size: int = 176
    batch: int = 4
    leaves: float = 0.5
    style_size: int = 320
    content_weight: float = 1.0
    style_weight: float | Mapping[str, float] = STYLE_WEIGHT
    tv_weight: float = 0.1
    learning_rate: float = 3e-3
    added_rate: float = 3e-2
    clip: float = 1.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        weights = self.style_weight
        each = list(weights.values()) if isinstance(weights, Mapping) else [weights]
        numbers = [self.content_weight, self.tv_weight, self.leaves, *each]
        above = [self.learning_rate, self.added_rate, self.clip]
        for sound, complaint in (
            (
                isinstance(self.size, int) and self.size >= LEAST_SIZE and self.size % 4 == 0,
                f"size={self.size}: a multiple of 4 from {LEAST_SIZE} on",
            ),
            (
                isinstance(self.batch, int) and self.batch >= 1,
                f"batch={self.batch}: a whole number from 1 on",
            ),
            (
                isinstance(self.style_size, int) and self.style_size >= LEAST_SIZE,
                f"style_size={self.style_size}: pixels, {LEAST_SIZE} or more",
            ),
            (all(0 <= n < math.inf for n in numbers), "weights and shares are numbers from 0 upwards"),
            (all(0 < n < math.inf for n in above), "learning rates and clip are numbers above 0"),
            (self.leaves <= 1, f"leaves={self.leaves}: a share, 0 to 1"),
            (
                self.precision in ("auto", "float32", "bfloat16"),
                f'precision="{self.precision}": use "auto", "float32" or "bfloat16"',
            ),
        ):
            if not sound:
                raise StylelabError(complaint)
        object.__setattr__(self, "widths", tuple(self.widths))

    @classmethod
    def of(cls, settings: Mapping) -> "FastSettings":
        """From keywords; StylelabError with near matches for a setting that there is not."""
        known = [setting.name for setting in fields(cls)]
        for name in settings:
            if name not in known:
                raise StylelabError(unknown("setting", name, known, "feedforward.FastSettings"))
        return cls(**settings)

    def weight_of(self, style: str) -> float:
        """The style weight of one style."""
        if isinstance(self.style_weight, Mapping):
            return float(self.style_weight.get(style, STYLE_WEIGHT))
        return float(self.style_weight)

    def to_dict(self) -> dict:
        """As plain lists and numbers, ready for JSON."""
        told = asdict(self)
        weights = self.style_weight
        return told | {
            "widths": list(self.widths),
            "style_weight": dict(weights) if isinstance(weights, Mapping) else weights,
        }
