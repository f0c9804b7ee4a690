"""What the labs show is what the package computes: the same numbers and the same pictures."""

import io
import struct
import threading
import time
import zlib
from datetime import UTC, datetime

import pytest
import torch
from PIL import Image

import stylelab
from stylelab import labs
from stylelab.cli.command import main
from stylelab.colour.matching import keep_colours, match_colours
from stylelab.errors import ImageError, StylelabError
from stylelab.labs.total_variation_lab import WEIGHTS
from stylelab.losses.denoising import denoise
from stylelab.losses.distances import psnr
from stylelab.losses.gram import gram_matrix
from stylelab.losses.smoothness import tv_loss
from stylelab.networks.extractor import _shared
from stylelab.optimisation.published import RECIPES
from stylelab.patches.differences import DifferenceTable
from stylelab.patches.windows import as_channels
from stylelab.pictures.saving import read_settings

OTHERS = ("astronaut", "coffee", "rocket")  # what a lab trains on beside the cat


@pytest.fixture
def made(request):
    """A function of a lab's name and arguments: the lab, drawn once; closed after the test."""
    opened = []

    def make(name, start=True, **arguments):
        lab = getattr(labs, name)(**arguments)
        opened.append(lab)
        if name == "differences" and start:
            lab.start.click()
        assert lab.wait(120) and lab.last_error is None
        return lab

    yield make
    for lab in opened:
        lab.close()


def picture_of(box) -> Image.Image:
    return Image.open(io.BytesIO(box.image.value)).convert("RGB")


# Gram matrices, content -------------------------------------------------------------------------------------


def test_the_gram_lab_shows_that_positions_do_not_count(made, vgg):
    lab = made("gram", size=64)
    image = stylelab.load_image("starry_night", 64)[..., :48, :]  # 64 × 51, cropped to sixteens
    expected = gram_matrix(vgg(image, "relu3_1")["relu3_1"])
    torch.testing.assert_close(lab.matrix, expected, rtol=1e-4, atol=1e-2)
    before = picture_of(lab.seen).tobytes()
    lab.shuffle.value = True
    assert lab.wait(60)
    torch.testing.assert_close(lab.matrix, expected, rtol=1e-4, atol=1e-2)
    assert "Distance of the Gram matrix to the one before: 0.000" in lab.seen.says
    assert picture_of(lab.seen).tobytes() != before
    shown, whole = (
        torch.frombuffer(bytearray(b), dtype=torch.uint8).float()
        for b in (picture_of(lab.seen).tobytes(), before)
    )
    assert shown.mean() == pytest.approx(whole.mean(), abs=3), "the same pieces, elsewhere"


def test_a_picture_is_at_no_distance_from_itself(made):
    lab = made("gram", size=64)
    assert "brick. Distance" in lab.other.says and "0.000" not in lab.other.says
    lab.second.sample.value = "starry_night"
    assert lab.wait(60) and "at relu3_1: 0.000 (0 is equal)" in lab.other.says


def test_a_texture_needs_a_layer_and_comes_nearer_to_the_painting(made, vgg):
    lab = made("gram", size=64, texture=48)
    for box in lab.layers.values():
        box.value = False
    lab.start.click()
    assert lab.wait(60) and "no layer is ticked" in lab.complaint.value and lab.result is None
    lab.layers["relu2_1"].value, lab.steps.value = True, 20
    lab.start.click()
    assert lab.wait(120) and lab.complaint.value == ""
    painting = stylelab.load_image("starry_night", 48)
    grams = [
        gram_matrix(vgg(x, "relu2_1")["relu2_1"]) for x in (lab.result, torch.rand(1, 3, 48, 48), painting)
    ]
    assert (grams[0] - grams[2]).norm() < 0.3 * (grams[1] - grams[2]).norm()
    assert "from relu2_1: step 20 of 20" in lab.made.says


def test_the_content_lab_measures_a_shift_in_pixels_and_in_features(made, vgg):
    lab = made("content", size=64)
    lab.layer.value, lab.channel.value = "relu2_1", 5
    lab.shift.value = 3
    assert lab.wait(60)
    image = stylelab.load_image("cat", 64)
    torch.testing.assert_close(lab.feature_map, vgg(image, "relu2_1")["relu2_1"][0, 5], rtol=1e-4, atol=1e-2)
    shifted = torch.cat([image[..., :1].expand(-1, -1, -1, 3), image[..., :-3]], dim=-1)
    maps = [vgg(x, "relu2_1")["relu2_1"] for x in (shifted, image)]
    pixels = ((shifted - image).square().sum() / image.square().sum()).item()
    features = ((maps[0] - maps[1]).square().sum() / maps[1].square().sum()).item()
    assert f"Distance in pixels {pixels:.3f}, in features of relu2_1 {features:.3f}" in lab.seen.says


def test_a_channel_that_a_layer_lacks_becomes_its_last(made):
    lab = made("content", size=48)
    lab.channel.value = 500
    lab.layer.value = "relu1_1"
    assert lab.wait(60) and lab.last_error is None
    assert lab.channel.value == 63 and "channel 63 of 64" in lab.map.says


# Total variation, colour ------------------------------------------------------------------------------------


def objective(x, noisy, weight, power):
    return (x - noisy).square().mean() + weight * tv_loss(x, power)


def noisy_cat(size=48):
    noise = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    return stylelab.pictures.resize(stylelab.load_image("cat", size), (size, size)) + 0.1 * noise


@pytest.mark.parametrize("weight", [0.01, 0.1, 1.0])
def test_squared_denoising_is_at_the_bottom(weight):
    noisy = noisy_cat()
    x = torch.from_numpy(denoise(noisy[0].numpy(), weight, 2))[None].double().requires_grad_()
    objective(x, noisy.double(), weight, 2).backward()
    assert x.grad.abs().max() * x.numel() < 1e-4


@pytest.mark.parametrize("weight", [w for w in WEIGHTS if w][::3])
def test_absolute_denoising_is_within_five_per_cent_of_the_bottom(weight):
    noisy = noisy_cat()
    quick, long = (torch.from_numpy(denoise(noisy[0].numpy(), weight, 1, n))[None] for n in (120, 4000))
    assert objective(quick, noisy, weight, 1) <= 1.05 * objective(long, noisy, weight, 1)
    for other in (noisy, noisy.mean((2, 3), keepdim=True).expand_as(noisy), long + 0.01 * (noisy - long)):
        assert objective(long, noisy, weight, 1) <= objective(other, noisy, weight, 1) * (1 + 1e-5)


def test_no_weight_changes_nothing_and_some_weight_takes_noise_away(made):
    lab = made("total_variation", size=64)
    clean = stylelab.load_image("coffee", 64)
    lab.weight.value = 0.0
    assert lab.wait(60)
    noisy = lab.result
    lab.weight.value = WEIGHTS[8]
    assert lab.wait(60)
    assert psnr(lab.result, clean) > psnr(noisy, clean) + 2
    assert f"PSNR {psnr(lab.result, clean):.1f} dB" in lab.after.says
    lab.line.value = 7
    assert lab.wait(60) and lab.profile.says.startswith("Row 7 of coffee")


@pytest.mark.parametrize("method", ["luminance", "chroma-swap", "linear", "histogram"])
def test_the_colour_lab_recolours_the_stored_transfer(made, method):
    lab = made("colour", size=64)
    photograph = stylelab.load_image("dahlia", 64)
    folder = stylelab.pictures.sample_path("cat").parents[1] / "results"
    stored = stylelab.load_image(folder / "dahlia_starry_night.jpg", 64)
    lab.method.value = method
    assert lab.wait(60)
    expected = (keep_colours if method == "luminance" else match_colours)(stored, photograph, method)
    torch.testing.assert_close(lab.result, expected, atol=1e-5, rtol=0)
    lab.strength.value = 0.0
    assert lab.wait(60)
    torch.testing.assert_close(lab.result, stored, atol=1e-5, rtol=0)
    assert "0.0% of the pixels were clipped" in lab.after.says


# The first picture ------------------------------------------------------------------------------------------


def line_of(lab) -> str:
    import html
    import re

    return html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", lab.line.value, re.DOTALL)[1])


@pytest.fixture
def painted(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = made("first_picture", size=64)
    lab.size.value, lab.steps.value, lab.mix.value = 64, 10, 0.25
    lab.colours.value = "luminance"
    lab.start.click()
    assert lab.wait(120) and lab.last_error is None
    return lab


def test_the_line_of_code_makes_the_same_picture(painted):
    code = line_of(painted)
    assert "[('starry_night', 0.75), ('brick', 0.25)]" in code and "colours='luminance'" in code
    again = eval(code, {"stylelab": stylelab})
    torch.testing.assert_close(again.image, painted.result.image, atol=0.02, rtol=0)
    assert [r["total"] for r in again.history] == pytest.approx(
        [r["total"] for r in painted.result.history], rel=1e-3
    )
    assert len(again.history) == 10 and not painted.result.interrupted


def test_saved_with_its_settings(painted, tmp_path):
    painted.save.button.click()
    assert painted.save.said.value == "saved first_picture.png"
    settings = read_settings(tmp_path / "first_picture.png")
    assert (settings["content"], settings["seed"]) == ("astronaut", 0)
    assert settings["style"] == [["starry_night", 0.75], ["brick", 0.25]]
    assert stylelab.Recipe.from_dict(settings["recipe"]) == painted.result.recipe
    words = ["astronaut", "starry_night=0.75", "brick=0.25", "--recipe", "first_picture.png"]
    assert main([*words, "-o", "again.png"]) == 0
    again = stylelab.load_image("again.png")
    torch.testing.assert_close(again, painted.result.image, atol=0.02, rtol=0)
    painted.save.file.value = "nowhere/x.png"
    painted.save.button.click()
    assert "there is no folder" in painted.complaint.value


def test_the_wipe_shows_the_photograph_on_its_left(painted):
    photograph = stylelab.load_image("astronaut", 64)[0, 1]
    painted.wipe.value = 0.5
    assert painted.wait(60)
    shown = torch.frombuffer(bytearray(picture_of(painted.picture).tobytes()), dtype=torch.uint8)
    shown = shown.view(64, 64, 3)[..., 1] / 255
    result = painted.result.image[0, 1]
    left, right = slice(0, 28), slice(36, 64)
    for part, near, far in ((left, photograph, result), (right, result, photograph)):
        off = [(shown[:, part] - picture[:, part]).abs().mean() for picture in (near, far)]
        assert off[0] < 0.6 * off[1]
    assert "the left 50% is the photograph" in painted.picture.says


def test_finish_goes_on_with_the_picture_until_it_is_done(painted):
    first = painted.result
    painted.finish.click()
    assert painted.wait(240) and painted.last_error is None
    default = stylelab.RECIPES["default"]
    kept = {"size": 64, "colours": "luminance"}
    assert painted.result.recipe == default.replace(**kept) and painted.result.start_given
    assert len(painted.result.history) == default.steps[-1], "the last size only: the picture has it already"
    styles = [losses["style"] for losses in (first.history[-1], *painted.result.history)]
    assert styles[1] < 2 * styles[0], "it begins where the first run ended"
    assert styles[-1] < styles[0] and painted.result.history[-1]["total"] < painted.result.history[0]["total"]
    assert "continued: step 80 of 80" in painted.picture.says
    assert (painted.recipe.value, painted.steps.value) == ("default", 180) and painted.note.value == ""
    assert line_of(painted).startswith("stylelab.transfer('astronaut', ") and "'quick'" not in line_of(
        painted
    )
    painted.kept.children[0].button.click()
    assert painted.wait(60) and painted.result is first and "'quick', " in line_of(painted)


def test_finish_keeps_the_weights_that_somebody_chose(painted):
    chosen = painted.tv.options[3][1]
    painted.weight.value, painted.tv.value = 20, chosen
    painted.start.click()
    assert painted.wait(120)
    painted.finish.click()
    assert painted.wait(240) and painted.last_error is None
    made = painted.result.recipe
    assert (made.name, made.style_weight, made.tv_weight) == ("default", 20, chosen)


def test_print_paints_it_again_large_with_its_own_settings(painted, monkeypatch):
    small = stylelab.RECIPES["fine"].replace(size=96, scales=(48, 1.0), steps=(2, 10))
    monkeypatch.setitem(RECIPES, "fine", small)
    painted.content.upload.value = upload("own.png", own_png())  # smaller than the print
    painted.weight.value = 20
    painted.start.click()
    assert painted.wait(120)
    painted.size.value, painted.weight.value = 128, 5
    painted.print.click()
    assert painted.wait(120) and painted.last_error is None
    assert painted.result.image.shape == (1, 3, 72, 96) and painted.result.recipe.style_weight == 20
    assert (
        "stylelab.load_image('own.png', 96, enlarge=True), " in line_of(painted) and painted.note.value == ""
    )


def test_only_a_picture_by_the_course_s_own_recipes_is_finished(painted):
    lab = painted
    lab.recipe.value, lab.size.value, lab.steps.value = "modified-vgg19", 64, 10
    lab.start.click()
    assert lab.wait(60) and lab.last_error is None
    lab.finish.click()
    assert "choose quick" in lab.complaint.value and not lab.running


def test_a_recipe_brings_its_own_weights_and_two_decades_around_them(made):
    lab = made("first_picture", size=64)
    for name, recipe in stylelab.RECIPES.items():
        lab.recipe.value = name
        assert lab.weight.value == recipe.style_weight
        weights = [weight for _, weight in lab.weight.options]
        assert weights == sorted({*weights}) and weights[-1] / weights[0] > 5e3
        assert (lab.tv.value, lab.steps.value) == (recipe.tv_weight, sum(recipe.steps))
        assert name == "default" or repr(name) in line_of(lab)
    assert lab.last_error is None


def png_header(width: int, height: int) -> bytes:
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0")),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def upload(name: str, content: bytes) -> tuple:
    return (
        {
            "name": name,
            "type": "",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": datetime.now(UTC),
        },
    )


def test_bad_pictures_are_one_line_each_and_good_ones_are_taken(made, tmp_path):
    lab = made("first_picture", size=64)
    huge = tmp_path / "huge.png"
    huge.write_bytes(png_header(10_000, 8_000))
    (tmp_path / "notes.txt").write_text("a list")
    for path, complaint in {
        str(tmp_path / "none.jpg"): "none.jpg: no such file",
        str(tmp_path / "notes.txt"): "notes.txt: not a picture",
        str(huge): "80.0 megapixels, more than 64",
    }.items():
        lab.content.path.value = path
        assert complaint in lab.complaint.value and isinstance(lab.last_error, ImageError)
        assert lab.content.value == ("astronaut", "astronaut")
    for data, complaint in {
        b"0" * 11_000_000: "own.png: 11.0 MB",
        b"stylelab: not sent, its bytes are 52000000": "own.png: 52.0 MB",
        b"not one": "own.png: not a picture",
    }.items():
        lab.content.upload.value = upload("own.png", data)
        assert complaint in lab.complaint.value
    file = io.BytesIO()
    Image.new("RGB", (80, 60), (200, 30, 30)).save(file, "PNG")
    lab.content.upload.value = upload("own.png", file.getvalue())
    assert lab.complaint.value == "" and lab.wait(60)
    assert lab.picture.says.startswith("own.png") and lab.content.value[0] == "own.png"
    lab.content.path.value = str(stylelab.pictures.sample_path("coffee"))
    assert lab.complaint.value == "" and lab.wait(60) and "coffee.jpg" in lab.picture.says
    lab.content.thumbnails["cat"].button.click()
    assert lab.wait(60) and lab.picture.says.startswith("cat") and lab.content.sample.value == "cat"
    marked = [n for n, t in lab.content.thumbnails.items() if "stylelab-marked" in t.button._dom_classes]
    assert marked == ["cat"]


def test_the_weights_that_notebook_00_asks_for_can_be_chosen(made):
    lab = made("first_picture", size=64)
    assert {1.0, 3.0, 5.5, 10.0, 20.0, 30.0, 50.0} <= {weight for _, weight in lab.weight.options}


def test_what_became_of_an_own_picture_stands_beside_its_field(made, tmp_path):
    lab = made("first_picture", size=64)
    chooser = lab.style_picture
    chooser.path.value = "nowhere.jpg"
    assert "nowhere.jpg: no such file" in chooser.said.value and "sample_names" not in chooser.said.value
    assert "sample_names" not in lab.complaint.value and lab.content.said.value == ""
    (tmp_path / "own <b>.png").write_bytes(own_png())
    chooser.path.value = f'"{tmp_path / "own <b>.png"}"'  # as some file managers copy it
    assert chooser.said.value.endswith("own &lt;b&gt;.png is chosen") and lab.complaint.value == ""


@pytest.mark.parametrize("argument", ["content", "style"])
def test_a_lab_for_a_picture_that_there_is_not_names_near_ones(argument):
    with pytest.raises(ImageError, match="did you mean"):
        labs.first_picture(**{argument: {"content": "coffe", "style": "brik"}[argument]})


def test_nothing_is_left_said_of_a_run_whose_picture_is_gone(painted):
    painted.save.button.click()
    painted.content.sample.value = "cat"
    assert painted.wait(60) and painted.status.value == "nothing is running" and painted.save.said.value == ""
    painted.wipe.value = 0.5
    assert painted.wait(60) and painted.picture.says == "cat, the photograph."


def test_the_result_on_the_screen_is_ticked_and_says_what_it_is(painted):
    def ticked():
        return ["stylelab-marked" in kept.button._dom_classes for kept in painted.kept.children]

    painted.weight.value = 20
    painted.start.click()
    assert painted.wait(120) and ticked() == [False, True]
    painted.kept.children[0].button.click()
    assert painted.wait(60) and ticked() == [True, False]
    assert painted.kept.children[1].button.tooltip == (
        "astronaut like starry_night (75%) and brick (25%); quick, 64 px, style weight 20"
    )
    painted.content.sample.value = "cat"
    assert painted.wait(60) and ticked() == [False, False]


def test_the_painting_s_own_colours_can_be_chosen_again(made):
    lab = made("first_picture", size=64)
    assert lab.colours.value == "as painted" and "colours=" not in line_of(lab)
    lab.colours.value = "linear"
    assert "colours='linear'" in line_of(lab)
    lab.colours.value = "as painted"
    assert "colours=" not in line_of(lab) and lab.colours.index == 0


def test_saving_or_finishing_nothing_is_said(made):
    lab = made("first_picture", size=64)
    for button in (lab.save.button, lab.finish, lab.print):
        button.click()
        assert "no picture yet" in lab.complaint.value and isinstance(lab.last_error, StylelabError)


# Patches and differences ------------------------------------------------------------------------------------


def test_the_patch_lab_learns_from_other_pictures(made):
    lab = made("patches", size=48)
    lab.filter.value, lab.steps.value = "emboss", 200
    lab.start.click()
    assert lab.wait(120) and lab.last_error is None
    image = stylelab.load_image("cat", 48, grey=True)
    truth = stylelab.apply_filter(image, "emboss")
    quality = psnr(lab.result.stylise(image), truth)
    assert quality > psnr(image, truth) + 10
    assert f"on {', '.join(OTHERS)}: PSNR {quality:.1f} dB" in lab.made.says


def test_a_net_for_another_filter_is_not_left_beside_a_new_target(made):
    lab = made("patches", size=32)
    lab.steps.value = 100
    lab.start.click()
    assert lab.wait(120) and "sketch after 100 steps" in lab.made.says
    lab.filter.value = "emboss"
    assert lab.wait(60) and lab.made.says == "The net's picture: press Start to train one."


def test_hidden_units_are_read_or_complained_about(made):
    lab = made("patches", size=32)
    for wrong in ("3, x", "-4", "1000", "1 1 1 1 1 1 1 1 1", ""):
        lab.hidden.value = wrong
        assert "give 1 to 8 numbers from 1 to 256" in lab.complaint.value
    lab.hidden.value, lab.steps.value = "12 6", 100
    lab.start.click()
    assert lab.wait(120) and lab.complaint.value == ""
    assert [layer.out_features for layer in lab.result.layers] == [12, 6, 1]


def test_the_difference_lab_shows_what_its_table_says(made):
    lab = made("differences", size=48, steps=50)
    image = as_channels(stylelab.load_image("cat", 48), 1)
    assert isinstance(lab.table, DifferenceTable)
    torch.testing.assert_close(lab.result, lab.table.stylise(image, progress=False), atol=1e-4, rtol=0)
    lab.line.value, lab.column.value = 4, 9
    assert lab.wait(60)
    expected = lab.table.explain(image, 4, 9)
    assert lab.explanation.sources == expected.sources and len(expected.sources) == 8
    pair, row, column = expected.sources[0]
    name = OTHERS[pair]
    assert f"From {name} ({row}, {column}) at {expected.distances[0]:.2f}" in lab.found.says
    lab.neighbours.value = 3
    assert lab.wait(60) and len(lab.explanation.sources) == 3


def test_a_result_made_before_is_shown_again_at_once(made):
    lab = made("differences", size=48, steps=50)
    first, table, says = lab.result, lab.table, lab.made.says
    lab.neighbours.value = 3
    assert lab.wait(60) and lab.table is not table
    lab.neighbours.value = 8
    assert lab.wait(60) and lab.last_error is None
    assert lab.result is first and lab.table is table and lab.made.says == says


def test_before_start_nothing_is_trained(made):
    lab = made("differences", size=48, start=False)
    lab.filter.value, lab.rounds.value = "emboss", 2
    assert not lab.running and lab.table is None
    assert "press Start" in lab.alone.says


def test_a_sample_can_be_chosen_again_after_a_path(made):
    lab = made("differences", size=48, start=False)
    lab.photograph.path.value = str(stylelab.pictures.sample_path("coffee"))
    path = str(stylelab.pictures.sample_path("coffee"))
    assert lab.photograph.value == (path, path) and lab.photograph.sample.value == path
    lab.photograph.sample.value = "cat"
    assert lab.photograph.value == ("cat", "cat")
    lab.photograph.sample.value = path
    assert lab.photograph.value == (path, path), "it stays among those on offer"


def test_choosing_again_while_it_computes_leaves_the_newest(made):
    lab = made("differences", size=32, steps=50)
    for rounds, filtered in ((2, "blur"), (3, "median"), (1, "emboss")):
        lab.rounds.value, lab.filter.value = rounds, filtered
    assert lab.wait(120) and lab.last_error is None
    assert "emboss" in lab.alone.says and "rounds: 1." in lab.difference.says


# While a lab computes ---------------------------------------------------------------------------------------


class Held:
    """A lab's method, held until `go` before it begins or after it ends: what is moved meanwhile is moved
    while it computes."""

    def __init__(self, lab, name, before=False):
        self.reached, self.go = threading.Event(), threading.Event()
        self.method, self.before = getattr(lab, name), before
        setattr(lab, name, self)

    def __call__(self, *given):
        if self.before:
            self.hold()
        made = self.method(*given)
        if not self.before:
            self.hold()
        return made

    def hold(self):
        self.reached.set()
        assert self.go.wait(60)


def test_a_deeper_layer_chosen_while_one_is_computed(made):
    lab = made("content", size=48)
    held = Held(lab, "_maps")
    lab.photograph.sample.value = "coffee"  # of which only as many layers are known as were asked for
    assert held.reached.wait(60)
    lab.layer.value = "relu5_4"
    held.go.set()
    assert lab.wait(60) and lab.last_error is None and lab.complaint.value == ""
    assert "coffee at relu5_4" in lab.map.says


def test_a_shallower_layer_chosen_while_one_is_computed(made):
    lab = made("gram", size=48, texture=48)
    lab.layer.value = "relu5_4"
    assert lab.wait(60)
    held = Held(lab, "_features", before=True)
    lab.first.sample.value = "coffee"
    assert held.reached.wait(60)
    lab.layer.value = "relu1_1"
    held.go.set()
    assert lab.wait(60) and lab.last_error is None and lab.complaint.value == ""
    assert "coffee at relu1_1" in lab.heat.says


def test_a_filter_chosen_while_a_net_begins_is_not_the_one_it_learns(made):
    lab = made("patches", size=32)
    lab.steps.value = 100
    held = Held(lab, "_pictures")
    lab.start.click()
    assert held.reached.wait(60)
    lab.filter.value, lab.optimiser.value, lab.steps.value = "emboss", "sgd", 300
    held.go.set()
    assert lab.wait(120) and lab.last_error is None
    image = stylelab.load_image("cat", 32, grey=True)
    quality = psnr(lab.result.stylise(image), stylelab.apply_filter(image, "sketch"))
    assert f"sketch after 100 steps on {', '.join(OTHERS)}: PSNR {quality:.1f} dB" in lab.made.says
    assert "filter emboss" in lab.truth.says


@pytest.fixture
def repainting(painted):
    """A lab with a result of 64 pixels, amidst a run at 96."""
    painted.size.value, painted.steps.value = 96, 400
    painted.start.click()
    wait_until(lambda: "of 400" in painted.picture.says)
    return painted


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_save_and_finish_are_about_the_picture_on_the_screen(repainting, tmp_path):
    lab = repainting
    first = lab.result
    lab.kept.children[0].button.click()
    wait_until(lambda: "kept after" in lab.picture.says)
    wait_until(lambda: "kept after" not in lab.picture.says)  # the run goes on, and shows its next preview
    lab.save.button.click()
    assert lab.last_error is None
    saved = read_settings(tmp_path / "first_picture.png")
    assert saved["recipe"]["size"] == 96 and stylelab.load_image("first_picture.png").shape[-1] == 96
    lab.steps.value = 10
    lab.finish.click()
    wait_until(lambda: "continued: step" in lab.picture.says)
    lab.stop.click()
    assert lab.wait(120) and lab.last_error is None
    assert (lab.result.recipe.name, lab.result.recipe.size) == ("default", 96)

    lab.kept.children[0].button.click()
    assert lab.wait(60) and lab.result is first
    lab.save.button.click()
    assert read_settings(tmp_path / "first_picture-2.png")["recipe"]["size"] == 64
    torch.testing.assert_close(stylelab.load_image("first_picture-2.png"), first.image, atol=1 / 255, rtol=0)


def test_a_paused_picture_is_saved_with_its_own_settings(repainting, tmp_path):
    lab = repainting
    lab.pause.click()
    assert lab.wait(60) and lab.status.value == "paused"
    lab.weight.value, lab.size.value = 20, 64
    lab.save.button.click()
    assert lab.save.said.value == "saved first_picture.png" and lab.last_error is None
    recipe = read_settings(tmp_path / "first_picture.png")["recipe"]
    assert (recipe["size"], recipe["style_weight"]) == (96, 5.5)
    saved = stylelab.load_image("first_picture.png")
    torch.testing.assert_close(saved, lab._shown.after, atol=1 / 255, rtol=0)


def test_save_never_replaces_a_file(painted, tmp_path):
    for name in ("first_picture.png", "first_picture-2.png", "first_picture-3.png"):
        before = {file: file.read_bytes() for file in tmp_path.glob("*.png")}
        painted.save.button.click()
        assert painted.save.said.value == f"saved {name}" and (tmp_path / name).exists()
        assert all(file.read_bytes() == data for file, data in before.items())
    painted.start.click()
    assert painted.save.said.value == "", "the word is about the picture that was saved"
    assert painted.wait(120)


# One state --------------------------------------------------------------------------------------------------


def own_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def test_another_photograph_is_shown_when_it_is_chosen_also_after_a_result(painted):
    painted.content.sample.value = "coffee"
    assert painted.wait(60) and painted.picture.says == "coffee, the photograph."
    assert "'coffee'" in line_of(painted) and painted.note.value == ""
    assert painted.losses.says == "The losses, once a run has begun."
    painted.kept.children[0].button.click()
    assert painted.wait(60) and painted.picture.says.startswith("astronaut, kept after 10 steps")
    assert painted.content.sample.value == "astronaut" and "'astronaut'" in line_of(painted)
    painted.size.value = 96
    assert painted.wait(60) and painted.picture.says.startswith("astronaut, kept"), "a size is no new picture"


def test_an_upload_is_what_the_chooser_says_and_the_code_says_how_to_get_it(painted):
    chooser = painted.content
    chooser.upload.value = upload("own.png", own_png())
    assert painted.wait(60) and painted.picture.says.startswith("own.png, the photograph")
    assert chooser.sample.value == "own.png (uploaded)"
    for happens in (lambda: None, painted.start.click, lambda: painted.kept.children[1].button.click()):
        happens()
        assert painted.wait(120) and painted.last_error is None
        comment, code = line_of(painted).split("\n")
        assert comment == "# first put a copy of the file you uploaded beside the notebook: own.png"
        assert code.startswith("stylelab.transfer('own.png', ")
    chooser.sample.value = "cat"
    assert "#" not in line_of(painted)
    chooser.sample.value = "own.png (uploaded)"
    assert chooser.value == ("own.png", own_png()), "it stays among those on offer"


def test_the_code_keeps_to_the_controls_when_previews_return_after_a_thumbnail(repainting):
    lab = repainting
    lab.kept.children[0].button.click()
    wait_until(lambda: "kept after" in lab.picture.says)
    wait_until(lambda: "kept after" not in lab.picture.says)
    assert lab.size.value == 64 and "size=64" in line_of(lab)
    wait_until(lambda: lab.note.value == "Chosen since: 64 px, 10 steps. It takes effect at the next Start.")


def test_a_thumbnail_brings_back_all_its_controls_and_says_what_is_different(painted):
    lab = painted
    asked = (
        "content",
        "style_picture",
        "second",
        "mix",
        "recipe",
        "size",
        "weight",
        "tv",
        "colours",
        "steps",
    )
    first = {name: getattr(lab, name).value for name in asked}
    lab.recipe.value = "modified-vgg19"
    lab.content.sample.value, lab.style_picture.sample.value = "cat", "tissue"
    lab.second.sample.value, lab.mix.value = "gravel", 0.5
    lab.size.value, lab.weight.value, lab.steps.value, lab.colours.value = 96, 2e6, 12, "linear"
    lab.tv.value = lab.tv.options[3][1]
    second = {name: getattr(lab, name).value for name in asked}
    lab.start.click()
    assert lab.wait(120) and lab.last_error is None
    assert all(second[name] != first[name] for name in asked)
    one, two = (thumbnail.button.description for thumbnail in lab.kept.children)
    assert one == "64 px"
    assert two.startswith(
        "cat, like tissue and gravel (50%, 50%), recipe modified-vgg19, 96 px, style weight 2,000,000"
    )
    for thumbnail, values in zip(lab.kept.children, (first, second), strict=True):
        thumbnail.button.click()
        assert lab.wait(60) and lab.note.value == ""
        assert {name: getattr(lab, name).value for name in asked} == values


def test_a_moved_control_says_when_it_takes_effect(painted):
    assert painted.note.value == ""
    painted.weight.value = 20
    assert painted.note.value == "Chosen since: style weight 20. It takes effect at the next Start."
    painted.mix.value = 0
    assert "like starry_night" in painted.note.value
    painted.start.click()
    assert painted.wait(120) and painted.note.value == ""
    assert painted.result.recipe.style_weight == 20


def test_a_new_run_begins_with_nothing_wiped_over_it(painted):
    painted.wipe.value = 0.5
    painted.start.click()
    assert painted.wipe.value == 0
    assert painted.wait(120) and "is the photograph" not in painted.picture.says


def no_network(monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)


def test_a_start_that_fails_leaves_no_curve_and_advises_what_the_lab_has(painted, monkeypatch):
    no_network(monkeypatch)
    _shared.cache_clear()
    labels = dict((name, label) for label, name in painted.recipe.options)
    assert labels["squeezenet"] == "squeezenet (needs 5 MB)" and labels["default"] == "default"
    before = painted.losses.image.value
    painted.recipe.value = "squeezenet"
    painted.start.click()
    assert painted.wait(60) and painted.status.value.startswith("failed")
    assert painted.losses.says.startswith("The losses, once") and painted.losses.image.value != before
    assert "choose another recipe" in painted.complaint.value and "weights=" not in painted.complaint.value
    assert painted.picture.says.startswith("astronaut, before the first step")


def test_a_touch_moves_the_wipe_and_the_cross_hair(made, painted):
    lab = painted
    lab.picture.image._handle_custom_msg({"phase": "move", "x": 0.254, "y": 0.9}, [])
    assert lab.wait(60) and lab.wipe.value == 0.25 and "the left 25%" in lab.picture.says
    lab = made("differences", size=48, steps=25)
    height, width = lab.result.shape[-2:]
    for number, picture in enumerate((lab.alone, lab.difference, lab.made, lab.truth)):
        place = {"phase": "down", "x": (number + 1.5) / width, "y": (number + 2.5) / height}
        picture.image._handle_custom_msg(place, [])
        assert lab.wait(60) and (lab.line.value, lab.column.value) == (number + 2, number + 1)
        assert lab.found.says.startswith(f"Row {number + 2}, column {number + 1}.")
    assert lab.last_error is None


def test_a_cross_hair_without_a_table_is_no_error(made):
    lab = made("differences", size=48, start=False)
    lab.line.value = 5
    assert lab.last_error is None and lab.complaint.value == ""
    assert "press Start" in lab.status.value
