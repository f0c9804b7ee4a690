"""Nearest neighbours against brute force, coherence against its bound, trust against least squares."""

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from stylelab.patches import neighbours
from stylelab.patches.neighbours import Index, measure_trust, prefer_coherent


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def brute_force(queries, entries, number):
    """Distances one query at a time, by subtraction, in double precision."""
    rows = [torch.linalg.vector_norm(entries.double() - query.double(), dim=1) for query in queries]
    return torch.stack([row.sort().values[:number] for row in rows]).float()


@pytest.mark.parametrize("variance", [None, 0.9])
def test_neighbours_are_those_of_brute_force(variance):
    index = Index([[noise(300, 6)], [noise(200, 6, seed=1)]], variance, balance=False)
    queries = index.project([noise(40, 6, seed=2)])
    found, distances = index.search(queries, 5)
    assert torch.allclose(distances, brute_force(queries, index.keys, 5), rtol=1e-6, atol=0)
    assert torch.equal(index.distances(queries, found), distances)


@pytest.mark.parametrize("entries", [1, 31, 33, 4096, 4097, 9000])
@pytest.mark.parametrize("number", [1, 8])
def test_neighbours_are_those_of_scikit_learn_at_every_size_of_table(entries, number):
    index = Index([[noise(entries, 5)]], None, balance=False)
    queries, number = noise(300, 5, seed=4), min(number, entries)
    found, distances = index.search(queries, number)
    theirs = NearestNeighbors(algorithm="brute").fit(index.keys.double()).kneighbors(queries.double(), number)
    assert torch.allclose(distances.double(), torch.from_numpy(theirs[0]), rtol=1e-5)
    assert torch.equal(found, torch.from_numpy(theirs[1]))


def test_an_entry_finds_itself_at_distance_zero_exactly():
    keys = 100 + noise(500, 8)  # far from the origin, where an expanded square would lose all digits
    index = Index([[keys]], None, balance=False)
    found, distances = index.search(keys, 1)
    assert torch.equal(found[:, 0], torch.arange(500))
    assert torch.equal(distances, torch.zeros(500, 1))


def test_without_a_pca_and_without_balance_keys_are_what_they_were():
    blocks = [noise(50, 3), noise(50, 2, seed=1)]
    index = Index([blocks], None, balance=False)
    assert torch.equal(index.keys, torch.cat(blocks, dim=1))


def test_balance_gives_every_block_the_same_total_variance():
    blocks = [noise(4000, 3) * 50, noise(4000, 9, seed=1) * 0.01, torch.ones(4000, 2)]
    index = Index([blocks], None)
    totals = [part.var(dim=0).sum().item() for part in index.keys.split([3, 9, 2], dim=1)]
    assert totals == pytest.approx([1, 1, 0], abs=1e-3)


def test_the_pca_keeps_the_share_of_variance_asked_for_and_no_axis_more():
    keys = noise(4000, 4) * torch.tensor([1.0, 3.0, 0.1, 2.0])  # variances 1, 9, 0.01, 4
    for variance, kept in ((0.6, 1), (0.9, 2), (0.99, 3), (1.0, 4)):
        assert Index([[keys]], variance, balance=False).keys.shape == (4000, kept)
    near = Index([[keys]], 0.999, balance=False)
    pairs = torch.linalg.vector_norm(near.keys[:100] - near.keys[100:200], dim=1)
    assert torch.allclose(pairs, torch.linalg.vector_norm(keys[:100] - keys[100:200], dim=1), atol=0.1)


def test_only_kept_entries_are_found():
    index = Index([[noise(200, 3)]], None, balance=False)
    keep = torch.arange(200) % 2 == 1
    found, distances = index.search(index.keys, 3, keep)
    assert keep[found].all()
    assert torch.allclose(distances, brute_force(index.keys, index.keys[keep], 3), rtol=1e-5, atol=1e-6)


def test_chunks_change_nothing(monkeypatch):
    index = Index([[noise(300, 5)]], None, balance=False)
    whole = index.search(noise(100, 5, seed=3), 4)
    monkeypatch.setattr(neighbours, "CHUNK", 7)
    parts = index.search(noise(100, 5, seed=3), 4)
    assert torch.equal(whole[0], parts[0]) and torch.equal(whole[1], parts[1])


def clusters(number, seed):
    """Points of 12 dimensions in 40 clouds, as keys of pictures are: many alike, few between."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(40, 12, generator=torch.Generator().manual_seed(9))
    return centres[torch.randint(40, (number,), generator=generator)] + 0.3 * torch.randn(
        number, 12, generator=generator
    )


def test_an_approximate_search_finds_neighbours_nearly_as_near():
    entries, queries = clusters(20_000, seed=0), clusters(500, seed=1)
    exact = Index([[entries]], None, balance=False).search(queries, 8)[1]
    near = Index([[entries]], None, balance=False, search="approximate")
    found, distances = near.search(queries, 8)
    assert exact.mean() <= distances.mean() < 1.05 * exact.mean()
    assert torch.allclose(distances, near.distances(queries, found))
    assert (distances.diff(dim=1) >= 0).all()
    again = Index([[entries]], None, balance=False, search="approximate").search(queries, 8)[0]
    assert torch.equal(found, again)


@pytest.mark.parametrize(("entries", "number"), [(3, 3), (100, 100), (9_000, 2_000)])
def test_an_approximate_search_finds_as_many_as_asked_for(entries, number):
    index = Index([[noise(entries, 5)]], None, balance=False, search="approximate")
    found, _ = index.search(noise(7, 5, seed=3), number)
    assert found.shape == (7, number)
    assert all(len(set(row.tolist())) == number for row in found)


def placed(height, width, pictures=1):
    grid = torch.cartesian_prod(torch.arange(pictures), torch.arange(height), torch.arange(width))
    return grid


def shares_a_source(found, grid):
    """The share of horizontally adjacent queries whose entries lie side by side too."""
    rows = found.view(*grid)
    return (rows[:, 1:] - rows[:, :-1] == 1).float().mean().item()


def test_coherence_makes_neighbours_come_from_one_place_within_its_bound():
    places = placed(20, 20)
    index = Index([[noise(400, 4)]], None, balance=False)
    queries = index.keys + 0.8 * noise(400, 4, seed=5)
    nearest, best = index.search(queries, 1)
    found, distances = prefer_coherent(index, queries, nearest, places, (1, 20, 20), 1, 1 + 3.0)
    assert (distances <= 2 * best + 1e-5).all()
    assert torch.equal(distances, index.distances(queries, found))
    assert shares_a_source(found, (20, 20)) > 1.5 * shares_a_source(nearest, (20, 20))


def test_coherence_without_leniency_keeps_the_nearest():
    index = Index([[noise(400, 4)]], None, balance=False)
    queries = noise(400, 4, seed=6)
    nearest, best = index.search(queries, 1)
    found, distances = prefer_coherent(index, queries, nearest, placed(20, 20), (1, 20, 20), 1, 1.0)
    assert torch.equal(found, nearest) and torch.equal(distances, best)


def test_coherence_never_leaves_a_picture_nor_what_is_kept():
    places = placed(6, 5, pictures=3)
    index = Index([[noise(90, 2)]], None, balance=False)
    queries = noise(30, 2, seed=7)
    keep = places[:, 0] != 1
    nearest, _ = index.search(queries, 1, keep)
    found, _ = prefer_coherent(index, queries, nearest, places, (1, 6, 5), 2, 100.0, keep)
    assert keep[found].all()
    assert not torch.equal(found, nearest), "with so much leniency some are exchanged"


def test_trust_is_the_least_squares_factor_at_each_distance():
    distance = torch.cat([torch.full((1000,), 1.0), torch.full((1000,), 3.0)])
    found = noise(2000, 1)
    true = found * torch.where(distance < 2, 1.5, 0.25)[:, None]
    trust = measure_trust(distance, found, true, steps=2)
    assert trust.at(torch.tensor([0.5, 1.0, 3.0])).tolist() == pytest.approx([1.5, 1.5, 0.25], abs=1e-5)
    assert 0.25 < trust.at(torch.tensor([2.0])).item() < 1.5


def test_trust_falls_beyond_the_farthest_measured_distance():
    trust = measure_trust(torch.ones(100), torch.ones(100, 1), torch.ones(100, 1))
    assert trust.at(torch.tensor([2.0, 10.0])).tolist() == pytest.approx([1 / 4, 1 / 100])


def test_what_misleads_is_not_trusted():
    trust = measure_trust(torch.rand(100), torch.ones(100, 1), -torch.ones(100, 1))
    assert trust.at(torch.rand(5)).tolist() == [0] * 5
