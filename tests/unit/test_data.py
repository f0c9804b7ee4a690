"""The sample pictures: small, described, drawn by the script beside them."""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import stylelab
from stylelab.optimisation.published import find_recipe

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
PICTURES = sorted(path for kind in ("content", "style") for path in (DATA / kind).iterdir())
DRAWN = (
    "stained_glass",
    "marbled_paper",
    "pen_hatching",
    "woodblock_waves",
    "pointillism",
    "impasto",
    "watercolour",
    "geometric_abstraction",
)
COLUMNS = ("file", "title", "author", "year", "licence", "source")


def described():
    """The tables of data/README.md: {file: {column: text}}."""
    lines = (DATA / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert all(len(row) == len(COLUMNS) for row in rows)
    return {row[0].strip("`"): dict(zip(COLUMNS, row, strict=True)) for row in rows if row[0].startswith("`")}


@pytest.fixture
def scripts(script):
    """The scripts that make the pictures, as modules."""
    return SimpleNamespace(
        draw=script("draw_styles"),
        canvas=script("drawing.canvas"),
        shrink=script("shrink"),
        gallery=script("make_results"),
    )


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_every_picture_is_a_small_jpeg(path):
    assert path.suffix == ".jpg"
    assert path.stat().st_size < 120_000
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) <= 640
        assert picture.mode in ("RGB", "L")


def test_the_readme_lists_every_picture_and_no_other():
    table = described()
    assert sorted(table) == [path.relative_to(DATA).as_posix() for path in PICTURES]
    for file, row in table.items():
        for column, text in row.items():
            assert text, f"{file} has no {column}"
        assert re.fullmatch(r"\d{4}|not stated", row["year"]), f"{file}: {row['year']}"
        free = r"public domain|CC0|CC BY 2\.0|no known copyright"
        assert re.search(free, row["licence"]), f"{file}: {row['licence']}"


def test_who_must_be_named_is_named():
    """CC BY asks for the author, the licence's address, the picture's own, and a note of what was changed."""
    introduction = (DATA / "README.md").read_text(encoding="utf-8").split("## Content")[0]
    owed = {file: row for file, row in described().items() if "CC BY" in row["licence"]}
    assert set(owed) == {"content/pagoda.jpg", "content/dahlia.jpg"}
    for file, row in owed.items():
        assert f"`{Path(file).stem}`" in introduction
        assert row["author"] != "not stated" and row["author"] in row["source"]
        assert "(https://creativecommons.org/licenses/by/2.0/)" in row["licence"]
        assert "changed here" in row["source"]


def test_names_are_unique_across_kinds():
    names = [path.stem for path in PICTURES]
    assert len(names) == len(set(names))


def test_the_painting_has_no_scanner_edge():
    with Image.open(DATA / "style" / "starry_night.jpg") as picture:
        grey = np.asarray(picture.convert("L")).astype(float)
    inside = grey[20:-20, 20:-20].mean()
    for edge in (grey[:3], grey[-3:], grey[:, :3], grey[:, -3:]):
        assert 0.5 * inside < edge.mean() < 1.5 * inside
        assert (edge < 12).mean() < 0.05


@pytest.mark.parametrize("name", DRAWN)
def test_the_drawn_styles_are_what_the_script_draws(scripts, name):
    with Image.open(DATA / "style" / f"{name}.jpg") as picture:
        stored = np.asarray(picture).astype(float)
    with Image.open(io.BytesIO(scripts.canvas.jpeg(scripts.draw.STYLES[name]()))) as picture:
        drawn = np.asarray(picture).astype(float)
    assert drawn.shape == stored.shape
    # Another Pillow may round a stroke's edge or a JPEG block differently, by little.
    assert np.abs(drawn - stored).mean() < 2


def test_what_is_drawn_is_said_to_be_and_nothing_else(scripts):
    ours = [file for file, row in described().items() if "drawn by" in row["source"]]
    assert tuple(scripts.draw.STYLES) == DRAWN
    assert ours == [f"style/{name}.jpg" for name in DRAWN]


def test_the_script_draws_all_of_them_into_a_folder(scripts, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scripts.draw, "STYLES", {"plain": lambda: Image.new("RGB", (8, 6), "teal")})
    scripts.draw.main(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["plain.jpg"]
    assert "plain.jpg" in capsys.readouterr().out


def test_shrinking_crops_keeps_the_limits_and_never_enlarges(scripts, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    noise[:10] = noise[-10:] = 0
    Image.fromarray(noise).save(tmp_path / "large.png")
    Image.fromarray(noise[100:140, 100:150, 0]).save(tmp_path / "small.png")
    large, small = (
        scripts.shrink.shrink(tmp_path / "large.png", 10),
        scripts.shrink.shrink(tmp_path / "small.png", 0),
    )
    assert len(large) < scripts.canvas.MAX_BYTES
    with Image.open(io.BytesIO(large)) as picture:
        assert picture.size == (640, round(880 * 640 / 1180))
        assert np.asarray(picture.convert("L"))[0].mean() > 60  # the black border is gone
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (50, 40)
        assert picture.mode == "L"


def test_the_gallery_shows_what_its_lines_of_code_make(scripts):
    """Each picture holds its own settings, and they are those of the line below it."""
    gallery = scripts.gallery
    assert (DATA / "results" / "README.md").read_text(encoding="utf-8") == gallery.page()
    assert len(gallery.GALLERY) == 20 and "astronaut" not in {row[0] for row in gallery.GALLERY[:4]}
    for content, style, settings in gallery.GALLERY:
        made = stylelab.read_settings(gallery.file(content, style))
        assert (made["content"], [row[0] for row in made["style"]]) == (content, [style])
        with Image.open(gallery.file(content, style)) as picture:
            size = max(picture.size)
        assert size == max(stylelab.load_image(content, gallery.SIZE).shape)
        assert find_recipe(made) == find_recipe("default", size=size, **settings)
    made = {path.stem for path in (DATA / "results").glob("*_*.jpg")} - {"fast_pagoda", "any_style"}
    assert made == {f"{content}_{style}" for content, style, _ in gallery.GALLERY}


def test_the_banner_is_the_first_pictures_of_the_gallery(scripts):
    banner = stylelab.load_image(DATA / "results" / "banner.jpg")
    made = scripts.gallery.banner()
    # JPEG costs 0.02 of so many edges; another picture in one of the four places would cost 0.06.
    assert banner.shape == made.shape and (banner - made).abs().mean() < 0.03


def test_the_twelve_of_notebook_09_are_what_the_network_paints(scripts):
    stored = stylelab.load_image(DATA / "results" / "fast_pagoda.jpg")
    made = scripts.gallery.fast_sheet()
    assert len(scripts.gallery.FAST_STYLES) == 12
    assert stored.shape == made.shape and (stored - made).abs().mean() < 0.03


def test_the_sheet_of_notebook_10_is_what_wct_paints_of_pictures_that_nothing_was_trained_on(scripts):
    stored = stylelab.load_image(DATA / "results" / "any_style.jpg")
    made = scripts.gallery.any_style_sheet()
    assert stored.shape == made.shape and (stored - made).abs().mean() < 0.03
    told = json.loads((DATA / "networks" / "decoders.json").read_text(encoding="utf-8"))["held_out"]
    assert set(scripts.gallery.ANY_STYLES) <= set(told["paintings"])
    assert set(scripts.gallery.ANY_CONTENT) <= set(told["photographs"])


def test_a_picture_that_is_not_in_the_gallery_is_named(scripts):
    with pytest.raises(SystemExit, match="not in the gallery: cat_starry"):
        scripts.gallery.main(["cat_starry"])
