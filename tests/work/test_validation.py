"""Each patch text is evaluated once, a bug with a failed control is not scored, nothing is lost."""

from __future__ import annotations

import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from engine.domain import Bug, Completion, Outcome, Patch, Span, Verdict
from engine.events import MODEL
from engine.rundir import Inputs, RunDir
from engine.work.validation import Validation, known_verdicts, say_bug

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


def proposed(answers):
    """The answer is the file; an empty one is no patch."""
    for rank, answer in enumerate(answers, start=1):
        yield rank, Completion(answer), Patch(BUG.id, answer or None, "" if answer else "empty")


@pytest.fixture
def folder(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def judged(folder, tests, *answers):
    """The verdicts by rank (0: the known fix, -1: the buggy code), and the controls."""
    with ThreadPoolExecutor(2) as pool:
        judge = Validation(tests, None, folder, pool, 2)
        judge.start(BUG)
        judge.candidates(BUG, proposed(answers))
        control = judge.wait()[BUG.id]
    return {rank: verdict for (_, source, rank), verdict in judge.verdicts.items() if source == MODEL}, control


def patches(folder):
    return [asdict(event.payload) for event in folder.events().events if event.kind == "patch"]


def test_equal_patches_are_run_once_and_say_whose_verdict_they_have(folder):
    tests = Suite()
    verdicts, _ = judged(folder, tests, "a\n", "right\n", "a\n", "")
    outcomes = [verdicts[rank].outcome.value for rank in (1, 2, 3, 4)]
    assert outcomes == ["test_failed", "plausible", "test_failed", "no_patch"]
    assert tests.run["a\n"] == 1
    assert {fields["rank"]: fields["same_as"] for fields in patches(folder) if fields["source"] == MODEL} == {
        1: None, 2: None, 3: 1, 4: None
    }  # fmt: skip


def test_each_patch_says_by_which_rule_it_was_found(folder):
    found = [Patch(BUG.id, "right\n", rule=rule) for rule in ("fence:function", "bare:diff", "")]
    with ThreadPoolExecutor(2) as pool:
        judge = Validation(Suite(), None, folder, pool, 2)
        judge.start(BUG)
        judge.candidates(BUG, [(rank, Completion(patch.rule), patch) for rank, patch in enumerate(found, start=1)])
        judge.wait()
    said = {fields["rank"]: fields["rule"] for fields in patches(folder) if fields["source"] == MODEL}
    assert said == {1: "fence:function", 2: "bare:diff", 3: ""}


def test_a_patch_is_compared_with_the_known_fix_and_the_buggy_code(folder):
    judged(
        folder, Suite(**{"right  # so\n": Outcome.PLAUSIBLE}), "right  # so\n", "right\n", "def f(:\n", "wrong\n", ""
    )
    said = {fields["rank"]: fields for fields in patches(folder) if fields["source"] == MODEL}
    assert [said[rank]["is_known_tree"] for rank in (1, 2, 3, 4, 5)] == [True, True, False, False, None]
    assert said[1]["tree"] == said[2]["tree"] != said[4]["tree"]
    assert (said[3]["tree"], said[5]["tree"]) == ("", None)
    assert [said[rank]["edit"] for rank in (1, 2, 4, 5)] == [16, 10, 0, None]


def test_tokens_go_with_each_candidate(folder, monkeypatch):
    def counted(answers):
        return [(rank, Completion(each, -0.5, 4, rank), Patch(BUG.id, each)) for rank, each in enumerate(answers, 1)]

    monkeypatch.setitem(globals(), "proposed", counted)
    judged(folder, Suite(), "a\n", "a\n")
    said = [fields for fields in patches(folder) if fields["source"] == MODEL]
    assert [(fields["tokens_written"], fields["tokens_read"]) for fields in said] == [(4, 1), (4, 2)]


def test_each_answer_without_a_patch_has_its_own_reason(folder, monkeypatch):
    def no_patches(answers):
        return [(rank, Completion(each), Patch(BUG.id, None, f"not {each}")) for rank, each in enumerate(answers, 1)]

    monkeypatch.setitem(globals(), "proposed", no_patches)
    verdicts, _ = judged(folder, Suite(), "code", "a line")
    assert [verdicts[rank].reason for rank in (1, 2)] == ["not code", "not a line"]


def test_an_answer_that_changes_nothing_has_the_buggy_codes_verdict(folder):
    tests = Suite()
    verdicts, control = judged(folder, tests, "wrong\n")
    assert replace(verdicts[1], stages={}) == control.buggy_code
    assert tests.run["wrong\n"] == 1


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
    assert again.run == {"c\n": 1, "d\n": 1}, "what could not be run is tried again, verdicts are kept"
    assert [verdicts[rank].outcome for rank in (1, 2, 3, 4)] == [Outcome.TEST_FAILED] * 4


def test_a_second_worker_that_writes_other_patches_has_them_run(folder):
    judged(folder, Suite(), "right\n", "a\n", "a\n")
    again = Suite()
    verdicts, _ = judged(folder, again, "b\n", "right\n", "b\n", "a\n")
    assert [verdicts[rank].log for rank in (1, 2, 3, 4)] == ["ran b\n", "ran right\n", "ran b\n", "ran a\n"]
    assert [rank for rank in verdicts if verdicts[rank].is_plausible] == [2]
    assert again.run == {"b\n": 1}, "a text that was run before is not run again, whatever its rank is now"
    last = {fields["rank"]: fields for fields in patches(folder) if fields["source"] == MODEL}
    assert [(last[rank]["text"], last[rank]["same_as"]) for rank in (1, 2, 3, 4)] == [
        ("b\n", None), ("right\n", None), ("b\n", 1), ("a\n", None)
    ]  # fmt: skip
    third = Suite()
    assert judged(folder, third, "b\n", "right\n", "b\n", "a\n")[0] == verdicts
    assert not third.run


def test_an_equal_patch_at_another_rank_is_emitted_again(folder):
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


def test_progress_counts_each_candidate_once_whoever_judged_it(folder):
    judged(folder, Suite(**{"c\n": Outcome.NOT_RUN}), "a\n", "right\n", "c\n")
    judged(folder, Suite(), "a\n", "b\n", "c\n", "right\n")
    last = [asdict(event.payload) for event in folder.events().events if event.kind == "progress"][-1]
    assert (last["done"], last["text"]) == (4, "4 of 0 patches evaluated, 1 plausible")


def test_saying_how_far_it_is_takes_no_longer_for_many_patches(folder):
    with ThreadPoolExecutor(1) as pool:
        judge = Validation(Suite(), None, folder, pool, 2)

        class Untouched(dict):
            def __iter__(self):
                raise AssertionError("went through all verdicts while every other thread waits")

            items = values = __iter__

        judge._verdicts = Untouched()
        judge.progress(always=True)


def test_a_large_runs_earlier_events_are_not_held_in_memory(folder):
    text = "x" * (1 << 20)
    for rank in range(1, 41):
        folder.append(
            "patch", bug_id="b/1", source=MODEL, rank=rank, text=f"{rank}{text}", verdict={"outcome": "test_failed"}
        )
    tracemalloc.start()
    try:
        assert len(known_verdicts(folder)) == 40
        RunDir(folder.path).append("progress", done=0, total=None, text="")  # looks for the last number
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_an_exception_in_an_evaluation_fails_the_run(folder):
    class Broken(Suite):
        def evaluate(self, bug, patch, sandbox):
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        judged(folder, Broken(), "a\n")


def test_a_known_fix_that_was_changed_meanwhile_is_evaluated_again(folder):
    judged(folder, Suite(), "a\n")
    lines = folder.events_path.read_text()
    folder.events_path.write_text(lines.replace('"text": "right\\n"', '"text": "other\\n"'))
    again = Suite()
    judged(folder, again, "a\n")
    assert again.run == {"right\n": 1}


def test_a_run_of_the_first_version_keeps_its_verdicts_under_the_names_of_today(folder):
    verdict = {"outcome": "plausible"}
    folder.append("patch", bug_id="quixbugs/gcd", source="model", rank=1, text="right\n", verdict=verdict)
    assert [key[0] for key in known_verdicts(folder)] == ["quixbugs-python/gcd"]


def test_a_bug_tells_its_project_only_where_it_is_one_of_several_bugs(folder):
    for bug in (replace(BUG, project="Lang"), replace(BUG, project=BUG.id), BUG):
        say_bug(folder, bug)
    assert [event.payload.project for event in folder.events(0).events] == ["Lang", "", ""]
