"""A benchmark run: every bug is emitted, too long ones are counted, and a killed run continues where it stopped."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar

import pytest
from small_benchmark import bug

from engine.domain import Completion, Model
from engine.errors import OutsideFailure, UserError
from engine.generators import TOO_LONG
from engine.generators.beam import Beam
from engine.plugins import REPRESENTATIONS
from engine.rundir import Inputs, RunDir
from engine.specs import BenchmarkSpec
from engine.work.benchmark import benchmark

SPEC = BenchmarkSpec(
    candidates=2, representation={"name": "ir4_or2", "context": "file"}, generator={"name": "beam", "max_new_tokens": 8}
)


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def test_every_bug_is_emitted_and_skipped_ones_are_counted(tiny, small, run):
    counts = benchmark(SPEC, Inputs(model=tiny), run)
    bugs = {fields["id"]: fields for fields in said(run, "bug")}
    assert list(bugs) == ["small/add", "small/sum_of", "small/long"]
    assert bugs["small/long"]["skipped"].startswith("too_long: ")
    assert bugs["small/long"]["prompt_tokens"] > 256 - 8
    assert counts["skipped"] == {"too_long": 1}
    assert (counts["bugs"], counts["scored"], counts["patches"], counts["control_failures"]) == (3, 2, 4, 0)
    assert counts["outcomes"]["plausible"] + counts["outcomes"]["test_failed"] == 4
    assert counts["plausible_at"].keys() == {"1", "2"}
    patches = {(fields["bug_id"], fields["source"], fields["rank"]) for fields in said(run, "patch")}
    assert len(patches) == 2 * (2 + 2), "known fix, buggy code and two candidates of two bugs"


def test_bugs_that_chose_the_models_checkpoint_are_scored_with_a_caution(tiny, small, run, monkeypatch, caplog):
    from engine import chosen_by

    assert benchmark(SPEC, Inputs(model=tiny), run)["caution"] == ""
    monkeypatch.setattr(chosen_by, "caution", lambda model, bugs: f"chosen by {len(bugs)} of these")
    counts = benchmark(SPEC, Inputs(model=tiny), RunDir(run.path))
    assert (counts["caution"], counts["scored"]) == ("chosen by 3 of these", 2)
    assert "chosen by 3 of these" in caplog.text


def test_a_killed_run_continues_without_writing_or_evaluating_anything_twice(tiny, small, run):
    whole = benchmark(SPEC, Inputs(model=tiny), run)
    first = [fields for fields in said(run, "patch") if fields["bug_id"] == "small/add"]
    assert len(first) == 4
    run.events_path.write_bytes(b"")
    for fields in first:
        RunDir(run.path).append("patch", **fields)
    with run.events_path.open("ab") as file:
        file.write(b'{"seq": 5, "ev')  # the kill came in the middle of a line
    small.run.clear()
    again = benchmark(SPEC, Inputs(model=tiny), RunDir(run.path))
    assert small.run["small/add"] == 0
    assert small.run["small/sum_of"] >= 3
    same = ("bugs", "scored", "plausible_at", "outcomes", "patches")
    assert {key: again[key] for key in same} == {key: whole[key] for key in same}


def test_a_killed_run_that_now_draws_other_patches_counts_those(tiny, small, run):
    """The kill came after the first patch of a bug, which was plausible and is not drawn again."""
    whole = benchmark(SPEC, Inputs(model=tiny), run)
    (first,) = (fields for fields in said(run, "patch") if (fields["bug_id"], fields["rank"]) == ("small/add", 1))
    assert first["verdict"]["outcome"] != "plausible"
    fixed = bug("add").fixed
    run.events_path.write_bytes(b"")
    RunDir(run.path).append("patch", **{**first, "text": fixed, "verdict": {"outcome": "plausible"}})
    again = benchmark(SPEC, Inputs(model=tiny), RunDir(run.path))
    assert (again["outcomes"], again["plausible_at"]) == (whole["outcomes"], whole["plausible_at"])


def test_a_long_prompt_is_shortened_around_the_fault_if_asked(tiny, small, run):
    counts = benchmark(SPEC.model_copy(update={"shorten": True}), Inputs(model=tiny), run)
    assert (counts["shortened"], counts["skipped"], counts["scored"]) == (1, {}, 3)
    bugs = {fields["id"]: fields for fields in said(run, "bug")}
    assert bugs["small/long"]["prompt_tokens"] <= 256 - 8 < bugs["small/long"]["whole_tokens"]
    assert bugs["small/add"]["whole_tokens"] is None
    whole = bug("long", padding=400)
    texts = [each["text"] for each in said(run, "patch") if (each["bug_id"], each["source"]) == (whole.id, "model")]
    assert len(texts) == 2
    for text in texts:
        assert text.startswith("def long(a, b):\n")
        assert text.endswith("x = 1\n" * 400), "the patch is of the whole file"


def test_a_resumed_run_shortens_to_the_same_prompt(tiny, small, run, monkeypatch):
    read = []
    whole = Beam.generate

    def generate(self, prompts, n):
        read.append(list(prompts))
        return whole(self, prompts, n)

    monkeypatch.setattr(Beam, "generate", generate)
    spec = SPEC.model_copy(update={"shorten": True})
    benchmark(spec, Inputs(model=tiny), run)
    run.events_path.write_bytes(b"")
    benchmark(spec, Inputs(model=tiny), RunDir(run.path))
    benchmark(spec, Inputs(model=tiny), RunDir(run.path))
    assert read[0] == read[1]
    assert len(read[0]) == 3
    assert read[2] == [], "all of them have their verdicts"


def test_a_bug_whose_span_alone_is_too_long_stays_set_aside(tiny, small, run):
    counts = benchmark(
        SPEC.model_copy(update={"shorten": True, "generator": Beam.Params(max_new_tokens=248)}), Inputs(model=tiny), run
    )
    assert (counts["shortened"], counts["scored"]) == (0, 0)
    assert counts["skipped"] == {"too_long": 3}


class Remote:
    """A service without a tokenizer: what is too long for it turns out when it is asked."""

    is_remote = True

    def load(self, model, seed):
        pass

    def vocabulary(self):
        return None

    def count(self, prompts):
        return None

    def room(self):
        return None

    def generate(self, prompts, n):
        for index, prompt in enumerate(prompts):
            yield index, TOO_LONG if len(prompt) > 1000 else [Completion("    return a + b\n")] * n


def test_a_prompt_that_turns_out_too_long_sets_its_bug_aside(small, run, monkeypatch):
    monkeypatch.setattr("engine.plugins.GENERATORS.create", lambda params: Remote())
    shown = {"name": "ir4_or2", "context": "file", "fim": "starcoder"}
    spec = BenchmarkSpec(candidates=2, representation=shown)
    counts = benchmark(spec, Inputs(model=Model("served", "endpoint", "")), run)
    assert (counts["scored"], counts["patches"], counts["skipped"]) == (2, 4, {"too_long": 1})
    assert said(run, "bug")[-1]["id"] == "small/long"
    assert said(run, "bug")[-1]["skipped"] == "too_long: the generator accepts no prompt of this length"
    assert said(run, "progress")[-1]["done"] == said(run, "progress")[-1]["total"] == 4


class Limited(Remote):
    """Answers the first prompt only."""

    asked: ClassVar[list[int]] = []

    def generate(self, prompts, n):
        self.asked.append(len(prompts))
        yield 0, [Completion("    return a + b\n")] * n
        raise OutsideFailure("rate limit reached")


def test_what_was_written_before_the_generator_failed_is_tested_and_not_written_again(small, run, monkeypatch):
    monkeypatch.setattr("engine.plugins.GENERATORS.create", lambda params: Limited())
    spec = BenchmarkSpec(candidates=2, representation={"name": "ir4_or2", "fim": "starcoder"})
    for patches in (2, 4):
        with pytest.raises(OutsideFailure, match="rate limit"):
            benchmark(spec, Inputs(model=Model("served", "endpoint", "")), RunDir(run.path))
        assert sum(each["source"] == "model" for each in said(run, "patch")) == patches
    assert Limited.asked[1] == Limited.asked[0] - 1


class Knowing(Remote):
    """Writes what was learned for a bug, and then that with more behind it, unfinished."""

    def __init__(self, shown, bugs):
        learned = [REPRESENTATIONS.from_value(shown).for_vocabulary(self.vocabulary()).encode(bug) for bug in bugs]
        self.targets = {sample.prompt: sample.target for sample in learned}

    def vocabulary(self):
        return frozenset({"<fim_prefix>", "<fim_suffix>", "<fim_middle>"})

    def generate(self, prompts, n):
        for index, prompt in enumerate(prompts):
            target = self.targets[prompt]
            yield index, [Completion(target), Completion(f"{target}\n\ndef more(", is_finished=False)]


SHOWN = [
    *({"name": name} for name in REPRESENTATIONS.built_in()),
    *({"name": name, "mark": "literal"} for name in REPRESENTATIONS.built_in() if name.startswith("ir")),
    *({"name": "instruct", "form": form} for form in ("response", "output", "end")),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: "-".join(shown.values()))
def test_a_model_that_writes_what_it_learned_repairs_every_bug(shown, small, run, monkeypatch):
    monkeypatch.setattr("engine.plugins.GENERATORS.create", lambda params: Knowing(shown, small.bugs()))
    spec = BenchmarkSpec(candidates=2, representation=shown)
    counts = benchmark(spec, Inputs(model=Model("served", "endpoint", "")), run)
    assert (counts["scored"], counts["patches"], counts["outcomes"]["plausible"]) == (3, 6, 6)


def test_without_a_model_nothing_is_run(small, run):
    with pytest.raises(UserError, match="no model was named"):
        benchmark(SPEC, Inputs(), run)
