"""Three small bugs whose tests are a comparison of texts, in place of a benchmark and its sandbox."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.domain import Bug, Outcome, Span, Verdict


def bug(name, padding=0):
    buggy = f"def {name}(a, b):\n    return a - b\n" + "x = 1\n" * padding
    return Bug(f"small/{name}", "python", f"{name}.py", buggy, buggy.replace("a - b", "a + b"), Span(2, 2))


class Small:
    """`add`, `sum_of` and `long`, whose file fits no small model."""

    name = "small"

    def __init__(self):
        self.run = Counter()

    def check(self):
        pass

    def bugs(self):
        return [bug("add"), bug("sum_of"), bug("long", padding=400)]

    def skipped(self):
        return {}

    def evaluate(self, bug, patch, sandbox):
        self.run[bug.id] += 1
        return Verdict(Outcome.PLAUSIBLE if patch.text == bug.fixed else Outcome.TEST_FAILED, log="E   assert 3 == -1")


class Sandbox:
    def describe(self):
        return "none needed"


@pytest.fixture
def small(monkeypatch):
    """The one benchmark of this test."""
    made = Small()
    monkeypatch.setattr("engine.plugins.BENCHMARKS.create", lambda params: made)
    for worker in ("benchmark", "loaded_model"):
        monkeypatch.setattr(f"engine.work.{worker}.usable", lambda name: Sandbox())
    return made
