"""Dead leaves: pictures by code, with the statistics that make them useful."""

import numpy as np
import pytest
import torch

from stylelab.errors import StylelabError
from stylelab.pictures.leaves import EVENLY, SMALLEST, dead_leaves, leaf_radii


def test_a_seed_gives_one_picture_and_another_seed_another():
    first = dead_leaves(64, seed=3)
    before = torch.get_rng_state()
    assert torch.equal(dead_leaves(64, seed=3), first)
    assert torch.equal(torch.get_rng_state(), before), "the global state is nobody's business"
    assert (dead_leaves(64, seed=4) - first).abs().mean() > 0.02
    assert torch.equal(dead_leaves(64, np.random.default_rng(3)), first)


@pytest.mark.parametrize("shape", [8, 65, (24, 90)])
def test_pictures_are_images(shape):
    made = [dead_leaves(shape, seed) for seed in range(6)]
    height, width = (shape, shape) if isinstance(shape, int) else shape
    for picture in made:
        assert picture.shape == (1, 3, height, width) and picture.dtype == torch.float32
        assert picture.min() >= 0 and picture.max() <= 1
    assert torch.stack(made).std() > 0.05, "something is on them"


def test_radii_are_heavy_tailed():
    radii = leaf_radii(200_000, 96.0, np.random.default_rng(0))
    assert radii.min() >= SMALLEST and radii.max() <= 96
    # Of a density r⁻³ the share above r is (r⁻² − R⁻²) / (2⁻² − R⁻²); a third of the radii are uniform.
    for r in (4.0, 10.0, 30.0):
        power = (r**-2 - 96.0**-2) / (SMALLEST**-2 - 96.0**-2)
        expected = (1 - EVENLY) * power + EVENLY * (96 - r) / (96 - SMALLEST)
        assert (radii > r).mean() == pytest.approx(expected, abs=0.005)


def test_leaves_have_edges_and_flat_parts():
    """Most neighbours are alike and some differ a lot: a kurtosis far above a normal distribution's 3."""
    steps = torch.cat([dead_leaves(96, seed).diff(dim=-1).flatten() for seed in range(8)])
    assert (steps**4).mean() / (steps**2).mean() ** 2 > 10


@pytest.mark.parametrize("wrong", [{"shape": 4}, {"shape": (100, 7)}, {"seed": -1}, {"seed": 0.5}])
def test_what_makes_no_picture_is_refused(wrong):
    with pytest.raises(StylelabError):
        dead_leaves(**{"shape": 16, **wrong})
