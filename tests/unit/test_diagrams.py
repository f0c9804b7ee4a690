"""Diagrams: well-formed, self-contained, legible, and true to the package whose numbers they show."""

import itertools
import re
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
import torch
from PIL import ImageFont

import stylelab
from stylelab import figures
from stylelab.arbitrary import Decoders
from stylelab.errors import LayerError, RecipeError
from stylelab.figures.diagrams.gradient import PAINTING, PHOTOGRAPH, PICTURE
from stylelab.figures.diagrams.network import stages
from stylelab.figures.diagrams.sheet import FAMILY, WIDTH
from stylelab.networks.extractor import FeatureExtractor
from stylelab.networks.layers import RELU_1_TO_5, RELUS

SVG = "{http://www.w3.org/2000/svg}"
FONTS = (
    Path(matplotlib.get_data_path()) / "fonts" / "ttf"
)  # DejaVu Sans, wider than all others that may be taken

DRAWN = {
    "network": lambda: figures.vgg19_diagram(),
    "network, all taps": lambda: figures.vgg19_diagram(RELUS, size=384),
    "network, five taps": lambda: figures.vgg19_diagram(RELU_1_TO_5),
    "network, before the ReLU": lambda: figures.vgg19_diagram(recipe="modified-vgg19"),
    "gradient": lambda: figures.gradient_diagram(),
    "gradient, with total variation": lambda: figures.gradient_diagram("squeezenet"),
    "patch net": lambda: figures.patch_net_diagram(),
    "any style": lambda: figures.any_style_diagram(stylelab.AdaIN(decoders=Decoders())),
    "any style, two levels": lambda: figures.any_style_diagram(
        stylelab.AdaIN(("relu2_1", "relu1_1"), decoders=Decoders())
    ),
    "fast network": lambda: figures.fast_network_diagram(stylelab.FastNetwork(["brick", "starry_night"])),
    "small fast network": lambda: figures.fast_network_diagram(
        stylelab.FastNetwork(["brick"], (8, 12, 36), blocks=2), content="cat"
    ),
    "scales": lambda: figures.coarse_to_fine_diagram(),
    "scales of gatys": lambda: figures.coarse_to_fine_diagram("gatys"),
    "one scale": lambda: figures.coarse_to_fine_diagram("squeezenet"),
    "four scales": lambda: figures.coarse_to_fine_diagram(
        stylelab.Recipe(scales=(0.25, 0.5, 0.75, 1), steps=(40, 9, 9, 9), style_factors=(0.25, 0.5, 0.5, 1))
    ),
}
_made: dict[str, figures.Diagram] = {}


@pytest.fixture(params=DRAWN)
def diagram(request):
    return _made.setdefault(request.param, DRAWN[request.param]())


def words(diagram) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")]


def boxes(diagram) -> list[tuple[str, float, float, float, float]]:
    """(words, left, top, right, bottom) of every line of text, as wide as it may become."""
    found = []
    for element in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text"):
        bold, italic = element.get("font-weight") == "bold", element.get("font-style") == "italic"
        file = f"DejaVuSans{'-' * (bold or italic)}{'Bold' * bold}{'Oblique' * italic}.ttf"
        size, text = float(element.get("font-size")), element.text or ""
        width = ImageFont.truetype(str(FONTS / file), 100).getlength(text) * size / 100
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor")]
        if text:
            found.append((text, left, y - 0.76 * size, left + width, y + 0.24 * size))
    return found


def test_is_well_formed_and_says_what_it_is(diagram):
    root = ElementTree.fromstring(diagram.svg)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    title, description = list(root)[:2]
    assert title.tag == f"{SVG}title" and len(title.text) > 10
    assert description.tag == f"{SVG}desc" and diagram.description in description.text


def test_shows_itself_as_a_picture_that_needs_no_trust_with_words_beside_it(diagram):
    bundle = diagram._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}, "JupyterLab hides an SVG of its own until it is run"
    picture = ElementTree.fromstring(bundle["text/html"].replace(">", "/>"))
    kind, data = picture.get("src").split(",")
    assert picture.tag == "img" and kind == "data:image/svg+xml;base64"
    assert b64decode(data).decode() == diagram.svg
    assert bundle["text/plain"] == f"{diagram.caption}\n{diagram.description}" == repr(diagram)
    assert picture.get("alt") == repr(diagram).replace("\n", " ")  # as attributes are read
    assert len(diagram.svg) < 400_000, "a notebook stays under 2 MB"


def test_needs_nothing_from_outside_and_leaves_the_page_alone(diagram):
    root = ElementTree.fromstring(diagram.svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "style", "foreignObject", "use"}
        assert element.get("id") is None, "two diagrams on one page would share it"
        href = element.get("href")
        assert href is None or href.startswith("data:image/")
    assert root.get("font-family") == FAMILY and FAMILY.endswith("sans-serif")


def test_brings_its_own_light_ground(diagram):
    root = ElementTree.fromstring(diagram.svg)
    card = root.find(f"{SVG}rect")
    assert float(card.get("width")) == WIDTH - 1 and card.get("fill") == "#fcfcfa"
    assert float(card.get("height")) == float(root.get("height")) - 1
    assert root.get("viewBox") == f"0 0 {WIDTH} {root.get('height')}"


def test_no_text_overlaps_another_or_leaves_the_card(diagram):
    height = float(ElementTree.fromstring(diagram.svg).get("height"))
    places = boxes(diagram)
    for text, left, top, right, bottom in places:
        assert left >= 8 and right <= WIDTH - 8 and top >= 8 and bottom <= height - 8, f"{text!r} at the rim"
    for a, b in itertools.combinations(places, 2):
        across, down = min(a[3], b[3]) - max(a[1], b[1]), min(a[4], b[4]) - max(a[2], b[2])
        assert across <= 0 or down <= 0.5, f"{a[0]!r} and {b[0]!r} overlap"


def test_no_number_is_missing_or_not_one(diagram):
    assert not re.search(r"\b(nan|inf|None)\b", diagram.svg)
    assert "&lt;" not in "".join(words(diagram))


def test_the_text_of_the_drawing_can_be_read(diagram):
    """Contrast of at least 4.5 with the card, as the WCAG ask for text, and no type under 11 pixels."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for element in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text"):
        contrast = (luminance("#fcfcfa") + 0.05) / (luminance(element.get("fill")) + 0.05)
        assert contrast >= 4.5, f"{element.text!r} is drawn in {element.get('fill')}: {contrast:.1f}"
        assert float(element.get("font-size")) >= 11


def test_a_caption_of_one_s_own_takes_the_place_of_the_diagram_s():
    own = figures.gradient_diagram(caption="Look at <the> pixels.")
    assert "Look at <the> pixels." in words(own) and repr(own).startswith("Look at <the> pixels.\n")
    assert not any("grey arrows" in line for line in words(own))
    bare = figures.gradient_diagram(caption="")
    assert repr(bare) == bare.description


# VGG-19 ---------------------------------------------------------------------------------------------------


def plain_network():
    """VGG-19 with average pooling, without ReLUs or biases, all weights positive: no path cancels another."""
    network = FeatureExtractor(weights="random", pooling="average", device="cpu").double()
    layers = {name: network._stages[name] for name in network.layers if not name.startswith("relu")}
    for layer in layers.values():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.fill_(1 / layer.weight[0].numel())
            layer.bias.zero_()
    return layers


@pytest.mark.parametrize("name", ["conv1_1", "conv2_1", "pool2", "conv3_1", "conv4_1", "conv4_2"])
def test_a_field_is_as_wide_as_the_gradient_of_one_entry_reaches(name):
    image = torch.zeros(1, 3, 144, 144, dtype=torch.float64, requires_grad=True)
    x = image
    for layer, module in plain_network().items():
        x = module(x)
        if layer == name:
            break
    side = x.shape[-1] // 2
    (gradient,) = torch.autograd.grad(x[0, 0, side, side], image)
    reached = gradient[0].abs().sum(0) > 0
    rows, columns = reached.any(1).sum().item(), reached.any(0).sum().item()
    (stage,) = [stage for stage in stages(144) if stage.name == name]
    assert (rows, columns) == (stage.field, stage.field)


def test_stages_have_the_shapes_of_the_network_s_maps(random_vgg):
    with torch.no_grad():
        maps = random_vgg(torch.zeros(1, 3, 64, 64), random_vgg.layers)
    for stage in stages(64):
        assert tuple(maps[stage.name].shape[1:]) == (stage.channels, stage.height, stage.height)
    assert tuple(stage.name for stage in stages()) == random_vgg.layers


def test_the_network_names_every_tap_of_the_recipe_and_what_it_sees():
    recipe, known = stylelab.RECIPES["default"], {stage.name: stage for stage in stages(256)}
    drawn = figures.vgg19_diagram()
    for name in (*recipe.style_layers, *recipe.content_layers):
        stage = known[name]
        assert name in words(drawn) and f"{name}: {stage.field} × {stage.field}" in words(drawn)
        assert f"map {stage.height} × {stage.height} × {stage.channels}" in words(drawn)
        assert f"{name} {stage.field} × {stage.field}" in drawn.description
    assert {f"block {n}" for n in range(1, 6)} <= set(words(drawn))
    assert "× 512" in words(drawn) and "× 1024" not in words(drawn)


def test_fields_are_drawn_to_scale():
    drawn = figures.vgg19_diagram(["relu4_1"], size=256)
    rectangles = ElementTree.fromstring(drawn.svg).findall(f"{SVG}rect")
    (frame,) = {
        float(r.get("width")) for r in rectangles if r.get("fill") == "none" and r.get("stroke") == "#222222"
    } - {150}
    (square,) = [float(r.get("width")) for r in rectangles if r.get("stroke-width") == "2"]
    assert (square - 2) / frame == pytest.approx(68 / 256, abs=0.002)


def test_taps_replace_those_of_the_recipe():
    drawn = figures.vgg19_diagram(RELU_1_TO_5)
    assert set(RELU_1_TO_5) <= set(words(drawn)) and "relu4_2" not in words(drawn)
    assert "read for content" not in words(drawn) and "content at no layer" in drawn.description


def test_a_layer_or_a_network_that_is_not_drawn_is_an_error():
    with pytest.raises(LayerError, match='unknown layer "relu4_9"; did you mean'):
        figures.vgg19_diagram(["relu4_9"])
    with pytest.raises(RecipeError, match="reads squeezenet1_1; give one that reads vgg19"):
        figures.vgg19_diagram(recipe="squeezenet")


# The others -----------------------------------------------------------------------------------------------


def test_the_gradient_s_weights_and_layers_are_the_recipe_s():
    recipe = stylelab.Recipe(
        style_weight=7.25, content_weight=0.5, content_layers={"relu3_2": 1}, tv_weight=3
    )
    drawn = figures.gradient_diagram(recipe)
    assert {"× 7.25", "× 0.5", "at relu3_2", "at relu1_1 … relu5_1", "VGG-19", "weights fixed"} <= {
        *words(drawn)
    }
    assert "+ total variation of x × 3" in words(drawn)
    assert not any("total variation" in line for line in words(figures.gradient_diagram("quick")))
    assert "SqueezeNet 1.1" in words(figures.gradient_diagram("squeezenet"))


def test_the_gradient_never_reaches_a_target():
    """No dashed line of the gradient's colour comes near the row of the painting or of the photograph."""
    drawn = figures.gradient_diagram()
    (legend,) = [top for text, _, top, _, bottom in boxes(drawn) if text == "gradient"]
    paths = ElementTree.fromstring(drawn.svg).iter(f"{SVG}path")
    back = [p.get("d") for p in paths if p.get("stroke-dasharray") and p.get("stroke") == figures.COLOURS[5]]
    assert len(back) >= 7
    heights = {float(y) for d in back for y in re.findall(r"[\d.]+ ([\d.]+)", d)}
    heights = {y for y in heights if y > legend + 12}
    half = PICTURE / 2
    assert min(heights) > PAINTING + half + 23 and max(heights) < PHOTOGRAPH + half - 23


def test_the_patch_net_and_its_table_are_the_package_s():
    net = stylelab.PatchNet()
    drawn = words(figures.patch_net_diagram())
    for units in net.shape["hidden"]:
        assert str(units) in drawn
    assert f"{sum(p.numel() for p in net.parameters())} weights and biases" in drawn
    assert drawn.count("tanh") == len(net.shape["hidden"])
    assert f"{net.patch} × {net.patch} pixels" in drawn
    assert "the 8 nearest of all entries" in drawn and drawn.count("5 × 5 of") == 2


def test_each_unit_of_the_patch_net_is_a_dot():
    dots = list(ElementTree.fromstring(figures.patch_net_diagram().svg).iter(f"{SVG}circle"))
    assert len(dots) == 9 + 21 + 17 + 13 + 9 + 1


def test_the_levels_are_those_of_the_method():
    told = words(_made.setdefault("any style, two levels", DRAWN["any style, two levels"]()))
    assert {"relu1_1, 64 maps", "relu2_1, 128 maps", "as relu1_1", "as relu2_1"} <= set(told)
    assert not any("relu3_1" in text for text in told)


def test_the_fast_network_is_the_one_that_was_given():
    told = words(_made.setdefault("small fast network", DRAWN["small fast network"]()))
    assert [word for word in told if word.isdigit()] == ["8", "12", "36", "36", "12", "8"]
    assert "2 residual blocks" in told and "brick: 220 scales and 220 shifts" in told


@pytest.mark.parametrize("name", ["default", "gatys"])
def test_the_scales_are_the_recipe_s_and_drawn_to_scale(name):
    recipe = stylelab.RECIPES[name]
    drawn = figures.coarse_to_fine_diagram(name)
    for scale, steps in zip(recipe.scales, recipe.steps, strict=True):
        assert f"{round(recipe.size * scale)} pixels" in words(drawn)
        assert f"{steps} evaluations" in words(drawn)
    pictures = [float(i.get("width")) for i in ElementTree.fromstring(drawn.svg).iter(f"{SVG}image")]
    assert [width / pictures[-1] for width in pictures] == pytest.approx(recipe.scales, abs=0.005)
    cost = sum(n * s * s for n, s in zip(recipe.steps, recipe.scales, strict=True))
    assert f"for the price of {cost:.3g} at {recipe.size} pixels" in drawn.description


def test_the_scales_say_where_the_start_comes_from_and_what_detail_returns():
    assert "the photograph" in words(figures.coarse_to_fine_diagram())
    noise = figures.coarse_to_fine_diagram(stylelab.Recipe(init="noise"))
    assert "noise" in words(noise) and not any("fine detail" in line for line in words(noise))
    half = figures.coarse_to_fine_diagram(stylelab.Recipe(detail=0.5))
    assert "+ 50% of the fine detail" in words(half)
