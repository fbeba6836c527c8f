"""The bug panel: its figures are a curve, it changes nothing in the training, and the best checkpoint is by it."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from engine.domain import Bug, Outcome, Span, Verdict
from engine.errors import OutsideFailure, UserError
from engine.rundir import Inputs, RunDir
from engine.specs import parse
from engine.trainers.sft import Sft

TRAINER = {"learning_rate": 1e-2, "batch_size": 4, "rank": 4, "logging_steps": 1, "save_steps": 2, "max_steps": 4}
PANEL = {"panel": "pocket", "panel_steps": 2, "panel_candidates": 2, "panel_new_tokens": 4, "panel_count": 3}


def bug(name):
    buggy = f"def {name}(a, b):\n    return a - b\n"
    return Bug(
        f"small/{name}", "python", f"{name}.py", buggy, buggy.replace("a - b", "a + b"), Span(2, 2), failing=("t",)
    )


class Small:
    """Bugs of which each patch fails, but for the known fix and what `passes` says."""

    name = "small"

    def __init__(self):
        self.names = ["one", "two", "three", "four"]
        self.run = Counter()
        self.passes = lambda bug, patch: False
        self.is_down = False

    def check(self):
        pass

    def bugs(self):
        return [bug(name) for name in self.names]

    def skipped(self):
        return {}

    def evaluate(self, bug, patch, sandbox):
        random.random()  # what tests draw is nothing to the training
        control = patch.text in (bug.fixed, bug.buggy)
        if self.is_down and not control:
            return Verdict(Outcome.NOT_RUN, "infra_error")
        self.run[bug.id] += not control
        is_good = patch.text == bug.fixed or (not control and self.passes(bug, patch))
        return Verdict(Outcome.PLAUSIBLE) if is_good else Verdict(Outcome.TEST_FAILED, failed=("t",))


@pytest.fixture
def small(monkeypatch):
    made = Small()
    monkeypatch.setattr("engine.plugins.BENCHMARKS.create", lambda params: made)
    monkeypatch.setattr("engine.trainers.trial_bugs.usable", lambda params: "the sandbox")
    return made


def train(tmp_path, model, dataset, name="run", **settings):
    run = RunDir(tmp_path / name)
    if not run.is_complete:
        run = RunDir.create(tmp_path / name, {}, Inputs(dataset=str(dataset)))
    return run, Sft(Sft.Params(**{**TRAINER, **settings})).train(model, dataset, 0, run)


def said(run, kind):
    return [asdict(event.payload) for event in run.all_events() if event.kind == kind]


def panels(run):
    """Step -> the panel's figures."""
    return {each["step"]: each["values"] for each in said(run, "metric") if "panel_bugs" in each["values"]}


def weights(run):
    from safetensors.torch import load_file

    return load_file(run.artifacts / "model" / "adapter_model.safetensors")


def checkpoints(run):
    return sorted(int(each.name.split("-")[1]) for each in (run.artifacts / "checkpoints").glob("checkpoint-*"))


@pytest.mark.slow
def test_the_panel_is_a_curve_and_the_training_is_the_same_without_it(tmp_path, tiny, dataset, small):
    small.passes = lambda bug, patch: bug.id == "small/one"
    run, figures = train(tmp_path, tiny, dataset, dropout=0.1, **PANEL)
    found = panels(run)
    assert [*found] == [0, 2, 4]
    assert {step: (each["plausible_at_2_bugs"], each["plausible_at_2_of"]) for step, each in found.items()} == {
        0: (1, 3), 2: (1, 3), 4: (1, 3),
    }  # fmt: skip
    assert found[2]["plausible_at_2"] == pytest.approx(1 / 3)
    assert found[2]["plausible_at_2_low"] < 1 / 3 < found[2]["plausible_at_2_high"]
    assert {"plausible_at_1", "panel_not_run", "panel_seconds"} <= found[2].keys()
    assert figures["panel"]["bugs"] == ["small/one", "small/two", "small/three"]
    plain, _ = train(tmp_path, tiny, dataset, "plain", dropout=0.1)
    one, other = weights(run), weights(plain)
    assert all((one[name] == other[name]).all() for name in one)
    losses = [
        [each["values"]["loss"] for each in said(each, "metric") if "loss" in each["values"]] for each in (run, plain)
    ]
    assert losses[0] == losses[1]
    known = json.loads((run.artifacts / "checkpoints" / "checkpoint-2" / "metrics.json").read_text())["metrics"]
    assert known["plausible_at_2"] == {"step": 2, "value": pytest.approx(1 / 3)}
    assert known["loss"]["step"] == 2


@pytest.mark.slow
def test_a_training_on_packed_rows_has_the_panel_of_one_on_padded_rows(tmp_path, tiny, dataset, small, monkeypatch):
    from engine.trainers import panel

    read, texts = panel.Writer.read, {"packed": [], "padded": []}
    for name, settings in {"packed": {"packing": True, "attention": "varlen"}, "padded": {}}.items():
        monkeypatch.setattr(
            panel.Writer, "read", lambda self, tokens, name=name: texts[name].append(tokens) or read(self, tokens)
        )
        run, _ = train(tmp_path, tiny, dataset, name, **{**PANEL, "max_steps": 2}, **settings)
        assert [*panels(run)] == [0, 2]
    assert len(texts["packed"]) == 12
    assert texts["packed"][:6] == texts["padded"][:6]  # before the first step, so of the same weights


@pytest.mark.slow
def test_what_could_not_be_run_is_no_failed_patch(tmp_path, tiny, dataset, small):
    small.is_down = True
    run, _ = train(tmp_path, tiny, dataset, max_steps=2, **PANEL)
    assert [each["panel_not_run"] > 0 for each in panels(run).values()] == [True, True]
    assert not any("plausible_at_1" in each and each["plausible_at_1_of"] == 0 for each in panels(run).values())


@pytest.mark.slow
def test_the_best_checkpoint_is_by_the_panel_and_the_best_ones_are_kept(tmp_path, tiny, dataset, small, monkeypatch):
    from engine import chosen_by
    from engine.domain import Model
    from engine.trainers import panel

    counts = iter([0, 1, 3, 2, 0, 0])  # plausible bugs at steps 0, 2, 4, ...

    def few(outcomes, ranks):
        good = next(counts)
        rows = {
            name: dict.fromkeys((1, 2), "plausible" if at < good else "test_failed") for at, name in enumerate(outcomes)
        }
        return figures(rows, ranks)

    figures = panel.figures
    monkeypatch.setattr(panel, "figures", few)
    run, told = train(
        tmp_path, tiny, dataset, **{**PANEL, "max_steps": 10}, best_checkpoint=True, choose_by="panel", keep_best=2
    )
    assert (told["best_step"], told["chosen_by"], told["best_value"]) == (4, "plausible_at_2", 1.0)
    assert checkpoints(run) == [4, 6, 8, 10]
    made = Model("made", "adapter", str(run.artifacts / "model"), tiny.path)
    assert "chosen by 3 of these 4 bugs" in chosen_by.caution(made, small.bugs())
    assert chosen_by.caution(made, [bug("five")]) == ""


@pytest.mark.slow
def test_a_stop_cuts_the_panel_off_and_the_resumed_run_repairs_it(tmp_path, tiny, dataset, small, monkeypatch):
    from engine.trainers import panel

    monkeypatch.setattr(panel, "BUGS_AT_ONCE", 1)
    tried, stopped = panel.Panel._tried, []

    def stopping(self, trials):
        if self._trainer.state.global_step == 2 and not stopped:
            self._reporter.is_stopping = True
            stopped.append(trials)
        return tried(self, trials)

    monkeypatch.setattr(panel.Panel, "_tried", stopping)
    with pytest.raises(SystemExit):
        train(tmp_path, tiny, dataset, **PANEL)
    run = RunDir(tmp_path / "run")
    assert [*panels(run)] == [0]
    assert len(stopped) == 1, "one bug was tried after the stop, and no more"
    again, _ = train(tmp_path, tiny, dataset, **PANEL)
    whole, _ = train(tmp_path, tiny, dataset, "whole", **PANEL)
    assert [*panels(again)] == [0, 2, 4]
    one, other = weights(again), weights(whole)
    assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.slow
def test_bugs_that_are_trained_on_are_not_in_the_panel(tmp_path, tiny, dataset, small):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = dataset / "train.parquet"
    table = pq.read_table(path)
    ids = ["small/one, run 3, rank 1", *(f"b{n}" for n in range(1, len(table)))]
    codes = [bug("two").fixed.replace("    ", "\t") if n == 1 else "" for n in range(len(table))]
    table = table.set_column(0, "bug_id", pa.array(ids)).append_column("fixed", pa.array(codes))
    pq.write_table(table, path)
    _, figures = train(tmp_path, tiny, dataset, max_steps=1, **PANEL)
    assert figures["panel"]["bugs"] == ["small/three", "small/four"]
    assert figures["panel"]["learned_from"] == 2
    with pytest.raises(UserError, match="the model learns from every bug of it"):
        train(tmp_path, tiny, dataset, "other", max_steps=1, panel_ids="small/one,small/two", **PANEL)
    with pytest.raises(UserError, match="has no small/nine"):
        train(tmp_path, tiny, dataset, "none", max_steps=1, panel_ids="small/nine", **PANEL)


@pytest.mark.slow
def test_the_panel_of_rewards_has_other_bugs_than_those_that_are_learned(tmp_path, tiny, small):
    from engine.trainers.grpo import Grpo

    small.passes = lambda bug, patch: len(patch.text) % 2 == 0
    run = RunDir.create(tmp_path / "run", {}, Inputs())
    params = Grpo.Params(
        rank=4, batch_size=4, accumulation=1, candidates=2, max_new_tokens=4, max_steps=2, logging_steps=1, limit=2,
        benchmark="pocket", learning_rate=1e-3, best_checkpoint=True, choose_by="panel", **(PANEL | {"panel_steps": 1}),
    )  # fmt: skip
    figures = Grpo(params).train(tiny, tmp_path, 0, run)
    assert figures["panel"]["bugs"] == ["small/three", "small/four"]
    assert [*panels(run)] == [0, 1, 2]
    speeds = [each["values"]["tokens_per_s"] for each in said(run, "metric") if "loss" in each["values"]]
    assert len(speeds) == 2
    assert all(speed > 0 for speed in speeds), "prompts and completions of the step, by its time"


@pytest.mark.slow
def test_a_training_on_preferences_has_a_panel(tmp_path, tiny, small):
    from tiny_models import write_preferences

    from engine.trainers.dpo import Dpo

    run = RunDir.create(tmp_path / "run", {}, Inputs())
    params = Dpo.Params(rank=4, batch_size=4, max_steps=2, logging_steps=1, **PANEL)
    Dpo(params).train(tiny, write_preferences(tmp_path / "pairs"), 0, run)
    assert [*panels(run)] == [0, 2]


def test_a_bug_is_shown_as_the_dataset_was_made(tmp_path):
    from engine.trainers.panel_bugs import PanelTrying

    built = RunDir.create(tmp_path / "1", {"representation": {"name": "ir4_or2", "context": "file"}}, Inputs())
    params = Sft.Params(panel="pocket")
    assert PanelTrying.of(params, str(built.artifacts)).representation == '{"name": "ir4_or2", "context": "file"}'
    assert PanelTrying.of(params, str(tmp_path)).representation == "ir4_or2"
    assert PanelTrying.of(Sft.Params(panel="pocket", panel_representation="ir3_or2"), "").representation == "ir3_or2"


def test_the_bugs_are_spread_over_the_benchmark():
    from engine.trainers.panel_bugs import chosen

    bugs = [SimpleNamespace(id=str(number)) for number in range(10)]
    assert [each.id for each in chosen(bugs, Sft.Params(panel="pocket", panel_count=4), {"0"})] == ["1", "3", "5", "7"]
    assert [each.id for each in chosen(bugs, Sft.Params(panel="pocket", panel_ids=" 7, 2"), ())] == ["2", "7"]
    assert len(chosen(bugs, Sft.Params(panel="pocket", panel_count=99), ())) == 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"choose_by": "panel"}, "choose_by panel needs a panel"),
        ({"panel": "no-such"}, "no-such"),
        ({"panel": "pocket", "panel_steps": 0}, "greater than 0"),
        ({"panel": "pocket", "panel_temperature": 1e-320}, "greater than or equal to 0.01"),
        ({"panel": "x" * 1_000_000}, "called 'x{90,99}... of 1,000,000 characters"),
        ({"best_checkpoint": True, "evaluation": "no"}, "best_checkpoint needs evaluations"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Sft.Params(**settings)


def test_a_wrong_setting_of_its_benchmark_is_not_one_of_the_trainers():
    with pytest.raises(UserError) as error:
        parse({"kind": "train", "trainer": {"name": "sft", "panel": {"name": "pocket", "odd": 1}}})
    assert str(error.value) == "trainer.panel.odd: there is no such setting (got 1)"


def test_without_evaluations_a_panel_may_choose():
    assert Sft.Params(best_checkpoint=True, evaluation="no", panel="pocket", choose_by="panel").takes_best


def test_a_panel_that_cannot_be_run_here_says_so(small):
    from engine.trainers.grpo import Grpo

    def missing():
        raise OutsideFailure("no JDK")

    small.check = missing
    for trainer in (Sft(Sft.Params(panel="pocket")), Grpo(Grpo.Params(panel="pocket"))):
        with pytest.raises(OutsideFailure, match="no JDK"):
            trainer.params.check_panel()
