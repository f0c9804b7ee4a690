"""Figures: what each one draws, that it can be read without a kernel, and that nothing is cut off."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import StylelabError
from stylelab.figures.evidence import feature_statistics, pixel_probe
from stylelab.figures.figure import CourseFigure
from stylelab.figures.plates import pictures, strongest_maps
from stylelab.figures.plots import chroma_clouds, curve_panels, curves, map_clouds, matrix
from stylelab.figures.recipes import recipe_table
from stylelab.figures.tables import PictureTable, text_table
from stylelab.optimisation.published import RECIPES

CAPTION = (
    "Left to right: noise after matching 1, 2, 3, 4, 5 layers. Colours come first, then strokes, then swirls."
)
LONG_CAPTION = " ".join([CAPTION] * 6)


def panels(figure):
    """The frames that something is drawn in, without colour bars and unused places."""
    return [axis for axis in figure.axes if axis.images or axis.lines or axis.collections]


def titles_of(figure):
    """The titles and the caption, each with the rectangle of pixels it takes."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    drawn = [*(axis.title for axis in figure.axes if axis.get_title()), *figure.texts]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in drawn]


def assert_nothing_is_cut_off(figure):
    """Neither of a frame with its labels nor of a title or caption; returns the latter."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    frames = [("a frame", axis.get_tightbbox(figure.canvas.get_renderer())) for axis in figure.axes]
    for what, box in [*frames, *titles_of(figure)]:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"cut off: {what!r}"
    return titles_of(figure)


def overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1


def decoded(figure):
    (bundle, metadata) = figure._repr_mimebundle_()
    (mime,) = (key for key in bundle if key.startswith("image/"))
    return mime, Image.open(io.BytesIO(bundle[mime])), bundle, metadata


FIGURES = {
    "pictures": lambda: pictures([torch.rand(1, 3, 40, 60)] * 3, ["content", "style", "result"], CAPTION),
    "maps": lambda: pictures([torch.randn(20, 30)] * 4, ["1", "2", "3", "4"], CAPTION, columns=2, exact=True),
    "curves": lambda: curves(
        {"a": ([1, 2, 3], [3.0, 2.0, 1.0]), "b": ([1, 2], [1.0, 2.0])}, "step", "loss", CAPTION
    ),
    "curve_panels": lambda: curve_panels(
        {"left": {"a": ([1, 2], [3, 4])}, "right": {"a": ([1, 2], [5, 6])}}, "x", "y", CAPTION
    ),
    "legend outside": lambda: curves(
        {"a long name": ([1, 2], [3.0, 2.0]), "b": ([1, 2], [1.0, 2.0])}, "x", "y", CAPTION, legend="outside"
    ),
    "matrix": lambda: matrix(torch.rand(3, 3), ["red", "green", "blue"], CAPTION, "Gram", "{:.2f}"),
    "chroma_clouds": lambda: chroma_clouds([torch.rand(1, 3, 9, 9)] * 2, ["before", "after"], CAPTION),
    "map_clouds": lambda: map_clouds(dict.fromkeys("abc", torch.rand(1, 2, 9, 9)), ("x", "y"), CAPTION),
}
every_figure = pytest.mark.parametrize("name", FIGURES)


# --- every figure


@every_figure
def test_a_figure_shows_itself_with_its_caption_as_text(name):
    figure = FIGURES[name]()
    assert isinstance(figure, CourseFigure)
    mime, picture, bundle, metadata = decoded(figure)
    assert mime == ("image/jpeg" if name == "pictures" else "image/png")
    assert picture.format == mime.removeprefix("image/").upper()
    assert bundle["text/plain"] == CAPTION and metadata[mime]["alt"] == CAPTION
    assert picture.size == figure.canvas.get_width_height()
    pixels = np.asarray(picture.convert("L"))
    assert pixels.std() > 5, "nothing is drawn"
    assert (pixels[[0, -1]] > 230).all(), "the margin is white"


@every_figure
def test_nothing_is_cut_off_and_nothing_lies_on_the_caption(name):
    figure = FIGURES[name]()
    drawn = assert_nothing_is_cut_off(figure)
    (caption,) = (box for text, box in drawn if text.replace("\n", " ") == CAPTION)
    for axis in figure.axes:
        assert not overlap(axis.get_tightbbox(figure.canvas.get_renderer()), caption)


@every_figure
def test_a_figure_is_wide_enough_to_fill_a_page_and_no_wider(name):
    width, _ = FIGURES[name]().canvas.get_width_height()
    assert 500 <= width <= 1000


def test_a_long_caption_is_wrapped_and_makes_the_figure_taller_not_the_picture_smaller():
    images = [torch.rand(1, 3, 40, 60)] * 3
    short, long = pictures(images, caption=CAPTION), pictures(images, caption=LONG_CAPTION)
    assert_nothing_is_cut_off(long)
    (drawn,) = (text for text, _ in titles_of(long) if text.startswith("Left"))
    assert drawn.count("\n") >= 4 and drawn.replace("\n", " ") == LONG_CAPTION
    assert long.canvas.get_width_height()[1] > short.canvas.get_width_height()[1]
    heights = []
    for figure in (short, long):
        figure.canvas.draw()
        heights.append(figure.axes[0].get_window_extent().height)
    assert heights[1] == pytest.approx(heights[0], rel=0.02)


def test_without_a_caption_the_text_still_says_what_it_is():
    _, _, bundle, _ = decoded(pictures([torch.rand(1, 3, 8, 8)]))
    assert bundle["text/plain"].strip()


def test_a_figure_is_written_as_either_kind_of_file():
    figure = FIGURES["pictures"]()
    for kind in ("jpeg", "png"):
        assert Image.open(io.BytesIO(figure.encoded(kind))).format == kind.upper()


def test_jpeg_suits_photographs():
    photo = torch.rand(1, 3, 30, 30).repeat_interleave(8, -1).repeat_interleave(8, -2)
    figure = pictures([photo])
    assert len(figure.encoded()) == len(figure.encoded("jpeg")) < 400_000


def test_drawing_touches_neither_pyplot_nor_a_window():
    code = (
        "import sys, json, torch; from stylelab.figures import pictures, curves, matrix, chroma_clouds\n"
        "x = torch.rand(1, 3, 8, 8)\n"
        "line = curves({'a': ([1, 2], [1, 2])}, 'x', 'y')\n"
        "for f in (pictures([x]), line, matrix(x[0, 0]), chroma_clouds([x], ['a'])):\n"
        "    f.encoded()\n"
        "print(json.dumps('matplotlib.pyplot' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) is False


# --- pictures


def test_pictures_stand_in_rows_with_their_titles():
    images = [torch.full((1, 3, 10, 20), value) for value in (0.1, 0.2, 0.3, 0.4, 0.5)]
    figure = pictures(images, ["a", "b", "c", "d", "e"], columns=3)
    shown = panels(figure)
    assert [axis.get_title() for axis in shown] == ["a", "b", "c", "d", "e"]
    for axis, image in zip(shown, images, strict=True):
        np.testing.assert_allclose(axis.images[0].get_array(), image[0].permute(1, 2, 0), atol=1e-6)
        assert not axis.axison
    figure.canvas.draw()
    boxes = [axis.get_window_extent() for axis in shown]
    assert boxes[0].y0 == pytest.approx(boxes[2].y0) and boxes[3].y1 < boxes[0].y0
    assert boxes[3].x0 == pytest.approx(boxes[0].x0, abs=2)


def test_rows_have_titles_and_a_missing_picture_says_why():
    images = [torch.rand(1, 3, 40, 60), "no such file; check the path", torch.rand(1, 3, 40, 60), "too large"]
    figure = pictures(images, ["a", "b", "", ""], CAPTION, columns=2, row_titles=["first row", "second row"])
    texts = [[" ".join(text.get_text().split()) for text in axis.texts] for axis in figure.axes]
    assert texts == [["first row"], ["no such file; check the path"], ["second row"], ["too large"]]
    blank = figure.axes[1].images[0].get_array()
    assert blank.shape == (40, 60, 3) and np.ptp(blank) == 0
    assert_nothing_is_cut_off(figure)


def test_pictures_keep_their_shape():
    figure = pictures([torch.rand(1, 3, 30, 60), torch.rand(1, 3, 60, 30)])
    figure.canvas.draw()
    for axis, ratio in zip(panels(figure), (2, 0.5), strict=True):
        box = axis.get_window_extent()
        assert box.width / box.height == pytest.approx(ratio, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1, 8, 12), (1, 8, 12), (8, 12)])
def test_maps_are_drawn_grey_between_their_limits(shape):
    values = torch.linspace(-3, 5, 96).view(shape)
    (axis,) = panels(pictures([values]))
    shown = axis.images[0]
    assert shown.get_array().shape == (8, 12) and shown.get_cmap().name == "gray"
    assert shown.get_clim() == (-3, 5)
    assert panels(pictures([values], limits=(-10, 10)))[0].images[0].get_clim() == (-10, 10)
    inside = panels(pictures([values.clamp(0.2, 0.7)]))[0].images[0]
    assert inside.get_clim() == (0, 1)  # a grey image is not stretched


def test_colours_outside_the_range_are_clipped_and_gradients_are_no_obstacle():
    image = (torch.rand(1, 3, 9, 9) * 3 - 1).requires_grad_()
    shown = panels(pictures([image]))[0].images[0].get_array()
    assert shown.min() >= 0 and shown.max() <= 1


def test_arrays_are_welcome():
    assert panels(pictures([np.zeros((4, 5)), np.ones((4, 5, 3))]))[1].images[0].get_array().shape == (
        4,
        5,
        3,
    )


def test_exact_shows_pixels_as_squares():
    (axis,) = panels(pictures([torch.rand(1, 3, 30, 30)], exact=True))
    assert axis.images[0].get_interpolation() == "nearest"
    assert decoded(pictures([torch.rand(1, 3, 30, 30)], exact=True))[0] == "image/png"


def test_a_frame_stands_about_its_pixels():
    maps = [torch.rand(13, 13), torch.rand(13, 13)]
    first, second = panels(pictures(maps, exact=True, frames={1: [(6, 4, 3), (9, 9, 1)]}))
    assert not first.patches
    corners = [(*frame.get_xy(), frame.get_width(), frame.get_height()) for frame in second.patches]
    assert corners == [(2.5, 4.5, 3, 3), (8.5, 8.5, 1, 1)]


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (torch.rand(1, 1, 64, 90), "jpeg"),
        (torch.randn(64, 90), "jpeg"),
        (torch.rand(1, 1, 24, 90), "png"),
        (torch.rand(1, 3, 24, 24), "jpeg"),
    ],
)
def test_large_grey_pictures_are_photographs_too(image, kind):
    assert decoded(pictures([image]))[0] == f"image/{kind}"
    assert decoded(pictures([image], exact=True))[0] == "image/png"


@pytest.mark.parametrize("titles", [["only one"], ["a", "b", "c", "d"]])
def test_titles_must_be_as_many_as_pictures(titles):
    with pytest.raises(StylelabError, match=rf"3 pictures and {len(titles)} titles"):
        pictures([torch.rand(1, 3, 8, 8)] * 3, titles)


def test_no_pictures_are_no_figure():
    with pytest.raises(StylelabError, match="got 0 pictures"):
        pictures([])


def test_titles_of_two_lines_have_their_room():
    figure = pictures([torch.rand(1, 3, 20, 20)] * 8, ["style weight\n1,000"] * 8, CAPTION, columns=4)
    drawn = assert_nothing_is_cut_off(figure)
    titles = [box for text, box in drawn if text.startswith("style")]
    assert len(titles) == 8
    assert not any(overlap(a, b) for i, a in enumerate(titles) for b in titles[:i])
    pictures_drawn = [axis.get_window_extent() for axis in panels(figure)]
    assert not any(overlap(title, picture) for title in titles for picture in pictures_drawn)


# --- curves


def test_curves_draw_what_they_are_given():
    series = {"content": ([1, 2, 4], [0.5, 0.25, 0.125]), "style": ([1, 2], [3.0, 1.0])}
    figure = curves(series, "step", "loss", CAPTION, log="y", title="how it falls")
    (axis,) = panels(figure)
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("step", "loss", "how it falls")
    assert (axis.get_xscale(), axis.get_yscale()) == ("linear", "log")
    for line, (label, (x, y)) in zip(axis.lines, series.items(), strict=True):
        assert line.get_label() == label
        np.testing.assert_allclose(line.get_xydata(), np.column_stack([x, y]))
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["content", "style"]


def test_one_curve_needs_no_legend_and_many_differ_in_more_than_colour():
    (axis,) = panels(curves({"only": ([1, 2], [1, 2])}, "x", "y"))
    assert axis.get_legend() is None
    many = {str(i): ([1, 2], [i, i]) for i in range(6)}
    (axis,) = panels(curves(many, "x", "y"))
    assert (
        len({line.get_marker() for line in axis.lines}) == len({line.get_color() for line in axis.lines}) == 6
    )
    (axis,) = panels(curves(many, "x", "y", markers=False))
    assert {line.get_marker() for line in axis.lines} == {"None"}


def test_a_legend_may_stand_outside_where_no_curve_is():
    series = {"a": ([1, 2], [3, 1]), "b": ([1, 2], [1, 3])}
    figure = curves(series, "x", "y", legend="outside")
    figure.canvas.draw()
    (axis,) = panels(figure)
    legend, frame = axis.get_legend().get_window_extent(), axis.get_window_extent()
    assert legend.x0 >= frame.x1
    (axis,) = panels(curves(series, "x", "y", legend="lower center"))
    axis.figure.canvas.draw()
    assert axis.get_legend().get_window_extent().x1 < axis.get_window_extent().x1


def test_panels_share_one_vertical_scale():
    figure = curve_panels({"a": {"s": ([1, 2], [0, 1])}, "b": {"s": ([1, 2], [0, 100])}}, "x", "y", log="x")
    left, right = panels(figure)
    assert left.get_ylim() == right.get_ylim() and left.get_ylim()[1] >= 100
    assert [axis.get_title() for axis in (left, right)] == ["a", "b"]
    assert {axis.get_xscale() for axis in (left, right)} == {"log"}
    assert {axis.get_xlabel() for axis in (left, right)} == {"x"} and left.get_ylabel() == "y"


# --- matrix, clouds, maps


def test_a_matrix_shows_every_entry_with_its_colour_bar():
    values = torch.tensor([[1.0, 0.25], [0.25, 4.0]])
    figure = matrix(values, ["a", "b"], CAPTION, "Gram matrix", "{:.2f}")
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.images[0].get_array(), values)
    assert axis.get_title() == "Gram matrix" and axis.images[0].get_cmap().name == "viridis"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b"]
    written = {(text.get_position(), text.get_text()) for text in axis.texts}
    assert written == {((0, 0), "1.00"), ((1, 0), "0.25"), ((0, 1), "0.25"), ((1, 1), "4.00")}
    assert len(figure.axes) == 2, "the colour bar is missing"
    ink = {text.get_text(): text.get_color() for text in axis.texts}
    assert ink["4.00"] != ink["0.25"], "dark ink on dark squares"


def test_a_matrix_may_carry_gradients_and_any_shape():
    assert matrix(torch.rand(3, 5, requires_grad=True)).axes[0].images[0].get_array().shape == (3, 5)


def test_clouds_show_the_chroma_of_every_pixel_in_its_colour():
    image = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    figure = chroma_clouds([image, image * 0.5], ["before", "after"], CAPTION)
    left, right = panels(figure)
    assert [axis.get_title() for axis in (left, right)] == ["before", "after"]
    assert left.get_xlim() == right.get_xlim() and left.get_ylim() == right.get_ylim()
    points, yuv = left.collections[0], rgb_to_yuv(image)[0].flatten(1)
    np.testing.assert_allclose(points.get_offsets(), yuv[1:].T, atol=1e-6)
    np.testing.assert_allclose(points.get_facecolors()[:, :3], image[0].flatten(1).T, atol=1e-6)
    low, high = left.get_xlim(), left.get_ylim()
    assert (
        low[0] < yuv[1].min() and yuv[1].max() < low[1] and high[0] < yuv[2].min() and yuv[2].max() < high[1]
    )


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("purity", [0.2, 0.9, 1.0])
def test_titles_of_clouds_are_on_the_picture_that_is_shown(count, purity):
    """The file itself: its first drawing must already have room for the titles."""
    image = 0.5 + purity * (torch.rand(1, 3, 30, 30, generator=torch.Generator().manual_seed(0)) - 0.5)
    pixels = np.asarray(
        decoded(chroma_clouds([image] * count, ["stylised"] * count, CAPTION))[1].convert("L")
    )
    inked = np.flatnonzero((pixels < 100).any(1))
    assert 2 <= inked[0] < 50, "the first ink is cut off at the top, or far below it"
    assert (pixels[inked[0]] < 100).mean() < 0.2, "the first ink is a frame, not a title"


def test_an_ellipse_is_the_covariance_of_two_maps():
    """Two deviations from the mean in every direction: mapped back by the covariance, a circle."""
    maps = torch.randn(1, 2, 40, 50, generator=torch.Generator().manual_seed(0))
    maps[:, 1] = 3 + maps[:, 0] + 0.5 * maps[:, 1]
    left, right = panels(map_clouds({"one": maps, "flat": 0 * maps + 1}, ("a", "b"), CAPTION, points=500))
    assert [axis.get_title() for axis in (left, right)] == ["one", "flat"]
    assert 450 <= len(left.collections[0].get_offsets()) <= 550
    ellipse, mean = (np.asarray(line.get_data()) for line in left.lines[:2])
    rows = maps.flatten(2)[0].double().numpy()
    np.testing.assert_allclose(mean[:, 0], rows.mean(1), atol=1e-6)
    apart = ellipse - mean
    lengths = np.einsum("ip,ij,jp->p", apart, np.linalg.inv(np.cov(rows, ddof=0)), apart)
    np.testing.assert_allclose(lengths, 4, rtol=1e-6)
    assert left.get_xlim()[0] < ellipse[0].min() and ellipse[0].max() < left.get_xlim()[1]


def test_clouds_of_the_purest_colours_fit_and_large_images_are_thinned():
    corners = torch.tensor([[r, g, b] for r in (0.0, 1) for g in (0.0, 1) for b in (0.0, 1)]).T.view(
        1, 3, 2, 4
    )
    (axis,) = panels(chroma_clouds([corners], ["corners"]))
    chroma = rgb_to_yuv(corners)[0, 1:].flatten(1)
    assert axis.get_xlim()[0] < chroma[0].min() and chroma[0].max() < axis.get_xlim()[1]
    assert axis.get_ylim()[0] < chroma[1].min() and chroma[1].max() < axis.get_ylim()[1], (
        "red falls off the frame"
    )
    (axis,) = panels(chroma_clouds([torch.rand(1, 3, 200, 200)], ["large"], points=1000))
    assert 900 <= len(axis.collections[0].get_offsets()) <= 1100


def test_the_strongest_maps_come_first():
    features = torch.zeros(1, 4, 2, 2)
    for channel, strength in enumerate((1.0, 5.0, -9.0, 3.0)):
        features[0, channel] = strength
    maps, channels = strongest_maps(features, 3)
    assert channels == [1, 3, 0]
    assert all(
        torch.equal(found, features[0, channel]) for found, channel in zip(maps, channels, strict=True)
    )


def test_numbers_stand_under_their_headings():
    table = text_table({"a": [1.26, -20.0], "long name": ["none", 3.0]}, ["x", "gain"], "dB", ".1f")
    assert table.splitlines() == [
        "dB             x    gain",
        "a            1.3   -20.0",
        "long name   none     3.0",
    ]


def test_a_picture_table_shows_a_picture_a_row_and_escapes_its_text():
    table = PictureTable([torch.zeros(1, 3, 4, 4), None], {"name": ["a < b", "c"]}, "Two rows.")
    page = table._repr_html_()
    assert page.count("<img") == 1 and 'alt="a &lt; b"' in page
    assert page.count("<tr>") == 3 and "Two rows." in page
    assert repr(table).splitlines() == ["name", "a < b", "c", "Two rows."]


def test_feature_statistics_are_those_of_each_layer():
    """Of two pictures, one of which lacks a layer: rows of a layer stand together."""
    maps = {
        "photograph": {"conv": torch.tensor([[-1.0, 3.0]]), "relu": torch.tensor([0.0, 0.0, 0.0, 4.0])},
        "picture": {"conv": torch.tensor([0.0, 255.0])},
    }
    table = feature_statistics(maps, CAPTION)
    assert repr(table).splitlines() == [
        "layer | of | mean | deviation | zeros",
        "conv | photograph | 1 | 2 | 0%",
        "conv | picture | 128 | 128 | 50%",
        "relu | photograph | 1 | 1.73 | 75%",
        CAPTION,
    ]
    html = table._repr_html_()
    assert html.count("<th") == 5 and html.count("<td") == 15, "no empty column where there are no pictures"


def test_a_pixel_probe_says_what_one_number_changes():
    image = torch.zeros(1, 3, 2, 2)
    found = pixel_probe(lambda x: x.sum((2, 3)), image, (0, 2, 1, 0))
    assert torch.allclose(found, torch.tensor([[0, 0, 1 / 255]])) and not image.any()
    pixels = np.zeros((2, 2, 3), dtype=np.uint8)
    found = pixel_probe(lambda x: torch.from_numpy(x).float(), pixels, (0, 1, 2), amount=255)
    assert found[0, 1].tolist() == [0, 0, 255] and found.sum() == 255 and not pixels.any()


@pytest.mark.parametrize("place", [(0, 3, 0, 0), (0, 0, 0), (0, 0, -1, 0)])
def test_a_probe_beside_the_image_is_an_error(place):
    with pytest.raises(StylelabError, match=r"not in an image of shape \(1, 3, 2, 2\)"):
        pixel_probe(lambda x: x, torch.zeros(1, 3, 2, 2), place)


def test_a_table_of_recipes_says_what_each_minimises_and_how():
    table = recipe_table(
        RECIPES, {"quick": torch.zeros(1, 3, 4, 4)}, {"quick": "best"}, "seen", "All of them."
    )
    page = table._repr_html_()
    assert page.count("<img") == 1 and page.count("<tr>") == 1 + len(RECIPES) and "<br>" in page
    names, *others = table.columns.values()
    rows = dict(zip(names, zip(*others, strict=True), strict=True))
    layers, losses, descent, remark = rows["squeezenet"]
    assert layers.splitlines()[0] == "squeezenet1_1" and "TV 0.05 × sum Δ²" in losses and remark == ""
    assert descent.splitlines() == ["Adam, rate 0.68, 0.023 from step 180", "200 at 192 px"]
    assert rows["fine"][2].splitlines()[1:3] == ["40 at 96 px", "60 at 192 px"]
    assert "colours chroma-swap" in rows["colour-preserving"][1] and rows["quick"][3] == "best"
