"""Predictions: the first guess counts, the outcome comes after it, and nothing gives it away before."""

import json
import re

import pytest
from ipywidgets.widgets import widget as registry

from stylelab import checks
from stylelab.checks import predicting
from stylelab.errors import StylelabError

QUESTION = "How much does the Gram matrix at `relu3_1` change if positions are <b>shuffled</b>?"
CHOICES = ["beyond recognition", "a little", "not at all"]
BECAUSE = "A sum does not know its order."


@pytest.fixture(autouse=True)
def nothing_recorded():
    """No test sees the guesses of another; what it showed is closed."""
    records = (predicting._asked, predicting._guesses, predicting._shown)
    for record in records:
        record.clear()
    yield
    for control in predicting._shown.values():
        control.close()
    for record in records:
        record.clear()


@pytest.fixture
def jupyter(monkeypatch):
    monkeypatch.setattr(predicting, "_in_jupyter", lambda: True)


def ask(answer=2, question=QUESTION, **settings):
    return checks.predict(question, CHOICES, answer, **{"because": BECAUSE, **settings})


def words(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html).split())


def test_the_outcome_is_folded_until_a_guess_is_made(jupyter):
    control = ask()
    assert control.says.value == ""
    assert not any(button.icon or button.button_style for button in control.buttons)
    control.buttons[2].click()
    assert words(control.says.value) == "You said: “not at all”. So it is. A sum does not know its order."
    assert control.last_error is None


def test_a_wrong_guess_is_told_what_is_right(jupyter):
    control = ask()
    control.buttons[0].click()
    assert (
        words(control.says.value)
        == "You said: “beyond recognition”. It is: “not at all”. A sum does not know its order."
    )
    assert [button.icon for button in control.buttons] == ["", "", "check"]
    assert [button.button_style for button in control.buttons] == ["primary", "", ""]


def test_the_first_guess_counts(jupyter, capsys):
    control = ask()
    control.buttons[0].click()
    control.buttons[2].click()
    assert words(control.says.value).endswith("Your first guess counts.")
    assert words(control.says.value).startswith("You said: “beyond recognition”.")
    checks.predictions()
    assert capsys.readouterr().out.startswith("You predicted 0 of 1.")


def test_a_cell_that_is_run_again_knows_the_guess_and_leaves_no_widget(jupyter):
    ask().buttons[1].click()
    first = set(registry._instances)
    again = ask()
    assert "You said: “a little”" in words(again.says.value)
    assert len(registry._instances) == len(first), "the old control is closed with all that it is made of"
    assert {*registry._instances} != first


def test_a_guess_that_is_no_longer_among_the_choices_is_forgotten(jupyter):
    ask().buttons[1].click()
    changed = checks.predict(QUESTION, ["yes", "no"], "no")
    assert changed.says.value == ""


def test_the_sum_at_the_end_names_each(jupyter, capsys):
    ask().buttons[2].click()
    ask(0, "Second?").buttons[0].click()
    ask(0, "Third?").buttons[1].click()
    ask(0, "Fourth?")
    checks.predictions()
    assert capsys.readouterr().out.splitlines() == [
        "You predicted 2 of 3.",
        f"  ✓ {QUESTION} not at all",
        "  ✓ Second? beyond recognition",
        "  ✗ Third? You said: a little. It is: beyond recognition.",
        "  – Fourth? No guess yet.",
    ]


def test_without_a_guess_the_sum_is_kind(jupyter, capsys):
    ask()
    checks.predictions()
    out = capsys.readouterr().out
    assert out.startswith("No guess so far") and "0" not in out


def test_a_page_viewer_has_question_and_choices_and_the_answer_below_a_fold(jupyter):
    control = ask()
    bundle = control._repr_mimebundle_()
    page, fold = bundle["text/html"].split("<details>")
    assert all(choice in page for choice in CHOICES) and "relu3_1" in page
    assert page.rstrip().endswith("<br>" * predicting.FOLD), "the fold is not in sight of the question"
    assert fold.count("not at all") == 1 and BECAUSE in fold and BECAUSE not in page
    assert "<summary>" in fold and fold.endswith("</details>") and "open" not in fold
    assert "application/vnd.jupyter.widget-view+json" in bundle
    control.buttons[0].click()
    after = control._repr_mimebundle_()
    assert after["text/html"] == bundle["text/html"], "a stored page does not depend on a guess"
    assert after["text/plain"] == bundle["text/plain"]


def test_the_text_has_question_and_choices_and_no_answer(jupyter):
    text = ask()._repr_mimebundle_()["text/plain"]
    assert QUESTION in text and "  3. not at all" in text
    assert text.count("not at all") == 1 and BECAUSE not in text


@pytest.mark.parametrize("where", ["page", "control"])
def test_markup_is_escaped_and_code_is_shown_as_code(jupyter, where):
    control = checks.predict(QUESTION, ["<i>x</i>", "`y`"], 1, "<script>")
    control.buttons[0].click()
    html = control._repr_mimebundle_()["text/html"]
    shown = html if where == "page" else control.children[0].value + control.says.value
    assert "&lt;b&gt;shuffled&lt;/b&gt;" in shown and "<code>relu3_1</code>" in shown
    assert "<i>" not in shown and "<script>" not in shown
    assert control.buttons[1].description == "y"


def test_outside_jupyter_it_is_printed_without_the_answer(capsys):
    assert ask() is None
    out = capsys.readouterr().out
    assert "  1. beyond recognition\n  2. a little\n  3. not at all" in out
    assert out.count("not at all") == 1 and BECAUSE not in out
    assert "what follows in the notebook has the answer" in out
    assert not predicting._shown


@pytest.mark.parametrize("answer", [2, "not at all"])
def test_the_answer_is_a_choice_or_its_place(jupyter, answer):
    control = ask(answer)
    control.buttons[2].click()
    assert "So it is" in control.says.value


def test_choices_may_be_numbers(jupyter):
    assert checks.predict("How many?", [8, 12, 16], 16).question.answer == "16"
    assert checks.predict("How many then?", [8, 12, 16], 0).question.answer == "8"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((QUESTION, CHOICES, "never"), "'never' is none of the choices beyond recognition, a little, not"),
        ((QUESTION, CHOICES, 3), "answer 3 is none .* from 0 to 2"),
        ((QUESTION, CHOICES, -1), "answer -1 is none"),
        ((QUESTION, CHOICES, True), "answer True is none"),
        ((QUESTION, ["yes"], 0), "two or more"),
        ((QUESTION, ["yes", "yes"], 0), "all different"),
        ((QUESTION, "yes", 0), "give a list"),
        (("  ", CHOICES, 0), "give the question as a text"),
        ((None, CHOICES, 0), "give the question as a text"),
    ],
)
def test_an_author_s_mistake_is_found_before_the_guess(arguments, complaint):
    with pytest.raises(StylelabError, match=complaint):
        checks.predict(*arguments)


def test_a_broken_callback_is_one_line_and_is_kept(jupyter, monkeypatch):
    control = ask()

    def broken(choice):
        raise KeyError("<b>")

    monkeypatch.setattr(control, "guess", broken)
    control.buttons[0].click()
    assert isinstance(control.last_error, KeyError)
    assert "KeyError" in control.says.value and "&lt;b&gt;" in control.says.value


def test_names_are_listed_and_an_unknown_one_is_an_attribute_error():
    assert {"predict", "predictions"} <= set(dir(checks))
    with pytest.raises(AttributeError, match="no attribute 'predicted'"):
        checks.predicted  # noqa: B018


def test_the_course_s_questions_are_questions(jupyter):
    known = json.loads(predicting.QUESTIONS.read_text(encoding="utf-8"))
    places = [question["answer"] for question in known.values()]
    assert len(known) >= 30 and max(map(places.count, places)) < 0.6 * len(places), "one place is no answer"
    for name, question in known.items():
        control = checks.ask(name)
        assert control.question.text == question["question"] and len(question["choices"]) >= 2
        assert question["because"].endswith("."), name
    with pytest.raises(StylelabError, match="did you mean 01/shuffle-pixels"):
        checks.ask("01/shuffle_pixels")
