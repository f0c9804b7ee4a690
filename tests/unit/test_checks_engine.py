"""The engine of the checks: whatever a learner's function does ends in one readable sentence."""

import contextlib
import gc
import inspect
import math
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

import stylelab
from stylelab import checks
from stylelab.checks import running
from stylelab.checks.engine import checker, examine
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.checks.running import LINES, run
from stylelab.checks.verdicts import Verdict

EXERCISES = {name: getattr(checks, name).exercise for name in checks.EXERCISES}

double = Exercise(
    name="double",
    signature="double(values)",
    task="Twice the values.\n\nvalues: (n,). Returns (n,).",
    cases=lambda: [
        Case((torch.tensor([1.0]),), "one value", (0,)),
        Case((torch.tensor([1.0, -2.0, 3.0]),), "three values", (0,)),
        Case((torch.linspace(-3, 3, 7),), "seven values", (0,)),
    ],
    reference=lambda values: 2 * values,
    mistakes=(
        Mistake("It is squared.", lambda x: x**2),
        Mistake("It raises.", lambda x: [][1]),
    ),
)


def told(answer, exercise=double, seconds=60.0):
    verdict = examine(exercise, answer, seconds)
    assert verdict.outcome is False
    return verdict.message


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "stylelab-check"]


# what is not attempted


def stub(values):
    """Twice the values."""


def stub_with_lines(values):
    count = len(values)
    return None if count else values


def still_open(values):
    rows = ...
    return rows @ values


def raising(values):
    raise NotImplementedError


@pytest.mark.parametrize(
    "answer",
    [
        None,
        ...,
        NotImplemented,
        stub,
        stub_with_lines,
        still_open,
        raising,
        lambda values: ...,
        lambda values: NotImplemented,
    ],
)
def test_what_is_not_attempted_is_said_kindly(answer):
    verdict = examine(double, answer)
    assert verdict.outcome is None and not verdict.passed
    assert verdict.message == "Not attempted yet. Still to be written: twice the values."
    assert str(verdict).startswith("○ double")


def test_a_form_nobody_wrote_into_is_not_attempted():
    assert examine(EXERCISES["wrong_grams"], dict.fromkeys("abcde", "")).outcome is None


def no_return(values):
    twice = 2 * values
    twice.sum()


def half_returned(values):
    if len(values) < 3:
        return 2 * values


def test_a_missing_return_is_named():
    assert "does not `return` it" in told(no_return)
    assert "in one of its branches" in told(half_returned)


def only_printed(values):
    print(2 * values)


def test_print_in_place_of_return_is_named():
    unseen = {}
    exec("def printed(values):\n    print(2 * values)\n    ...", unseen)  # of which no source is to be had
    for answer in (only_printed, unseen["printed"], lambda values: print(2 * values)):
        assert told(answer) == "It prints, and returns nothing: hand the result back with `return`."
    assert examine(double, stub_that_prints).outcome is None


def stub_that_prints(values):
    print(len(values))
    return None if len(values) else values


# what goes wrong on the way


def endless(values):
    while True:
        with contextlib.suppress(Exception):
            sum(range(100))


def test_an_endless_loop_is_stopped_and_its_thread_is_gone():
    started = time.monotonic()
    assert "not finished after 0.3 seconds" in told(endless, seconds=0.3)
    assert time.monotonic() - started < 5
    assert not threads()


def stubborn(values):
    until = time.monotonic() + 2
    while time.monotonic() < until:
        with contextlib.suppress(BaseException):
            sum(range(100))


def test_what_cannot_be_stopped_holds_up_nobody(monkeypatch):
    """A loop that swallows everything is left behind, and the verdict says so."""
    monkeypatch.setattr(running, "_stop", lambda worker: False)
    assert "goes on in the background" in told(stubborn, seconds=0.1)
    for thread in threads():
        thread.join()


def test_interrupting_the_cell_stops_the_function(monkeypatch):
    def interrupted(thread, timeout=None):
        if thread.name == "stylelab-check" and timeout == 9:
            raise KeyboardInterrupt
        return join(thread, timeout)

    join = threading.Thread.join
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(endless, (torch.ones(1),), seconds=9)
    assert not threads()


def talkative(values):
    for number in range(1_000_000):
        print(number)
    return 2 * values


def test_a_million_printed_lines_are_cut_short(capsys):
    verdict = examine(double, talkative)
    assert f"prints more than {LINES:,} lines" in verdict.message
    assert len(str(verdict).splitlines()) < 12
    assert capsys.readouterr() == ("", "")


def test_a_few_printed_lines_are_shown_with_the_verdict(capsys):
    def answer(values):
        print("shape", tuple(values.shape))
        print("sum", values.sum().item(), file=sys.stderr)
        return 2 * values

    verdict = examine(double, answer)
    assert verdict.passed
    assert "shape (1,)" in str(verdict) and "sum 1.0" in str(verdict)
    assert capsys.readouterr() == ("", "")


def divides(values):
    return values / (1 // 0)


def itself(values):
    return itself(values)


def mutual(values):
    return torch.vmap(mutual)(values)


def test_an_exception_is_one_sentence_with_its_line():
    line = inspect.getsourcelines(divides)[1] + 1
    message = told(divides)
    assert message.startswith(f"It stopped at line {line}, `return values / (1 // 0)`: ZeroDivisionError: ")
    assert "\n" not in message


def test_a_long_exception_is_shortened():
    def answer(values):
        raise ValueError("word\n" * 1000)

    assert len(told(answer)) < 350 and "\n" not in told(answer)


def test_leaving_the_program_or_interrupting_it_ends_only_the_function():
    assert "ends the program" in told(lambda values: sys.exit(3))

    def interrupt(values):
        raise KeyboardInterrupt

    assert "KeyboardInterrupt" in told(interrupt)


def test_endless_recursion_is_named():
    assert "calls itself without end" in told(itself)


def test_an_exception_too_may_be_a_known_mistake():
    assert told(lambda values: [][7]) == "It raises."


def test_wrong_arguments_are_answered_with_the_signature():
    assert told(lambda a, b: a) == "It is called as double(values), and yours takes (a, b)."


def test_what_is_no_function_is_asked_for_the_function():
    assert "the function itself" in told(torch.ones(3))


def test_a_function_of_c_without_signature_can_be_checked():
    assert told(torch.neg) == "Every number is -0.5 times what it should be."


# what comes back


@pytest.mark.parametrize(
    ("answer", "piece"),
    [
        (lambda x: (2 * x).double(), "are float64, and should be float32"),
        (lambda x: (2 * x).int(), "are int32, and should be float32"),
        (lambda x: (2 * x) > 0, "are bool, and should be float32"),
        (lambda x: (2 * x).to(torch.complex64), "are complex64, and should be float32"),
        (lambda x: (2 * x).numpy(), "NumPy"),
        (lambda x: (2 * x).tolist(), "a list; expected a tensor of shape (1,)"),
        (lambda x: "2 x", "a str; expected a tensor"),
        (lambda x: 2.0, "a Python number"),
        (lambda x: 2 * x[None], "shape should be (1,), and yours is (1, 1)"),
        (lambda x: (2 * x).to("meta"), "on the device meta, the input on cpu"),
        (lambda x: 2 * x / (x - x), "infinite"),
        (lambda x: 2 * x * math.nan, "NaN"),
        (lambda x: 2 * x.detach(), "no gradient flows back"),
        (lambda x: -2 * x, "has the wrong sign"),
        (lambda x: 6 * x, "Every number is 3 times"),
        (lambda x: 2 * x + 0.5, "Every number is off by +0.5"),
        (lambda x: 2.002 * x, "Every number is 1.001 times"),
        (lambda x: (2 * x).sum().item() + 0 * x.sum(), "shape should be (1,)"),
        (lambda x: 2 * x + 0.001 * (x < 0), "nearly right, and off by up to 0.001"),
        (lambda x: 2.0007 * x, "The number is nearly right, and off by 0.0007"),
        (lambda x: 0 * x, "All numbers are 0"),
        (lambda x: 2 * x.clamp_min(-1), "The numbers are different"),
        (lambda x: 2 * x + x.detach() - x, "the gradient that autograd finds is not"),
        (lambda x: x * torch.sqrt((x - x) ** 2) + 2 * x, "NaN or infinite"),
    ],
)
def test_a_wrong_result_is_one_sentence(answer, piece):
    assert piece in told(answer)


WHOLE = Exercise(
    name="whole",
    signature="whole(values)",
    task="Where they stand, and what they are.",
    cases=lambda: [Case((torch.tensor([3.0, 0.0, 0.0]),)), Case((torch.tensor([5.0, 0.0, 0.0, 0.0]),))],
    reference=lambda values: (np.arange(1, 1 + len(values)), values * 2),
    parts=("the places", "the doubles"),
)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: (3 * torch.arange(1, 1 + len(x)), 2 * x), "3 of the 3 numbers of the places are wrong."),
        (lambda x: (torch.arange(len(x)), 2 * x), "3 of the 3 numbers of the places are wrong."),
        (lambda x: (0 * torch.arange(len(x)), 2 * x), "All numbers of the places are 0."),
        (lambda x: (torch.arange(1, 1 + len(x)), 0.7 * x), "The numbers of the doubles are different."),
        (lambda x: 2 * x, "It returns a Tensor; expected the places, the doubles."),
    ],
)
def test_neither_places_nor_one_number_among_zeros_have_a_factor(answer, message):
    assert told(answer, WHOLE) == message


def test_a_number_in_place_of_a_tensor_is_named_where_a_gradient_is_to_flow():
    assert "return the tensor itself" in told(lambda f, p: 3.0, EXERCISES["content_loss"])


def test_a_form_whose_numbers_are_0_was_written_into():
    assert examine(EXERCISES["half_and_half"], {"stained_glass": 0, "starry_night": 0}).outcome is False


def test_autograd_is_noticed_only_where_it_is_asked():
    asks = lambda x: torch.autograd.grad((x.requires_grad_() ** 2).sum(), x)[0]  # noqa: E731
    assert run(asks, (torch.ones(2),), by_hand=True).kind == "autograd"
    assert run(asks, (torch.ones(2),)).kind == "returned"
    assert run(lambda x: 2 * x, (torch.ones(2),), by_hand=True).kind == "returned"


def test_a_result_that_still_asks_for_a_gradient_is_right():
    assert examine(double, lambda x: 2 * (x.clone().requires_grad_() if not x.requires_grad else x)).passed


def test_an_input_changed_in_place_is_named():
    assert told(lambda values: values.mul_(2)).startswith("It changes values in place")

    def shorthand(values):
        values *= 2
        return values

    assert "`*=` and `-=` write in place too" in told(shorthand)


def test_the_inputs_of_a_dict_and_a_network_are_protected():
    features, grams = {"a": torch.ones(1, 1, 1, 1)}, {"a": torch.ones(1, 1, 1)}
    assert run(lambda f, g: f.pop("a"), (features, grams)).kind == "changed"
    assert list(features) == ["a"]
    network = torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Linear(1, 1))
    assert run(lambda n: n.eval(), (network,)).kind == "changed"
    assert run(lambda n: n[1].bias.data.fill_(7), (network,)).kind == "changed"
    assert network.training


def test_random_numbers_are_the_same_each_time_and_nobody_elses():
    before = torch.random.get_rng_state()
    drawn = [run(lambda x: x + torch.rand(1), (torch.zeros(1),)).value for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_gradients_flow_inside_a_check_even_where_they_are_switched_off():
    with torch.no_grad():
        assert examine(double, lambda x: 2 * x).passed


# how it is said


def test_an_unforeseen_answer_is_shown_its_smallest_counterexample():
    verdict = examine(double, lambda x: 2 * x + (len(x) > 1) * x.clamp_min(0))
    assert verdict.about == "three values"
    lines = str(verdict).splitlines()
    assert lines[0] == "✗ double: The numbers are different."
    assert lines[2].split() == ["values", "(3):", "1", "-2", "3"]
    assert lines[3].split() == ["expected", "(3):", "2", "-4", "6"]
    assert lines[4].split() == ["yours", "(3):", "3", "-4", "9"]


def test_a_known_mistake_is_named_by_what_it_does_not_by_how_it_is_written():
    assert told(lambda x: x * x) == told(lambda x: x.abs() ** 2) == "It is squared."


def test_numbers_that_differ_late_are_shown_with_more_figures():
    text = str(examine(double, lambda x: 2.0005 * x + 0.0001 * x**2))
    assert "yours     (1): 2.0006" in text and "expected  (1): 2" in text


def rounded(features):
    rows = features.flatten(2)
    return (rows @ rows.mT / features[0].numel() * 4).round() / 4 + 0 * features.sum()


UNFORESEEN = {  # mistakes that no imitation makes
    "gram_matrix": rounded,
    "content_loss": lambda f, p: (f - p).square().median(),
    "psnr": lambda a, b: -10 * (a - b).square().mean().log10() + a.mean(),
    "total_variation": lambda x: x.diff(dim=-1).abs().mean() * x.diff(dim=-2).abs().mean(),
    "style_loss": lambda maps, grams: sum(a.mean() * maps[name].mean() for name, a in grams.items()),
    "rgb_to_yuv": lambda x: x.sin(),
    "extract_patches": lambda x, size: x.reshape(-1, 1).expand(-1, x.shape[1] * size**2)[: x[:, 0].numel()],
    "least_squares_filter": lambda p, y: p.new_ones(p.shape[1] + 1).cumsum(0),
    "difference_map": lambda filtered, output: filtered - output**2,
    "nearest_patches": lambda q, k, n: (torch.arange(n).expand(len(q), -1), torch.ones(len(q), n)),
    "fold_average": lambda p, shape, size: p[:, :1].reshape(shape[0], 1, *shape[2:]).expand(shape).sin(),
    "adam_step": lambda x, g, m, v, t, rate: (x - g, m + g, v + g),
    "penalty": lambda x: (x - x.clamp(0, 1)).square().mean() ** 1.5,
}


@pytest.mark.parametrize("name", UNFORESEEN)
def test_a_mistake_nobody_foresaw_fails_with_its_counterexample(name):
    verdict = examine(EXERCISES[name], UNFORESEEN[name])
    assert verdict.outcome is False
    assert verdict.message not in {mistake.message for mistake in EXERCISES[name].mistakes}
    assert verdict.inputs and verdict.expected is not None and verdict.yours is not None
    assert "\n    expected" in str(verdict) and "\n    yours" in str(verdict)


def test_at_most_sixteen_numbers_are_shown_with_the_worst_among_them():
    wide = Exercise(
        name="wide",
        signature="wide(x)",
        task="The same.",
        cases=lambda: [Case((torch.zeros(2, 9, 9),))],
        reference=lambda x: x,
    )

    def answer(x):
        x = x.clone()
        x[1, 7, 8] = 5
        return x

    text = str(examine(wide, answer))
    yours = text[text.index("yours") :]
    assert "(2, 9, 9), at [1]" in yours and "from row 5, column 5" in yours
    assert "5" in yours.splitlines()[3].split() and len(yours.splitlines()) == 5


def test_the_learners_text_is_escaped():
    def answer(values):
        print("<script>alert(1)</script>")
        raise ValueError("<b>bold</b> & `x`")

    html = examine(double, answer)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "<b>bold" not in html and "&lt;b&gt;bold&lt;/b&gt; &amp;" in html


def test_the_mark_is_a_symbol_with_words_for_those_who_do_not_see_it():
    for outcome, symbol, words in (
        (True, "✓", "right"),
        (False, "✗", "not right"),
        (None, "○", "not attempted"),
    ):
        html = Verdict("name", outcome, "message")._repr_html_()
        assert symbol in html and f'aria-label="{words}' in html and "color" not in html


def test_a_check_prints_and_returns_whether_it_is_right(capsys):
    check = checker(double)
    assert check(lambda x: 2 * x) is True
    assert capsys.readouterr().out == "✓ double: Right, on all 3 examples.\n"
    assert check(lambda x: x) is False
    assert check(None) is False


def test_in_a_notebook_a_verdict_is_displayed(monkeypatch):
    import IPython
    import IPython.display

    shown = []
    shell = type("Shell", (), {"kernel": object()})()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    assert checker(double)(lambda x: 2 * x)
    assert isinstance(shown[0], Verdict) and "<p>" in shown[0]._repr_html_()


# the exercises as a whole


def test_the_exercises_that_were_asked_for_are_there():
    asked = (
        "gram_matrix gram_gradient content_loss taps total_variation style_loss gatys_loss descent "
        "rgb_to_yuv "
        "keep_luminance linear_match extract_patches psnr least_squares_filter difference_map "
        "nearest_patches "
        "fold_average"
    )
    assert set(asked.split()) <= set(checks.EXERCISES)
    assert stylelab.checks is checks


@pytest.mark.parametrize("name", EXERCISES)
def test_a_check_says_what_it_wants(name):
    check = getattr(checks, name)
    assert check.__name__ == name and name in dir(checks)
    assert EXERCISES[name].signature in check.__doc__ and "Returns True" in check.__doc__


@pytest.mark.parametrize("name", EXERCISES)
def test_every_imitation_is_told_its_own_mistake(name):
    exercise = EXERCISES[name]
    assert exercise.answer or exercise.judge or len(exercise.mistakes) >= 5
    for mistake in exercise.mistakes:
        assert examine(exercise, mistake.imitation).message == mistake.message


@pytest.mark.parametrize("name", EXERCISES)
def test_an_empty_cell_passes_no_exercise(name):
    assert examine(EXERCISES[name], None).outcome is None


@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if not exercise.answer])
@pytest.mark.parametrize(
    "answer", [lambda *a: None, lambda *a: 7.25, lambda *a: torch.zeros(1), lambda *a: a[:1]]
)
def test_nonsense_passes_no_exercise(name, answer):
    """No exercise has 7.25, a zero or its own first input for an answer on all its cases."""
    assert not examine(EXERCISES[name], answer).passed


def test_an_unknown_exercise_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'gram_matrx'"):
        checks.gram_matrx  # noqa: B018


def test_nothing_is_kept_of_an_answer():
    import weakref

    def answer(values):
        return 2 * values

    gone = weakref.ref(answer)
    examine(double, answer)
    del answer
    gc.collect()
    assert gone() is None


def test_a_loop_that_breaks_off_is_watched_no_longer(capsys):
    def descent(loss, image, steps):
        x = image.clone().requires_grad_()
        optimiser = torch.optim.LBFGS([x])
        loss(x).backward()
        optimiser.step(lambda: loss(x))
        raise ValueError("on purpose")

    def kept() -> int:
        gc.collect()
        return len(_global_optimizer_pre_hooks) + len(_global_optimizer_post_hooks)

    before = kept()
    assert not checks.descent(descent)
    assert "on purpose" in capsys.readouterr().out
    assert kept() == before
