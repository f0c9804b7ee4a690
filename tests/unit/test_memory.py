"""What a transfer will need, what there is, and what is said where that does not fit."""

import re
from types import SimpleNamespace

import psutil
import pytest
import torch

from stylelab.cli.command import main
from stylelab.errors import StylelabError, TooLargeError
from stylelab.losses import Moments
from stylelab.networks.extractor import FeatureExtractor
from stylelab.optimisation import memory, running
from stylelab.optimisation.memory import memory_free, memory_needed, memory_told, require_memory
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.running import optimise, transfer
from stylelab.optimisation.terms import recipe_objective

DEFAULT = RECIPES["default"]
FLOAT = DEFAULT.replace(precision="float32")
STARRY_NIGHT = (503, 640)

# Peaks of fresh processes (ru_maxrss in GB, with all of Python and PyTorch) on Linux, two threads:
# (size, steps at each scale, precision), astronaut and starry_night.
MEASURED = {
    (256, 3, "float32"): 0.848,
    (384, 3, "float32"): 1.065,
    (512, 3, "float32"): 1.349,
    (256, 3, "bfloat16"): 0.835,
    (384, 3, "bfloat16"): 0.989,
    (512, 3, "bfloat16"): 1.104,
}


@pytest.mark.parametrize(("size", "steps", "precision"), MEASURED)
def test_the_prediction_agrees_with_what_was_measured(size, steps, precision, random_vgg):
    recipe = DEFAULT.replace(precision=precision, steps=(steps,) * len(DEFAULT.scales))
    predicted = memory.STARTED + memory_needed((size, size), [STARRY_NIGHT], recipe, random_vgg)
    assert predicted / 1e9 == pytest.approx(MEASURED[size, steps, precision], rel=0.15)


# By how many MB ru_maxrss grew on Linux, one thread, over what a transfer at 64 pixels had taken.
GREW = {
    ("gram", 512): 249,
    ("covariance", 512): 423,
    ("moments", 512): 438,
    ("wasserstein", 512): 462,
    ("sliced", 512): 562,
    ("histogram", 512): 574,
    ("patches", 512): 477,
    ("gram", 640): 401,
    ("sliced", 640): 814,
    ("histogram", 640): 839,
    ("patches", 640): 614,
}


@pytest.mark.parametrize(("statistic", "size"), GREW)
def test_so_does_that_of_other_statistics(statistic, size, random_vgg):
    recipe = RECIPES["quick"].replace(statistic=statistic, precision="bfloat16", scales=(1,), steps=(4,))
    predicted = memory_needed((round(size * 427 / 640), size), [STARRY_NIGHT], recipe, random_vgg)
    assert predicted / 1e6 == pytest.approx(GREW[statistic, size], rel=0.2)


def test_a_statistic_of_your_own_is_expected_to_hold_something_too(random_vgg):
    needed = [
        memory_needed((384, 384), [STARRY_NIGHT], DEFAULT.replace(statistic=statistic), random_vgg)
        for statistic in ("gram", Moments())
    ]
    assert needed[0] < needed[1]


@pytest.mark.parametrize(
    ("name", "size", "most"), [("default", 512, 1.6e9), ("default", 1024, 4.5e9), ("fine", 1024, 4.5e9)]
)
def test_the_courses_own_recipes_stay_within_their_goals(name, size, most, random_vgg):
    recipe = RECIPES[name].replace(precision="float32")
    assert memory.STARTED + memory_needed((size, size), [STARRY_NIGHT], recipe, random_vgg) < most


@pytest.mark.parametrize(
    ("recipe", "extractor"),
    [
        (FLOAT, {}),
        (DEFAULT.replace(precision="bfloat16"), {}),
        (FLOAT, {"pooling": "average"}),
        (RECIPES["photorealistic"].replace(precision="float32"), {}),
        (RECIPES["modified-vgg19"].replace(precision="float32"), {"weights": "bundled"}),
        (RECIPES["squeezenet"].replace(precision="float32"), {"network": "squeezenet1_1"}),
    ],
    ids=[
        "default",
        "bfloat16",
        "average pooling",
        "photorealistic",
        "layers before their ReLU",
        "squeezenet",
    ],
)
def test_the_arithmetic_is_what_autograd_keeps(recipe, extractor, random_image):
    network = FeatureExtractor(**{"weights": "random", "device": "cpu", **extractor})
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}

    def kept(side: int) -> int:
        image = random_image(0, side, side)
        terms_of, kept = recipe_objective(image, [(image, 1.0)], recipe, network), {}

        def note(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            terms = terms_of(image.clone().requires_grad_())
        assert terms.requires_grad
        return sum(kept.values())

    # From two sizes, so that what does not grow with the picture (weights, Gram matrices) drops out.
    grown = (kept(128) - kept(64)) / (128**2 - 64**2)
    predicted, _ = memory._per_pixel(recipe, network)
    assert predicted == pytest.approx(grown, rel=0.1)


def test_each_remembered_step_of_l_bfgs_costs_two_images(random_vgg):
    def needed(**changes):
        return memory_needed((300, 200), [], FLOAT.replace(**changes), random_vgg)

    image = 300 * 200 * 3 * 4
    assert needed(steps=(9, 9, 100), history=60) - needed(steps=(9, 9, 100), history=50) == 20 * image
    assert needed(steps=(9, 9, 16), history=60) == needed(steps=(9, 9, 16), history=16), (
        "no more than there are"
    )
    assert needed(optimiser="adam", bounds="clamp") == needed(history=1)


def test_a_painting_counts_where_it_is_much_larger(random_vgg):
    wide = FLOAT.replace(style_scale=4.0)
    small, large = [(64, 64)], [(2000, 2000)]
    assert memory_needed((256, 256), small, FLOAT, random_vgg) == memory_needed(
        (256, 256), large, FLOAT, random_vgg
    )
    assert memory_needed((256, 256), large, wide, random_vgg) > 3 * memory_needed(
        (256, 256), small, wide, random_vgg
    )
    several = memory_needed((256, 256), large * 3, wide, random_vgg)
    assert several == memory_needed((256, 256), large, wide, random_vgg), "they pass one by one"


# --- where it does not fit


def test_too_large_names_the_largest_size_that_fits(random_vgg):
    with pytest.raises(TooLargeError) as caught:
        require_memory((600, 900), [(64, 64)], FLOAT, random_vgg, free=5e8)
    assert isinstance(caught.value, StylelabError)
    assert isinstance(caught.value, MemoryError)
    said = re.fullmatch(
        r"900 × 600 pixels need (\d\.\d) GB of memory more, and 0\.5 GB are free; "
        r"the largest size that fits is (\d+) pixels",
        str(caught.value),
    )
    size = int(said[2])

    def needed(size):
        return memory_needed((round(600 * size / 900), size), [(64, 64)], FLOAT, random_vgg)

    assert float(said[1]) == round(needed(900) / 1e9, 1)
    assert needed(size) <= 5e8 < needed(size + 1)


def test_what_fits_exactly_is_let_through(random_vgg):
    transfer_of = (48, 48), [(50, 64)], FLOAT, random_vgg
    needed = memory_needed(*transfer_of)
    require_memory(*transfer_of, free=needed)
    with pytest.raises(TooLargeError):
        require_memory(*transfer_of, free=needed - 1)


def test_where_nothing_fits_no_size_is_named(random_vgg):
    with pytest.raises(TooLargeError, match=r"and 0\.0 GB are free; close other programs$"):
        require_memory((48, 48), [(50, 64)], FLOAT, random_vgg, free=1e6)


def test_what_does_not_fit_is_not_begun_unless_the_check_is_waived(random_vgg, photo, painting, monkeypatch):
    monkeypatch.setattr(memory, "memory_free", lambda device: 1e6)
    ran = []
    hook = random_vgg.get_submodule("_stages.conv1_1").register_forward_hook(lambda *_: ran.append(1))
    short = {
        "recipe": FLOAT.replace(scales=(1.0,), steps=(1,), style_factors=(1.0,)),
        "extractor": random_vgg,
        "progress": False,
    }
    try:
        with pytest.raises(TooLargeError):
            transfer(photo, painting, **short)
        assert not ran
        with pytest.raises(TooLargeError):
            optimise(photo, painting, FLOAT, random_vgg)
        assert transfer(photo, painting, **short, check_memory=False).history
        assert ran
    finally:
        hook.remove()


# --- what there is


def test_the_least_of_all_limits_counts():
    cpu = torch.device("cpu")
    assert memory_free(cpu, lambda: 8e9, lambda: [3e9, 5e9]) == 3e9
    assert memory_free(cpu, lambda: 2e9, lambda: [3e9, 5e9]) == 2e9
    assert memory_free(cpu, lambda: 8e9, list) == 8e9


def test_every_machine_tells_what_is_available_now(monkeypatch):
    """On macOS and Windows too: what is there, and not all that was ever built in."""
    memory_now = psutil.virtual_memory()
    assert 0 < memory_free(torch.device("cpu")) < memory_now.total
    asked = SimpleNamespace(available=2_000, free=100, total=9_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: asked)
    assert memory_free(torch.device("cpu"), groups=list) == 2_000


def test_limits_of_control_groups_of_both_versions(tmp_path):
    own, root = tmp_path / "cgroup", tmp_path / "fs"
    own.write_text("4:memory:/class/student\n2:cpu:/\n0::/slice/one\n")
    files = {
        "memory/class/student": (
            "memory.limit_in_bytes",
            900,
            "memory.usage_in_bytes",
            500,
            "total_inactive_file 60",
        ),
        "slice/one": ("memory.max", "max", "memory.current", 10, "inactive_file 0"),
        "slice": ("memory.max", 1000, "memory.current", 990, "anon 5\ninactive_file 30"),
    }
    for folder, (limit, most, used, taken, stat) in files.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / limit).write_text(f"{most}\n")
        (root / folder / used).write_text(f"{taken}\n")
        (root / folder / "memory.stat").write_text(f"{stat}\n")
    assert memory._cgroups(own, root) == [460.0, 40.0]
    assert memory._cgroups(tmp_path / "none", root) == []


def test_cuda_tells_of_its_own_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 100))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 7)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 4)
    assert memory_free(torch.device("cuda")) == 13


# --- the command line


def test_the_command_line_says_what_it_needs_before_it_starts(tmp_path, monkeypatch, capsys, random_vgg):
    def begun(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "transfer", begun)
    out = ("-o", str(tmp_path / "q.png"), "--device", "cpu")
    assert main(["astronaut", "starry_night", *out, "--size", "512"]) == 130
    told = memory_told((512, 512), [STARRY_NIGHT], DEFAULT, random_vgg)
    assert re.fullmatch(r"512 × 512 pixels: about 1\.\d GB of memory", told)
    assert capsys.readouterr().err.startswith(f"transfer: {told}\n")


def test_the_command_line_refuses_what_does_not_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(memory, "memory_free", lambda device: 2e8)
    assert main(["astronaut", "starry_night", "-o", str(tmp_path / "q.png"), "--device", "cpu"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(
        r"stylelab: 384 × 384 pixels need 0\.\d GB of memory more, and 0\.2 GB are free; "
        r"the largest size that fits is \d+ pixels; --force tries all the same",
        last,
    )
    assert not list(tmp_path.iterdir())
