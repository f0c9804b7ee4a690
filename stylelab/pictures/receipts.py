"""The settings that are kept in a picture made here, so that it can be made again."""

from collections.abc import Sequence

from stylelab import __version__
from stylelab.optimisation.recipes import Recipe


def receipt(content: str, styles: Sequence[tuple[str, float]], recipe: Recipe, seed: int = 0) -> dict:
    """What save_image takes as a picture's settings, and `python -m stylelab --recipe` reads again.

    content, styles: names of the photograph and of each painting, with its weight; not their folders, which
    tell more than a picture should.
    """
    return {
        "stylelab": __version__,
        "content": content,
        "style": [[name, weight] for name, weight in styles],
        "seed": seed,
        "recipe": recipe.to_dict(),
    }
