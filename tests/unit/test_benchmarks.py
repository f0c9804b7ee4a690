"""The benchmarks measure what they say: the parts of which no line of their table speaks."""

import pytest
import torch

from stylelab import FeatureExtractor, load_image, relative_losses
from tests.benchmarks import patches, pictures, table


@pytest.fixture(scope="module")
def small():
    extractor = FeatureExtractor(device="cpu")
    return load_image("astronaut", 64), load_image("starry_night", 64), extractor


def test_the_published_loop_goes_down_for_as_many_evaluations_as_asked(small, monkeypatch):
    content, style, extractor = small
    calls = []
    forward = FeatureExtractor.forward
    monkeypatch.setattr(
        FeatureExtractor, "forward", lambda self, *a: calls.append(a[0].requires_grad) or forward(self, *a)
    )
    image, seconds = pictures.published_loop(content, style, 50, extractor, evaluations=25)
    assert 25 <= sum(calls) < 50, "L-BFGS ends its step of 20 iterations first"
    monkeypatch.undo()
    before, after = (relative_losses(i, content, style, extractor)["style"] for i in (content, image))
    assert after < 0.5 * before
    assert image.min() >= 0 and image.max() <= 1 and seconds > 0


def test_the_clock_stops_at_the_first_picture_that_is_no_worse_in_either_loss(small, monkeypatch):
    content, style, extractor = small
    monkeypatch.setattr(pictures, "STEPS", 12)
    easy = {"content": 2.0, "style": 2.0}
    seconds, found = pictures.seconds_until(easy, content, style, 5.5, extractor)
    assert seconds > 0 and all(found[term] <= easy[term] for term in easy)
    for impossible in ({"content": 0.0, "style": 2.0}, {"content": 2.0, "style": 0.0}):
        assert pictures.seconds_until(impossible, content, style, 5.5, extractor)[0] is None


def test_the_loops_over_pixels_give_what_they_are_compared_with():
    net, pairs = patches.learnt("emboss", 24, ("astronaut",))
    content = patches.square("coffee", 24)
    assert torch.allclose(patches.net_by_loop(net, content), net.stylise(content), atol=1e-5)
    difference = pairs[0][1] - net.stylise(pairs[0][0])
    assert torch.equal(patches.differences_by_loop(difference, difference), difference)


def test_growth_is_the_exponent_of_seconds_against_pixels():
    linear = patches._exponent("", {10: 1.0, 20: 4.0}, 1.1)
    assert linear.ratio == "1.00" and linear.met
    assert not patches._exponent("", {10: 1.0, 20: 8.0}, 1.1).met


def test_a_row_is_a_line_of_the_table():
    row = table.Row("what", "1 s", "2 s", "2.0", "3", False)
    assert str(row) == "| what | 1 s | 2 s | 2.0 | 3 | **no** |"
    assert table.HEAD.split("\n")[0].count("|") == str(row).count("|")
