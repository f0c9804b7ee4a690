"""Answers to exercises, right and wrong, and what each module of them asserts of the checks."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from stylelab import checks
from stylelab.checks.engine import examine


def verdict_on(name: str, answer: Any):
    """What the check of this name says of an answer."""
    return examine(getattr(checks, name).exercise, answer)


@dataclass
class Answers:
    """A module's answers; a call adds those to one exercise.

    right: the solution of each exercise. others: what is as right, (exercise, answer). wrong: (exercise,
    answer, a piece of what it must be told).
    """

    right: dict[str, Any] = field(default_factory=dict)
    others: dict[str, tuple[str, Any]] = field(default_factory=dict)
    wrong: dict[str, tuple[str, Any, str]] = field(default_factory=dict)

    def __call__(self, name: str, right: Any, *wrong: tuple[Any, str], others: tuple | list = ()) -> None:
        """The solution of an exercise, wrong answers with what each must be told, and other right ones."""
        self.right[name] = right
        self.others.update({f"{name}-{number}": (name, other) for number, other in enumerate(others)})
        self.wrong.update({f"{name}-{number}": (name, *pair) for number, pair in enumerate(wrong)})

    def tests(self) -> type:
        """The tests of all answers so far, for the module to name TestAnswers."""
        right, others, wrong = self.right, self.others, self.wrong

        class TestAnswers:
            @pytest.mark.parametrize("name", right)
            def test_the_solution_passes(self, name):
                verdict = verdict_on(name, right[name])
                assert verdict.passed, verdict

            @pytest.mark.parametrize("case", others)
            def test_another_right_answer_passes(self, case):
                verdict = verdict_on(*others[case])
                assert verdict.passed, verdict

            @pytest.mark.parametrize("case", wrong)
            def test_a_wrong_answer_is_told_its_mistake(self, case):
                name, answer, told = wrong[case]
                verdict = verdict_on(name, answer)
                assert verdict.outcome is False and told in verdict.message, verdict

            def test_every_exercise_has_five_wrong_answers(self):
                for name in right:
                    assert sum(owner == name for owner, _, _ in wrong.values()) >= 5, name

        return TestAnswers
