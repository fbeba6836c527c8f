"""What workers keep of the time they took, for plans: verdicts asked for and tests run, steps without the first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.domain import Bug, Outcome, Patch, Span, Verdict
from engine.judging import Judge
from engine.trainers.reporting import Reporter


class Benchmark:
    """Every patch fails, and takes a second."""

    def __init__(self, clock):
        self.clock = clock

    def version(self, bug):
        return "1"

    def evaluate(self, bug, patch, sandbox):
        self.clock.now += 1.0
        return Verdict(Outcome.TEST_FAILED, sandbox="none")


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=100.0)
    for module in ("engine.judging.monotonic", "engine.trainers.reporting.time.monotonic"):
        monkeypatch.setattr(module, lambda: made.now)
    return made


def test_verdicts_of_earlier_runs_are_asked_for_and_not_tested(clock, tmp_path):
    bug = Bug("b", "python", "a.py", "x\n", "y\n", Span(1, 1))
    sandbox = SimpleNamespace(describe=lambda: "none")
    judge = Judge(Benchmark(clock), sandbox, tmp_path, 1)
    judge.control(bug)
    for text in ("z\n", "w\n", "z\n"):
        judge.verdict(bug, Patch(bug.id, text))
    assert (judge.asked, judge.tested, judge.seconds, judge.first_s) == (5, 4, 4.0, 1.0)


def test_the_first_step_counts_as_start_and_evaluations_for_themselves(clock, tmp_path):
    run = SimpleNamespace(artifacts=tmp_path, emit=lambda event: None)
    reporter = Reporter(run, [0, 10, 30, 60], 3, 1)
    state = SimpleNamespace(global_step=0, max_steps=3, log_history=[], num_input_tokens_seen=0)
    control = SimpleNamespace()
    reporter.on_train_begin(None, state, control)
    for step, seconds in ((1, 20.0), (2, 4.0), (3, 5.0)):
        clock.now += seconds
        state.global_step = step
        reporter.on_step_end(None, state, control)
        if step == 2:
            clock.now += 7.0
            reporter.on_evaluate(None, state, control)
    assert reporter.rates(3) == {
        "tokens": 50, "steps": 2, "training": 9.0, "evaluations": 1, "evaluating": 7.0, "checkpoints": 0, "saving": 0.0,
    }  # fmt: skip
