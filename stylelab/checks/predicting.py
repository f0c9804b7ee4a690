"""Predict first: a question, the learner's guess, and only then the outcome.

A guess is recorded once, in this kernel, under its question; a cell that is run again finds it there. What
a page viewer shows instead of the control never depends on a guess: the answer is folded away in it.
"""

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import ipywidgets as widgets
from IPython import get_ipython

from stylelab.errors import StylelabError, unknown

QUESTIONS = Path(__file__).with_name("questions.json")
FOLD = 4  # empty lines between the choices and the folded answer, where there is no kernel
STYLE = (
    "<style>.stylelab-prediction button {height: auto; min-height: 30px; padding: 5px 12px; margin: 3px 2px;"
    " line-height: 1.35; text-align: left; white-space: normal}</style>"
)

_asked: dict[str, "Question"] = {}
_guesses: dict[str, str] = {}
_shown: dict[str, "Prediction"] = {}


@dataclass(frozen=True)
class Question:
    """A question with its choices, of which `answer` is one, and a sentence that says why."""

    text: str
    choices: tuple[str, ...]
    answer: str
    because: str

    def outcome(self, guess: str) -> str:
        """What is said to a guess, as HTML."""
        verdict = "So it is." if guess == self.answer else f"It is: “{_inline(self.answer)}”."
        return f"You said: “{_inline(guess)}”. <b>{verdict}</b> {_inline(self.because)}".rstrip()


def predict(question: str, choices: Sequence, answer, because: str = "") -> "Prediction | None":
    """Asks for a guess before the experiment, and unfolds the outcome once there is one.

    question, because: texts; what stands in `backticks` is shown as code. choices: two or more, all
    different. answer: one of them, or its place, counted from 0. because: a sentence that says why.
    In Jupyter, returns the control, which shows itself at the end of a cell; elsewhere prints the question,
    and not the answer. Raises StylelabError for choices or an answer that make no question.
    """
    asked = _question(question, choices, answer, because)
    _asked[asked.text] = asked
    if _guesses.get(asked.text) not in asked.choices:  # the author has put it differently since
        _guesses.pop(asked.text, None)
    if not _in_jupyter():
        print(_plain(asked))
        return None
    if asked.text in _shown:
        _shown.pop(asked.text).close()
    _shown[asked.text] = made = Prediction(asked)
    return made


def ask(name: str) -> "Prediction | None":
    """`predict` with a question of the course, so that the notebook's own code does not give it away.

    name: of questions.json, as "01/shuffle-features": the notebook's number and the cell that settles it.
    Raises StylelabError for a name that it lacks.
    """
    known = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    if name not in known:
        raise StylelabError(unknown("question", name, known, "the notebooks"))
    return predict(**known[name])


def predictions() -> None:
    """Prints how many of the guesses made in this kernel were right, and which."""
    made = {text: question for text, question in _asked.items() if text in _guesses}
    if not made:
        print("No guess so far: in Jupyter, press what you expect, then run this cell again.")
        return
    right = sum(_guesses[text] == question.answer for text, question in made.items())
    print(f"You predicted {right} of {len(made)}.")
    for text, question in made.items():
        guess, short = _guesses[text], textwrap.shorten(text, 90, placeholder=" …")
        if guess == question.answer:
            print(f"  ✓ {short} {guess}")
        else:
            print(f"  ✗ {short} You said: {guess}. It is: {question.answer}.")
    for text in _asked:
        if text not in _guesses:
            print(f"  – {textwrap.shorten(text, 90, placeholder=' …')} No guess yet.")


class Prediction(widgets.VBox):
    """The control: the question, a button for each choice, and the outcome, empty until there is a guess.

    `last_error` is the last exception of a callback, as in a lab; `close` takes it off the page.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.last_error: Exception | None = None
        self.says = widgets.HTML(layout={"margin": "4px 2px", "width": "auto"})
        self.buttons = [self._button(choice) for choice in question.choices]
        asks = widgets.HTML(
            f'{STYLE}<div style="line-height: 1.45">{_asking(question)}</div>',
            layout={"margin": "2px", "width": "auto"},
        )
        layout = {"width": "100%", "max_width": "760px", "overflow": "visible"}
        super().__init__([asks, *self.buttons, self.says], layout=layout)
        self.add_class("stylelab-prediction")
        self._show()

    def guess(self, choice: str) -> None:
        """Records a guess, if it is the first, and unfolds the outcome."""
        first = _guesses.setdefault(self.question.text, choice)
        self._show(note="" if first == choice else "Your first guess counts.")

    def close(self) -> None:
        """Takes the control, with all that it is made of, off the page and out of ipywidgets' register."""
        for part in (*self.children, self):
            looks = (part.layout, getattr(part, "style", None))
            for widget in (*looks, part):
                if widget is not None:
                    widgets.Widget.close(widget)

    def _button(self, choice: str) -> widgets.Button:
        label = choice.replace("`", "")
        made = widgets.Button(description=label, layout={"width": "auto", "height": "auto"})
        made.on_click(lambda _: self._act(choice))
        return made

    def _act(self, choice: str) -> None:
        try:
            self.guess(choice)
        except Exception as error:  # whatever it is, the page goes on, and says so
            self.last_error = error
            line = escape(f"{type(error).__name__}: {error}"[:400])
            self.says.value = f'<span role="alert" style="color: #b3261e">✗ {line}</span>'

    def _show(self, note: str = "") -> None:
        guess = _guesses.get(self.question.text)
        if guess is None:
            self.says.value = ""
            return
        for choice, button in zip(self.question.choices, self.buttons, strict=True):
            button.button_style = "primary" if choice == guess else ""
            button.icon = "check" if choice == self.question.answer else ""
        said = f"{self.question.outcome(guess)} {note}".strip()
        self.says.value = f'<div role="status" style="line-height: 1.45">{said}</div>'

    def __repr__(self) -> str:
        return _plain(self.question)

    def _repr_mimebundle_(self, **kwargs) -> dict:
        static = {"text/plain": _plain(self.question), "text/html": _page(self.question)}
        return super()._repr_mimebundle_(**kwargs) | static


def _question(question: str, choices: Sequence, answer, because: str) -> Question:
    if not isinstance(question, str) or not question.strip():
        raise StylelabError(f"question {question!r}: give the question as a text")
    if (
        isinstance(choices, str)
        or len({str(choice) for choice in choices}) != len(choices)
        or len(choices) < 2
    ):
        raise StylelabError(f"choices {choices!r}: give a list of two or more, all different")
    texts = tuple(str(choice) for choice in choices)
    is_place = isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(texts)
    if answer not in choices and not is_place:
        raise StylelabError(
            f"answer {answer!r} is none of the choices {', '.join(texts)}; give one of them, or its place, "
            f"from 0 to {len(texts) - 1}"
        )
    right = str(answer) if answer in choices else texts[answer]
    return Question(" ".join(question.split()), texts, right, because.strip())


def _in_jupyter() -> bool:
    return getattr(get_ipython(), "kernel", None) is not None


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _asking(question: Question) -> str:
    return f"<b>Predict first.</b> {_inline(question.text)}"


def _plain(question: Question) -> str:
    lines = [f"Predict first. {question.text}"]
    lines += [f"  {number}. {choice}" for number, choice in enumerate(question.choices, start=1)]
    return "\n".join([*lines, "Make your guess; what follows in the notebook has the answer."])


def _page(question: Question) -> str:
    """What a page viewer shows: the answer below a fold that does not open by itself."""
    choices = "".join(f"<li>{_inline(choice)}</li>" for choice in question.choices)
    answer = f"<p>“{_inline(question.answer)}”. {_inline(question.because)}</p>"
    return (
        f"<p>{_asking(question)}</p><ol>{choices}</ol>{'<br>' * FOLD}"
        f"<details><summary>I have made my guess: show the answer</summary>{answer}</details>"
    )
