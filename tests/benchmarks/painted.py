"""What the course's fast network paints beside the default recipe, on photographs that it never saw.

Each of the default's losses is kept, as JSON in a folder, as soon as it is measured: it is not made again.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from stylelab import FastNetwork, FeatureExtractor, load_image, relative_losses, sample_names, transfer
from stylelab.files import atomic_write
from stylelab.losses.distances import psnr
from tests.benchmarks.table import Row

STYLES = tuple(sample_names("style"))
PHOTOGRAPHS = tuple(sample_names("content"))  # which the training of the course's network leaves out
CONTENT = 2.0  # times the default's, at most
STYLE, MORE = 1.5, 0.05  # times the default's, and so much more, at most
STARRY_NIGHT = 0.10  # its style loss, at most
SHIFT, RIM = 3, 16  # pixels that a photograph is moved by, and that are left out at its borders


def of_the_default(
    names: tuple[str, str], size: int, extractor: FeatureExtractor, folder: Path | None
) -> dict[str, float]:
    """The relative losses of the default recipe's saved picture."""
    kept = folder / f"default_{'_'.join(names)}_{size}.json" if folder else None
    if kept and kept.exists():
        return json.loads(kept.read_text())
    content, style = (load_image(name, size) for name in names)
    image = transfer(content, style, "default", extractor, progress=False).image
    losses = relative_losses(image, content, style, extractor)
    if kept:
        with atomic_write(kept) as path:
            path.write_text(json.dumps(losses))
    return losses


def rows(
    styles: Sequence[str] = STYLES,
    photographs: Sequence[str] = PHOTOGRAPHS,
    size: int = 320,
    folder: Path | None = None,
    network: FastNetwork | None = None,
) -> Iterator[Row]:
    """For each style the mean losses over the photographs, the network's and the default's; then how alike a
    photograph and the same moved by a few pixels are painted."""
    network, extractor = network or FastNetwork.load(device="cpu"), FeatureExtractor(device="cpu")
    for style in styles:
        found: dict[str, list[dict[str, float]]] = {"network": [], "default": []}
        for name in photographs:
            content = load_image(name, size)
            painted = network.stylise(content, style)
            found["network"].append(relative_losses(painted, content, load_image(style, size), extractor))
            found["default"].append(of_the_default((name, style), size, extractor, folder))
        ours, default = (
            {term: sum(losses[term] for losses in of) / len(of) for term in ("content", "style")}
            for of in (found["network"], found["default"])
        )
        most = {
            "content": CONTENT * default["content"],
            "style": STARRY_NIGHT if style == "starry_night" else STYLE * default["style"] + MORE,
        }
        yield Row(
            f"painted, {style}, {size} px, mean of {len(photographs)}",
            f"{ours['content']:.2f}, {ours['style']:.3f}",
            f"{default['content']:.2f}, {default['style']:.3f} (default)",
            f"{ours['content'] / default['content']:.2f}, {ours['style'] / default['style']:.1f}",
            f"{most['content']:.2f}, {most['style']:.3f}",
            all(ours[term] <= most[term] for term in most),
        )
    yield stability(network, styles, photographs, size)


def stability(network: FastNetwork, styles: Sequence[str], photographs: Sequence[str], size: int) -> Row:
    """The row for a photograph moved by SHIFT pixels, a number that is no multiple of what is halved."""
    found = []
    for name in photographs:
        image = load_image(name, size)
        for style in styles:
            still = network.stylise(image[..., :-SHIFT, :-SHIFT], style)[..., SHIFT:, SHIFT:]
            moved = network.stylise(image[..., SHIFT:, SHIFT:], style)[..., :-SHIFT, :-SHIFT]
            inside = (..., slice(RIM, -RIM), slice(RIM, -RIM))
            found.append(psnr(still[inside], moved[inside]))
    what = f"painted, moved by {SHIFT} px, {size} px: PSNR, the worst of {len(found)}"
    return Row(what, f"{min(found):.1f} dB", f"{sum(found) / len(found):.1f} dB (mean)", "", "", None)
