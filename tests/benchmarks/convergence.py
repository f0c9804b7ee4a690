"""How near the default recipe comes to what it minimises, on pictures that it was tuned on and on others.

Each pair's result is kept, as JSON in a folder, as soon as it is measured: what lies there is not made again.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib.cbook
from sklearn.datasets import load_sample_image
from torch import Tensor

from stylelab import (
    RECIPES,
    FeatureExtractor,
    Recipe,
    load_image,
    relative_losses,
    save_image,
    transfer,
    tv_loss,
)
from stylelab.files import atomic_write
from stylelab.pictures.resampling import quantise
from tests.benchmarks.pictures import published_loop
from tests.benchmarks.table import Row

TUNED = (  # pairs of pictures that decided the recipe's numbers
    ("astronaut", "starry_night"),
    ("cat", "stained_glass"),
    ("coffee", "marbled_paper"),
    ("rocket", "pen_hatching"),
    ("cat", "tissue"),
)
KEPT_ASIDE = (  # pairs of photographs that no recipe was tuned on
    ("china", "starry_night"),
    ("grace_hopper", "marbled_paper"),
    ("flower", "stained_glass"),
    ("china", "pen_hatching"),
    ("grace_hopper", "hubble"),
)
PAIRS = TUNED + KEPT_ASIDE
NEAR = 1.08  # times what four times the evaluations reach
LOOP, LOOP_WEIGHTS = 160, (4, 8, 16)  # evaluations of the usual loop; weights around the default's own


def photograph(name: str, size: int) -> Tensor:
    """A sample; or one of the three that come with Matplotlib and scikit-learn."""
    if name == "grace_hopper":
        return load_image(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False), size)
    if name in ("china", "flower"):
        return load_image(load_sample_image(f"{name}.jpg"), size)
    return load_image(name, size)


def contenders(evaluations: int = LOOP, weights=LOOP_WEIGHTS) -> dict[str, Recipe | int]:
    """What is compared, by name: recipes, and the usual loop at some style weights."""
    default = RECIPES["default"]
    longer = default.replace(steps=tuple(4 * steps for steps in default.steps))
    loops = {f"loop at {weight}": weight for weight in weights}
    return {"default": default, "four times": longer, "quick": RECIPES["quick"], **loops}


def measured(names: tuple[str, str], size: int, extractor, folder: Path | None, **options) -> dict[str, dict]:
    """For each contender its saved file's losses and total variation, its evaluations and seconds."""
    kept = folder / f"converged_{'_'.join(names)}_{size}.json" if folder else None
    found = json.loads(kept.read_text()) if kept and kept.exists() else {}
    content, style = photograph(names[0], size), load_image(names[1], size)
    evaluations = options.get("evaluations", LOOP)
    for name, contender in contenders(**options).items():
        if name in found:
            continue
        if isinstance(contender, Recipe):
            made = transfer(content, style, contender, extractor, progress=False)
            image, seconds, count = made.image, made.seconds, len(made.history)
        else:
            image, seconds = published_loop(content, style, contender, extractor, evaluations)
            count = evaluations
        losses = relative_losses(image, content, style, extractor) | {"tv": tv_loss(quantise(image)).item()}
        found[name] = losses | {"evaluations": count, "seconds": round(seconds, 1)}
        if kept:
            save_image(image, kept.with_name(f"{kept.stem}_{name.replace(' ', '_')}.png"))
            with atomic_write(kept) as path:
                path.write_text(json.dumps(found, indent=1))
    return found


def rows(pairs=PAIRS, size: int = 192, folder: Path | None = None, **options) -> Iterator[Row]:
    """For each pair: the default beside four times its evaluations, beside `quick`, beside the loop."""
    extractor = FeatureExtractor(device="cpu")
    default = RECIPES["default"]
    weights = {"content": default.content_weight, "style": default.style_weight, "tv": default.tv_weight}
    for names in pairs:
        found = measured(names, size, extractor, folder, **options)
        total = {name: sum(w * losses[term] for term, w in weights.items()) for name, losses in found.items()}
        aside = ", kept aside" if names in KEPT_ASIDE else ""
        ratio = total["default"] / total["four times"]
        yield Row(
            f"converged, {' + '.join(names)}, {size} px{aside}",
            f"{total['default']:.3f} ({_told(found['default'])})",
            f"{total['four times']:.3f} ({_told(found['four times'])})",
            f"{ratio:.3f}",
            f"{NEAR}",
            ratio <= NEAR,
        )
        yield Row("  `quick`", f"{total['quick']:.3f} ({_told(found['quick'])})", "", "", "", None)
        for name in (name for name in found if name.startswith("loop")):
            beaten = all(found[name][term] < found["default"][term] for term in ("content", "style"))
            yield Row(
                f"  the usual {name}", "as above", _told(found[name]), "", "not lower in both", not beaten
            )


def _told(of: dict) -> str:
    return f"{of['content']:.3f}, {of['style']:.4f}; {of['evaluations']} evaluations, {of['seconds']:.0f} s"
