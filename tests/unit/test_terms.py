"""What an objective is made of: terms on a scene, a style by any statistic; also those of somebody else."""

import inspect
from dataclasses import dataclass

import pytest
import torch

from stylelab import RECIPES, StyleTransfer, apply_filter, figures, gram_matrix, transfer
from stylelab.errors import StylelabError
from stylelab.losses import (
    Content,
    Gram,
    Objective,
    Scene,
    Statistic,
    Style,
    TotalVariation,
    at_layer,
    content_loss,
    tv_loss,
)
from stylelab.networks.features import Features
from stylelab.pictures import Stylist, resize

LAYERS = {"relu1_1": 0.25, "relu2_1": 0.75}
QUICK = RECIPES["quick"].replace(precision="float32", scales=(1,), steps=(8,), style_factors=(1,))


# What follows stands here as it would in a notebook of somebody who has only installed the package.


@dataclass(frozen=True)
class ChannelMeans(Statistic):
    """How bright each channel is on average."""

    def measure(self, maps, mask=None):
        weights = torch.ones_like(maps[:, :1]) if mask is None else mask
        return (maps * weights).sum((2, 3)) / weights.sum((2, 3))


@dataclass(frozen=True)
class StayNear:
    """Mean squared distance from a picture, inside a mask."""

    picture: torch.Tensor
    mask: torch.Tensor
    weight: float = 1.0
    name: str = "near"
    layers: tuple = ()

    def prepare(self, scene, network):
        picture, mask = (resize(x, scene.content.shape[-2:]) for x in (self.picture, self.mask))
        return lambda image, maps: (mask * (image - picture).square()).mean()


@pytest.mark.parametrize("made", [ChannelMeans, StayNear])
def test_a_statistic_and_a_term_are_a_few_lines(made):
    assert len(inspect.getsource(made).splitlines()) <= 15


def test_a_statistic_from_outside_is_what_the_style_is_compared_by(random_vgg, random_image):
    content, painting = random_image(1, 48, 48), 0.3 * random_image(2, 40, 56)
    recipe = QUICK.replace(statistic=ChannelMeans(), content_weight=0)
    result = transfer(content, painting, recipe, random_vgg, progress=False)
    scene = Scene(content, [(painting, 1.0)]).at((48, 48))
    (target,) = (maps.mean((2, 3)) for maps in random_vgg(scene.styles[0][0], "relu1_1").values())
    found = {
        name: (random_vgg(image, "relu1_1")["relu1_1"].mean((2, 3)) - target).square().sum().item()
        for name, image in {"photograph": content, "result": result.image}.items()
    }
    assert found["result"] < 0.5 * found["photograph"]
    assert hash(recipe) != hash(QUICK) and recipe.to_dict()["statistic"] == "ChannelMeans"


def test_a_term_from_outside_is_reported_by_its_name_and_keeps_the_picture_near(random_vgg, random_image):
    content, painting = random_image(1, 48, 48), random_image(2, 48, 48)
    left = torch.zeros(1, 1, 48, 48)
    left[..., :24] = 1
    runs = [
        transfer(content, painting, QUICK, random_vgg, progress=False, terms=terms)
        for terms in ([], [StayNear(content, left, weight=1e4)])
    ]
    assert list(runs[1].history[0]) == ["content", "style", "tv", "near", "total"]
    moved = [(left * (run.image - content).square()).mean().item() for run in runs]
    assert moved[1] < 0.2 * moved[0]
    last = runs[1].history[-1]
    weighted = last["content"] + QUICK.style_weight * last["style"] + 1e4 * last["near"]
    assert last["total"] == pytest.approx(weighted, rel=1e-4)


# --- the objective


def test_each_loss_is_there_before_the_next_layer_is_computed(random_vgg, random_image):
    """So that no gradient waits in memory until all losses are known."""
    image, seen = random_image(1, 32, 32), []

    @dataclass(frozen=True)
    class Noting:
        layers = ("relu1_1", "relu2_1")
        weight, name = 1.0, "noting"

        def prepare(self, scene, network):
            return lambda image, maps: (seen.extend(maps), image.mean())[1]

    class Telling:
        def walk(self, image, layers):
            for name, maps in random_vgg.walk(image, layers):
                seen.append(f"computed {name}")
                yield name, maps

    Objective([Noting()], Scene(image), Telling())(image)
    assert seen == ["computed relu1_1", "relu1_1", "computed relu2_1", "relu2_1"]


def test_the_losses_are_unweighted_and_the_total_is_their_weighted_sum(random_vgg, random_image):
    image, content, painting = (random_image(seed, 32, 32) for seed in (1, 2, 3))
    terms = [Content({"relu2_1": 2.0}, weight=3.0), Style(LAYERS, 5.0), TotalVariation(7.0, power=2)]
    objective = Objective(terms, Scene(content, [(painting, 1.0)]), Features(random_vgg))
    assert objective.names == ("content", "style", "tv", "total")
    F, P, S = (random_vgg(x, LAYERS) for x in (image, content, painting))
    style = sum(
        w * ((gram_matrix(F[n]) - gram_matrix(S[n])) ** 2).sum() / (gram_matrix(S[n]) ** 2).sum()
        for n, w in LAYERS.items()
    )
    expected = [2 * content_loss(F["relu2_1"], P["relu2_1"], "relative"), style, tv_loss(image, 2)]
    expected.append(3 * expected[0] + 5 * expected[1] + 7 * expected[2])
    assert objective(image).tolist() == pytest.approx([float(n) for n in expected], rel=1e-5)


def test_two_terms_of_one_name_are_refused(random_vgg, random_image):
    with pytest.raises(StylelabError, match="terms called tv, tv: give each a name of its own"):
        Objective([TotalVariation(), TotalVariation()], Scene(random_image(1, 32, 32)), Features(random_vgg))


# --- statistics and masks


@pytest.mark.parametrize("statistic", [Gram(), Gram("hw"), ChannelMeans()])
def test_a_mask_of_ones_changes_nothing_and_half_a_mask_sees_that_half(statistic, random_image):
    maps = torch.rand(1, 5, 6, 8, generator=torch.Generator().manual_seed(0))
    whole = statistic.measure(maps)
    torch.testing.assert_close(statistic.measure(maps, torch.ones(1, 1, 6, 8)), whole)
    left = torch.zeros(1, 1, 6, 8)
    left[..., :4] = 1
    torch.testing.assert_close(statistic.measure(maps, left), statistic.measure(maps[..., :4]))
    assert statistic.distance(maps, whole).item() == 0 < statistic.distance(maps, whole, mask=left).item()


def test_mixing_measures_is_their_weighted_mean():
    a, b = torch.rand(2, 1, 3, 3)
    torch.testing.assert_close(Gram().mix([a, b], [0.25, 0.75]), 0.25 * a + 0.75 * b)
    assert torch.equal(Gram().mix([a], [1.0]), a)


def test_with_masks_each_painting_is_compared_in_its_own_region(random_vgg, random_image):
    image, a, b = random_image(1, 32, 32), random_image(2, 32, 32), random_image(3, 24, 40)
    left = torch.zeros(1, 1, 32, 32)
    left[..., :16] = 1
    scene = Scene(image, [(a, 1.0), (b, 3.0)], masks=[(left, None), (1 - left, None)])
    found = Objective([Style({"relu1_1": 1.0})], scene, Features(random_vgg))(image)[0].item()
    maps, targets = random_vgg(image, "relu1_1")["relu1_1"], []
    for painting in (a, b):
        targets.append(gram_matrix(random_vgg(painting, "relu1_1")["relu1_1"]))
    distances = [
        ((gram_matrix(half) - target) ** 2).sum().item() / (target**2).sum().item()
        for half, target in zip((maps[..., :16], maps[..., 16:]), targets, strict=True)
    ]
    assert found == pytest.approx((distances[0] + 3 * distances[1]) / 4, rel=1e-4)


def test_a_scene_at_another_size_resizes_each_picture_in_its_way(random_image):
    content, painting = random_image(1, 40, 60), random_image(2, 20, 30)
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., :31] = 1
    scene = Scene(content, [(painting, 2.0)], [(mask, mask)], previous=content)
    small = scene.at((20, 30), style_size=15)
    torch.testing.assert_close(small.content, resize(content, (20, 30)).clamp(0, 1))
    assert torch.equal(small.previous, small.content)
    assert small.styles[0][0].shape[-2:] == (10, 15) and small.styles[0][1] == 2.0
    assert small.masks[0][0].unique().tolist() == [0.0, 0.5, 1.0], "soft where an edge divides a pixel"
    assert small.masks[0][1] is mask
    assert scene.at((40, 60)).styles[0][0].shape == painting.shape, "never enlarged"
    assert (
        at_layer(mask, torch.rand(1, 7, 10, 15)).shape == (1, 1, 10, 15) and at_layer(None, content) is None
    )


# --- stylists


class Negative:
    def stylise(self, image):
        return 1 - image


def test_a_transfer_with_its_painting_fixed_is_a_stylist(random_vgg, random_image):
    photo, painting = random_image(1, 32, 32), random_image(2, 32, 32)
    stylist = StyleTransfer(painting, QUICK, random_vgg)
    assert isinstance(stylist, Stylist) and isinstance(Negative(), Stylist)
    expected = transfer(photo, painting, QUICK, random_vgg, progress=False).image
    assert torch.equal(stylist.stylise(photo), expected)


def test_the_comparison_shows_every_image_by_every_stylist(random_image):
    images = {"first": random_image(1, 24, 32), "second": random_image(2, 24, 32)}

    class Embossed:
        def stylise(self, image):
            return apply_filter(image, "emboss")

    figure = figures.comparison(images, {"negative": Negative(), "embossed": Embossed()}, "Three columns.")
    shown = [axis.images[0].get_array() for axis in figure.axes]
    assert [axis.get_title() for axis in figure.axes] == ["photograph", "negative", "embossed", "", "", ""]
    for place, image in ((0, images["first"]), (4, 1 - images["second"])):
        expected = image[0].permute(1, 2, 0)
        torch.testing.assert_close(torch.as_tensor(shown[place]).float(), expected, atol=1e-5, rtol=0)
