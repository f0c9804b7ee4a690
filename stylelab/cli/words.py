"""What single words of the command line mean."""

import math
import os

from stylelab.errors import StylelabError


def weighted(text: str) -> tuple[str, float]:
    """The name and the weight in NAME=WEIGHT; the name of a file means the file, whatever it contains."""
    name, equals, weight = text.rpartition("=")
    if not equals or os.path.exists(os.path.expanduser(text)):
        return text, 1.0
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise StylelabError(
            f'"{text}" is no file, and "{weight}" no weight; write a number from 0 upwards, as in {name}=2'
        )
    return name, number
