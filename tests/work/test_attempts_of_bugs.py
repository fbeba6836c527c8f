"""A benchmark run with a strategy: attempts in their order, what a model is told, what survives a kill or a failure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import pytest
from small_benchmark import bug

from engine.domain import Completion, Model, Outcome, Verdict
from engine.errors import OutsideFailure
from engine.generators import OUT_OF_MEMORY, TOO_LONG
from engine.rundir import Inputs, RunDir
from engine.specs import BenchmarkSpec, overrides_of, parse
from engine.work.benchmark import benchmark

SHOWN = {"name": "ir4_or2", "context": "file", "fim": "starcoder"}
WRONG = [f"    return {sign}\n" for sign in ("a * b", "a % b", "b - a", "a | b", "a & b")]
FIXED = "    return a + b\n"
INPUTS = Inputs(model=Model("served", "endpoint", ""))


def spec_of(candidates=4, strategy=None, **more):
    return BenchmarkSpec(candidates=candidates, representation=SHOWN, strategy=strategy or "test_feedback", **more)


class Scripted:
    """Writes the answers of each bug one after the other, a prompt at a time; the bug is found by its function."""

    is_remote = True
    draws_again = True
    name = "scripted"

    def __init__(self, answers):
        self.answers = answers
        self.asked = []  # (prompts, n, draw) of each call

    def load(self, model, seed):
        pass

    def vocabulary(self):
        return None

    def count(self, texts):
        return [len(text) // 4 for text in texts]

    def room(self):
        return 400

    def bug_of(self, prompt):
        return next(name for name in self.answers if f"def {name}(" in prompt)

    def attempt(self, prompt):
        """How many attempts the prompt tells of."""
        return prompt.count("tried:")

    def generate(self, prompts, n, draw=0):
        self.asked.append((list(prompts), n, draw))
        for index, prompt in enumerate(prompts):
            given = self.answers[self.bug_of(prompt)]
            answer = given[min(self.attempt(prompt) + draw, len(given) - 1)]
            if isinstance(answer, Exception):
                raise answer
            yield index, [Completion(answer, -0.5, 7, 50)] if isinstance(answer, str) else answer


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


@pytest.fixture
def scripted(monkeypatch):
    """Makes the generator of the test from the answers for each bug."""

    def make(made=Scripted, **answers):
        generator = made({"add": WRONG, "sum_of": WRONG, "long": WRONG, **answers})
        monkeypatch.setattr("engine.plugins.GENERATORS.create", lambda params: generator)
        return generator

    return make


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def patches(run, bug_id="small/add"):
    """Rank -> the last event of the model's patch of that rank."""
    return {each["rank"]: each for each in said(run, "patch") if (each["bug_id"], each["source"]) == (bug_id, "model")}


def outcomes(run, bug_id="small/add"):
    return [each["verdict"]["outcome"].value for _, each in sorted(patches(run, bug_id).items())]


def test_attempts_follow_the_verdicts_and_end_at_the_first_plausible_one(small, run, scripted):
    scripted(add=[WRONG[0], WRONG[1], FIXED], sum_of=[FIXED])
    counts = benchmark(spec_of(), INPUTS, run)
    assert outcomes(run) == ["test_failed", "test_failed", "plausible"]
    assert outcomes(run, "small/sum_of") == ["plausible"]
    assert (counts["strategy"], counts["scored"], counts["patches"]) == ("test_feedback", 2, 4)
    assert counts["skipped"] == {"too_long": 1}
    assert (counts["plausible_at"], counts["counted_at"]) == ({"1": 1, "4": 2}, {"1": 2, "4": 2})
    first, second, third = (patches(run)[rank]["prompt"] for rank in (1, 2, 3))
    assert "tried:" not in first
    assert "tried: return a * b" in second
    assert "assert 3 == -1" in second
    assert "tried: return a % b" in third
    last = said(run, "progress")[-1]
    assert last["done"] == last["total"] == 4


def test_a_bug_that_is_never_repaired_has_all_its_attempts(small, run, scripted):
    scripted()
    counts = benchmark(spec_of(3), INPUTS, run)
    assert outcomes(run) == ["test_failed"] * 3
    assert (counts["plausible_at"]["3"], counts["counted_at"]["3"]) == (0, 2)


def test_a_model_that_only_repeats_itself_is_no_longer_asked(small, run, scripted):
    scripted(add=[WRONG[0]])
    counts = benchmark(spec_of(), INPUTS, run)
    assert outcomes(run) == ["test_failed"]
    assert counts["counted_at"]["4"] == 2, "nothing more can come, so it is known not to be repaired"


def test_each_draw_of_a_prompt_is_another_one_and_its_tokens_count(small, run, scripted):
    generator = scripted(add=[WRONG[0], WRONG[0], WRONG[0], FIXED])
    benchmark(spec_of(2), INPUTS, run)
    assert outcomes(run) == ["test_failed", "plausible"]
    draws = [(n, draw) for prompts, n, draw in generator.asked for p in prompts if "add" in p and "tried:" in p]
    assert draws == [(1, 0), (1, 1), (1, 2)]
    assert [patches(run)[rank]["tokens_written"] for rank in (1, 2)] == [7, 21]


class Searching(Scripted):
    """Has the same completions for a prompt whenever it is asked, as beam search has."""

    draws_again = False

    def generate(self, prompts, n):
        self.asked.append((list(prompts), n, 0))
        for index, prompt in enumerate(prompts):
            given = self.answers[self.bug_of(prompt)]
            yield index, [Completion(text, None, 1, 1) for text in (given * n)[:n]]


def test_a_search_is_made_once_for_a_prompt_and_its_completions_are_tried_in_order(small, run, scripted):
    generator = scripted(Searching, add=[*WRONG, FIXED], sum_of=[FIXED])
    counts = benchmark(spec_of(6, {"name": "test_feedback", "bare": 6}), INPUTS, run)
    assert outcomes(run) == ["test_failed"] * 5 + ["plausible"]
    assert counts["plausible_at"]["6"] == 2
    asked = [prompt for prompts, n, _ in generator.asked for prompt in prompts if n == 6]
    assert max(Counter(asked).values()) == 1
    assert len(asked) == 2, "the code alone gave new answers for all attempts"


def test_answers_that_cannot_be_a_repair_are_not_tested(small, run, scripted):
    scripted(Searching, add=["    return a - b\n", "    return a *\n", WRONG[0], FIXED])
    benchmark(spec_of(4, {"name": "test_feedback", "bare": 4}), INPUTS, run)
    assert [patches(run)[rank]["completion"] for rank in sorted(patches(run))] == [WRONG[0], FIXED]


def rows(run):
    """What a page shows of each patch."""
    found = {(each["bug_id"], each["source"], each["rank"]): each for each in said(run, "patch")}
    shown = ("completion", "text", "prompt", "same_as", "tokens_written", "verdict")
    return {key: [str(each[name]) for name in shown] for key, each in found.items()}


def test_a_run_killed_after_any_event_comes_to_the_same_rows(small, run, scripted):
    answers = {"add": [*WRONG[:3], FIXED], "sum_of": WRONG}
    scripted(**answers)
    whole = benchmark(spec_of(), INPUTS, run)
    lines, same = run.events_path.read_bytes().splitlines(keepends=True), rows(run)
    turns = len(said(run, "turn"))
    figures = ("bugs", "scored", "plausible_at", "counted_at", "outcomes", "patches", "skipped")
    for kept in range(0, len(lines), 3):
        run.events_path.write_bytes(b"".join(lines[:kept]) + b'{"seq": 999, "ev')  # in the middle of a line
        generator = scripted(**answers)
        again = benchmark(spec_of(), INPUTS, RunDir(run.path))
        assert rows(run) == same, f"killed after {kept} events"
        assert {name: again[name] for name in figures} == {name: whole[name] for name in figures}
        assert len(said(run, "turn")) == turns, "no turn was said twice"
    assert not generator.asked or len(generator.asked) < 4, "attempts that have a verdict are not written again"


def test_tests_that_cannot_be_run_are_no_failed_attempt(small, run, scripted, monkeypatch):
    scripted(add=[WRONG[0], WRONG[1], FIXED], sum_of=[FIXED])
    whole, tried = small.evaluate, Counter()

    def broken(of, patch, sandbox):
        if WRONG[1] in (patch.text or ""):
            tried[of.id] += 1
            return Verdict(Outcome.NOT_RUN, "no space left on device")
        return whole(of, patch, sandbox)

    monkeypatch.setattr(small, "evaluate", broken)
    counts = benchmark(spec_of(), INPUTS, run)
    assert outcomes(run) == ["test_failed", "not_run"]
    assert patches(run)[2]["verdict"]["reason"] == "no space left on device"
    assert tried == {"small/add": 2}, "it was tried once more"
    assert (counts["plausible_at"]["4"], counts["counted_at"]["4"]) == (1, 1), "not known, and not failed"
    assert not any("a % b" in turn["text"] or (turn["verdict"] is None and "space" in turn["text"])
                   for turn in said(run, "turn"))  # fmt: skip

    monkeypatch.setattr(small, "evaluate", whole)
    counts = benchmark(spec_of(), INPUTS, RunDir(run.path))
    assert outcomes(run) == ["test_failed", "test_failed", "plausible"]
    assert counts["plausible_at"]["4"] == 2


def test_a_bug_whose_known_fix_fails_is_not_attempted_again(small, run, scripted, monkeypatch):
    scripted(sum_of=[FIXED])
    whole = small.evaluate
    fixed = bug("add").fixed
    monkeypatch.setattr(
        small, "evaluate",
        lambda of, patch, box: Verdict(Outcome.TEST_FAILED) if patch.text == fixed else whole(of, patch, box),
    )  # fmt: skip
    counts = benchmark(spec_of(), INPUTS, run)
    assert outcomes(run) == ["not_run"]
    assert "the known fix does not pass its tests here" in patches(run)[1]["verdict"]["reason"]
    assert (counts["scored"], counts["control_failures"]) == (1, 1)


def test_a_prompt_without_room_sets_a_bug_aside_and_a_later_one_ends_its_attempts(small, run, scripted):
    scripted(add=[TOO_LONG], sum_of=[WRONG[0], OUT_OF_MEMORY])
    counts = benchmark(spec_of(), INPUTS, run)
    assert counts["skipped"] == {"too_long": 2}
    assert outcomes(run, "small/sum_of") == ["test_failed", "not_run"]
    assert patches(run, "small/sum_of")[2]["verdict"]["reason"].startswith("out_of_memory")
    assert said(run, "progress")[-1]["total"] == 2


def test_what_was_written_before_the_generator_failed_has_its_verdict_and_the_run_goes_on(small, run, scripted):
    scripted(add=[WRONG[0], OutsideFailure("rate limit reached")], sum_of=[FIXED])
    with pytest.raises(OutsideFailure, match="rate limit"):
        benchmark(spec_of(), INPUTS, run)
    assert outcomes(run) == ["test_failed"]
    scripted(add=[WRONG[0], FIXED])
    assert benchmark(spec_of(), INPUTS, RunDir(run.path))["plausible_at"]["4"] == 2
    assert outcomes(run) == ["test_failed", "plausible"]


def test_without_a_strategy_nothing_differs_from_before(small, run, scripted):
    old = {"kind": "benchmark", "candidates": 2, "representation": SHOWN}
    spec = parse(old)
    assert not any(override.startswith("strategy") for override in overrides_of(spec))
    assert spec.asks_once
    scripted(Searching, add=[FIXED], sum_of=WRONG)
    counts = benchmark(spec, INPUTS, run)
    assert (counts["patches"], "strategy" in counts) == (4, False)
    assert said(run, "turn") == []
    assert all(each["prompt"] == "" for each in said(run, "patch"))
