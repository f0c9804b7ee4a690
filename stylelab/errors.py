"""The errors a reader can act on: each says what was got, what was expected and what to do."""

from difflib import get_close_matches


class StylelabError(ValueError):
    """Any complaint of stylelab; catch this to catch them all."""


class ImageError(StylelabError):
    """A picture that cannot be read, used or written."""


class LayerError(StylelabError):
    """A layer that does not exist, or an image too small to reach it."""


class WeightsError(StylelabError):
    """Weights that are missing, damaged or made for another network."""


class RecipeError(StylelabError):
    """Settings that do not make sense, alone or together."""


class TooLargeError(StylelabError, MemoryError):
    """A picture that would take more memory than there is."""


class OptimisationError(StylelabError):
    """An optimisation that left the numbers a computer can hold."""


def unknown(kind: str, name: object, known, listed_by: str) -> str:
    """The message for a name that is not in `known`: near matches first, then where all of them are.

    kind: what was asked for ("layer"). known: the valid names. listed_by: what lists them ("vgg.layers").
    """
    known = [str(k) for k in known]
    near = get_close_matches(str(name), known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"for example {', '.join(known[:3])}."
    return f'unknown {kind} "{name}"; {hint} ({listed_by} lists all {len(known)})'
