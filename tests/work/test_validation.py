"""Each patch text is judged once, a bug whose tests cannot tell right from wrong is not scored, nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from engine.domain import Bug, Completion, Outcome, Patch, Span, Verdict
from engine.events import MODEL
from engine.rundir import Inputs, RunDir
from engine.work.validation import Validation

BUG = Bug("b/1", "python", "a.py", "wrong\n", "right\n", Span(1, 1))


class Suite:
    """A benchmark whose verdicts the test writes; counts what was run."""

    def __init__(self, **outcomes):
        self.outcomes = {"right\n": Outcome.PLAUSIBLE, **outcomes}
        self.run = Counter()
        self.counting = threading.Lock()

    def evaluate(self, bug, patch, sandbox):
        with self.counting:
            self.run[patch.text] += 1
        return Verdict(self.outcomes.get(patch.text, Outcome.TEST_FAILED), log=f"ran {patch.text}")


class Whole:
    """The answer is the file; an empty one is no patch, a cut one keeps its first line."""

    def decode(self, completion, bug):
        return Patch(bug.id, completion or None, "" if completion else "empty")

    def trim(self, completion, bug):
        return completion.splitlines(keepends=True)[0]


@pytest.fixture
def folder(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def judged(folder, tests, *answers, finished=True):
    """The verdicts by rank (0: the known fix, -1: the buggy code), and the controls."""
    with ThreadPoolExecutor(2) as pool:
        judge = Validation(tests, Whole(), None, folder, pool)
        judge.start(BUG)
        judge.candidates(BUG, [Completion(answer, is_finished=finished) for answer in answers])
        control = judge.wait()[BUG.id]
    return {rank: verdict for (_, source, rank), verdict in judge.verdicts.items() if source == MODEL}, control


def patches(folder):
    return [event.fields for event in folder.events().events if event.kind == "patch"]


def test_equal_patches_are_run_once_and_say_whose_verdict_they_have(folder):
    tests = Suite()
    verdicts, _ = judged(folder, tests, "a\n", "right\n", "a\n", "")
    outcomes = [verdicts[rank].outcome.value for rank in (1, 2, 3, 4)]
    assert outcomes == ["test_failed", "plausible", "test_failed", "no_patch"]
    assert tests.run["a\n"] == 1
    assert {fields["rank"]: fields["same_as"] for fields in patches(folder) if fields["source"] == MODEL} == {
        1: None, 2: None, 3: 1, 4: None
    }  # fmt: skip


def test_an_answer_that_changes_nothing_has_the_buggy_codes_verdict(folder):
    tests = Suite()
    verdicts, control = judged(folder, tests, "wrong\n")
    assert replace(verdicts[1], stages={}) == control.buggy_code
    assert tests.run["wrong\n"] == 1


def test_an_answer_that_ran_into_its_limit_is_trimmed(folder):
    verdicts, _ = judged(folder, Suite(), "right\nand on and on", finished=False)
    assert verdicts[1].is_plausible


@pytest.mark.parametrize(
    ("outcomes", "trouble"),
    [
        ({"right\n": Outcome.TEST_FAILED}, "the known fix does not pass its tests here"),
        ({"wrong\n": Outcome.PLAUSIBLE}, "the buggy code passes its tests here"),
        ({"right\n": Outcome.NOT_RUN}, "the known fix could not be run"),
        ({"wrong\n": Outcome.NOT_RUN}, "the buggy code could not be run"),
    ],
)
def test_a_bug_that_cannot_be_scored_says_why_and_runs_no_candidate(folder, outcomes, trouble):
    tests = Suite(**outcomes)
    verdicts, control = judged(folder, tests, "a\n", "b\n")
    assert trouble in control.trouble
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.NOT_RUN}
    assert all(trouble in verdict.reason for verdict in verdicts.values())
    assert tests.run["a\n"] == tests.run["b\n"] == 0


def test_a_second_worker_runs_only_what_has_no_verdict_yet(folder):
    first = Suite(**{"c\n": Outcome.NOT_RUN})
    judged(folder, first, "a\n", "b\n", "c\n")
    again = Suite()
    verdicts, _ = judged(folder, again, "a\n", "b\n", "c\n", "d\n")
    assert again.run == {"c\n": 1, "d\n": 1}, "what could not be run is tried again, verdicts stand"
    assert [verdicts[rank].outcome for rank in (1, 2, 3, 4)] == [Outcome.TEST_FAILED] * 4


def test_a_second_worker_that_writes_other_patches_has_them_run(folder):
    judged(folder, Suite(), "right\n", "a\n", "a\n")
    again = Suite()
    verdicts, _ = judged(folder, again, "b\n", "right\n", "b\n", "a\n")
    assert [verdicts[rank].log for rank in (1, 2, 3, 4)] == ["ran b\n", "ran right\n", "ran b\n", "ran a\n"]
    assert [rank for rank in verdicts if verdicts[rank].is_plausible] == [2]
    assert again.run == {"b\n": 1}, "a text that was run before is not run again, at whatever rank it stands now"
    last = {fields["rank"]: fields for fields in patches(folder) if fields["source"] == MODEL}
    assert [(last[rank]["text"], last[rank]["same_as"]) for rank in (1, 2, 3, 4)] == [
        ("b\n", None), ("right\n", None), ("b\n", 1), ("a\n", None)
    ]  # fmt: skip
    third = Suite()
    assert judged(folder, third, "b\n", "right\n", "b\n", "a\n")[0] == verdicts
    assert not third.run


def test_who_a_patch_equals_is_said_again_where_that_is_another_rank_now(folder):
    judged(folder, Suite(), "a\n", "b\n", "a\n")
    again = Suite()
    judged(folder, again, "c\n", "a\n", "a\n")
    assert again.run == {"c\n": 1}
    last = {fields["rank"]: fields for fields in patches(folder) if fields["source"] == MODEL}
    assert [last[rank]["same_as"] for rank in (1, 2, 3)] == [None, None, 2]


def test_a_known_fix_that_was_changed_since_is_run_again(folder, monkeypatch):
    judged(folder, Suite(), "a\n")
    monkeypatch.setitem(globals(), "BUG", replace(BUG, fixed="better\n"))
    again = Suite()
    _, control = judged(folder, again, "a\n")
    assert again.run == {"better\n": 1}
    assert "the known fix does not pass" in control.trouble


def test_what_the_judge_raises_reaches_the_run(folder):
    class Broken(Suite):
        def evaluate(self, bug, patch, sandbox):
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        judged(folder, Broken(), "a\n")


def test_a_known_fix_that_was_changed_meanwhile_is_judged_again(folder):
    judged(folder, Suite(), "a\n")
    lines = folder.events_path.read_text()
    folder.events_path.write_text(lines.replace('"text": "right\\n"', '"text": "other\\n"'))
    again = Suite()
    judged(folder, again, "a\n")
    assert again.run == {"right\n": 1}
