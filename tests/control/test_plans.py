"""Plans by what earlier runs of the home measured: which run counts, what is not known is not invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.control.bench_files import read
from engine.errors import UserError
from engine.plan import COST, DISK, GPU_HOURS, READ, TESTS, TIME, TRAINED, WRITTEN, Cluster
from engine.rundir import RunDir
from engine.spec_files import read_spec
from storage import queries
from storage.tables import Run

REPAIRED = {"loading": 4.0, "writing": 10.0, "working": 20.0, "made": 120, "asked_bugs": 12, "workers": 4,
            "asked": 108, "tested": 108, "testing": 54.0, "first_test": 1.0}  # fmt: skip
STEPPED = {"tokens": 10_000, "steps": 10, "training": 50.0, "evaluations": 1, "evaluating": 5.0, "checkpoints": 1,
           "saving": 2.0}  # fmt: skip
BENCHMARK = ("benchmark", "candidates=10", "model=starter-adapter", 'benchmark.languages=["python"]')


@pytest.fixture
def done(workspace, started, monkeypatch):
    """Make a run with these rates that took some seconds, on so many cards."""
    monkeypatch.setattr("engine.control.measured.gpus", lambda: ())

    def make(seconds, rates, kind, *overrides, cards=0, **result):
        run_id, folder = started(kind, *overrides)
        folder.append("state", state="running", cards=cards)
        folder.append("state", state="done", result={"rates": rates, **result})
        workspace.tick()
        with workspace._database.write() as session:
            run = session.get_one(Run, run_id)
            assert run.state == "done", run.error
            run.started_at, run.ended_at = 1000.0, 1000.0 + seconds
        return run_id

    return make


def planned(workspace, kind, *overrides, cluster=None, bench=()):
    return workspace.plan(read_spec(kind, "", list(overrides)), cluster or Cluster(), bench)


def test_a_benchmark_run_as_long_as_a_short_one_says(workspace, done):
    run_id = done(25.0, REPAIRED, *BENCHMARK, "limit=12")
    plan = planned(workspace, *BENCHMARK)
    assert plan.seconds == pytest.approx(5.0 + 46 * 20.0 / 12)
    assert plan.line(TIME).source.startswith(f"run {run_id} on ")
    assert plan.line(TESTS).value == round(46 * 12 * 108 / (12 * 12))
    assert plan.line(GPU_HOURS) is None, "there is no card"
    assert plan.line(COST) is None, "nothing has a price here"
    assert plan.line(DISK).value > 0
    assert not plan.first


def test_the_larger_of_two_runs_counts_and_other_settings_do_not(workspace, done):
    done(25.0, REPAIRED, *BENCHMARK, "limit=12")
    larger = done(60.0, {**REPAIRED, "made": 460, "working": 50.0}, *BENCHMARK)
    done(9.0, {**REPAIRED, "made": 999}, *BENCHMARK[:-1], "generator.max_new_tokens=8")
    assert planned(workspace, *BENCHMARK).line(TIME).source.startswith(f"run {larger} ")


def test_without_a_run_like_it_the_time_is_not_known_and_a_short_run_is_named(workspace, done):
    done(25.0, REPAIRED, *BENCHMARK, "limit=12")
    plan = planned(workspace, *BENCHMARK, "model=starter")
    assert plan.seconds is None
    assert "--set limit=12" in plan.first
    assert plan.line(TESTS).value == 414, "how many tests there are is known of the same benchmark"
    elsewhere = planned(workspace, *BENCHMARK, "launcher.gpu_price=2", cluster=Cluster(8, 4))
    assert (elsewhere.seconds, elsewhere.cards, elsewhere.line(COST).value) == (None, 32, None)


def test_on_cards_the_hours_and_their_price(workspace, done):
    done(25.0, REPAIRED, *BENCHMARK, "limit=12", cards=1)
    plan = planned(workspace, *BENCHMARK, "launcher.gpu_price=2", "launcher.currency=EUR", cluster=Cluster(2, 4, 64))
    writing = 46 * 10.0 / 12 / 8
    assert plan.seconds == pytest.approx(5.0 + writing)
    assert plan.serial_s == 5.0
    assert plan.line(GPU_HOURS).value == pytest.approx(8 * plan.seconds / 3600)
    assert (plan.line(COST).value, plan.line(COST).unit) == (pytest.approx(2 * plan.line(GPU_HOURS).value), "EUR")
    assert any("multiplied" in note for note in plan.notes)


def test_without_being_asked_it_is_where_the_launcher_would_have_it(workspace, done, dataset):
    with workspace._database.write() as session:
        row = queries.dataset_named(session, dataset)
        row.train_rows, row.report = 800, {**row.report, "mean_tokens": 100.0}
    wanted = ("train", f"dataset={dataset}", "trainer.batch_size=32", "trainer.evaluation=no", "launcher=slurm")
    done(70.0, {**STEPPED, "evaluations": 0, "evaluating": 0.0}, *wanted, "trainer.max_steps=10", cards=1)
    four = ("launcher.nodes=4", "launcher.gpus=8", "launcher.hour_price=1")
    plan, asked = (
        planned(workspace, *wanted, *four, cluster=Cluster(0)),
        planned(workspace, *wanted, cluster=Cluster(4, 8)),
    )
    assert (plan.nodes, plan.cards, plan.seconds) == (4, 32, pytest.approx(asked.seconds))
    assert plan.line(COST).value == pytest.approx(4 * plan.seconds / 3600)
    assert planned(workspace, *wanted, *four, cluster=Cluster(1, 2)).cards == 2


def test_shards_are_planned_as_many_at_a_time_as_the_launcher_has_room_for(workspace, done, mute):
    done(25.0, REPAIRED, *BENCHMARK, "launcher=slurm", "limit=12", cards=1)
    mute.room, mute.needs = lambda: {"jobs": 4.0}, lambda: {"jobs": 1.0}
    one, eight = (
        planned(workspace, *BENCHMARK, "launcher=slurm", *shards, cluster=Cluster(0)) for shards in ([], ["shards=8"])
    )
    assert (one.nodes, one.cards, eight.nodes, eight.cards) == (1, 1, 4, 4)
    assert eight.seconds < one.seconds
    run = workspace.runs.list()[0]
    events = (Path(run.folder) / "events.jsonl").stat().st_size
    assert eight.line(DISK).value - one.line(DISK).value == pytest.approx(events * 460 / 120)


def test_a_service_costs_what_its_tokens_cost(workspace, done):
    served = (*BENCHMARK, "generator=endpoint", "generator.prompt_price=1", "generator.written_price=2",
              "generator.currency=USD", "model=served")  # fmt: skip
    run_id = done(25.0, REPAIRED, *served, "limit=12")
    folder = RunDir(Path(workspace.runs.row(run_id).folder))
    folder.append("bug", id="b", language="python", path="a.py", start=1, end=1, buggy="x", fixed="y")
    folder.append("patch", bug_id="b", source="model", rank=1, text="z", verdict={"outcome": "test_failed"},
                  tokens_written=1200, tokens_read=2400)  # fmt: skip
    with workspace._database.write() as session:
        session.get_one(Run, run_id).state = "running"
    workspace.tick()
    with workspace._database.write() as session:
        session.get_one(Run, run_id).state = "done"
    plan = planned(workspace, *served)
    assert (plan.line(WRITTEN).value, plan.line(READ).value) == (4600, 9200)
    assert (plan.line(COST).value, plan.line(COST).unit) == (pytest.approx(18_400 / 1e6), "USD")


def test_a_training_by_its_tokens(workspace, done, dataset):
    with workspace._database.write() as session:
        row = queries.dataset_named(session, dataset)
        row.train_rows, row.valid_rows = 800, 40
        row.report = {**row.report, "rows": {"train": 800, "valid": 40}, "mean_tokens": 100.0}
    wanted = ("train", f"dataset={dataset}", "trainer.batch_size=16", "trainer.epochs=2")
    done(70.0, STEPPED, *wanted, "trainer.max_steps=10", trainable_parameters=1)
    plan = planned(workspace, *wanted)
    assert plan.line(TRAINED).value == 160_000
    # 13 s to start, for the first step and to write the model; an evaluation and a checkpoint after each of two epochs
    assert plan.seconds == pytest.approx(13.0 + 160_000 * 0.99 * 0.005 + 2 * 5.0 + 2 * 2.0)
    unknown = planned(workspace, *wanted, "model=starter-adapter")
    assert (unknown.seconds, "trainer.max_steps=10" in unknown.first) == (None, True)
    with pytest.raises(UserError, match="the 16 rows of a batch cannot be shared by 32 GPUs"):
        planned(workspace, *wanted, cluster=Cluster(8, 4))


def test_a_build_by_the_rows_of_its_source(workspace, done, monkeypatch):
    result = {"rows": {"train": 90, "valid": 5}, "hash": "abc", "max_tokens": 100}
    done(6.0, {"loading": 1.0, "reading": 4.0, "read": 100}, "dataset", "name=few", "builder.samples=100", **result)
    assert planned(workspace, "dataset", "builder.samples=1000").seconds == pytest.approx(2.0 + 40.0)
    assert planned(workspace, "dataset", "builder.samples=1000", "max_tokens=64").seconds is None
    alone = planned(workspace, "dataset", "builder.samples=1000", cluster=Cluster(4))
    assert (alone.seconds, alone.notes[0][:22]) == (pytest.approx(42.0), "a build is one process")
    shared = planned(workspace, "dataset", "builder.samples=1000", "shards=8", cluster=Cluster(4))
    assert (shared.seconds, shared.notes[0][:22]) == (pytest.approx(42.0), "each shard reads the w")
    monkeypatch.setattr("engine.control.plan_dataset.is_found_in_parts", lambda plugin: True)
    shared = planned(workspace, "dataset", "builder.samples=1000", "shards=8", cluster=Cluster(4))
    assert (shared.seconds, shared.notes[0][:11]) == (pytest.approx(2 * 2.0 + 10.0), "4 of 8 shar")


def test_a_card_that_bench_has_measured(workspace, done, tmp_path):
    size = 12_800_000
    file = tmp_path / "h200.json"
    file.write_text(json.dumps({"shape": "starter", "device": "H200", "parameters": size, "prompts_per_s": 20.0,
                                "beams": 10, "seconds": [1.0]}))  # fmt: skip
    done(25.0, REPAIRED, *BENCHMARK, "limit=12")
    bench = read([file])
    model = workspace.models.config(workspace.models.resolve("starter"))
    from engine.models.shape import Shape

    assert bench[0].fits(Shape.of(model).parameters), Shape.of(model).parameters
    plan = planned(workspace, *BENCHMARK, "model=starter", cluster=Cluster(1, 1, 100), bench=bench)
    assert plan.seconds == pytest.approx(46 / 20.0)
    assert "H200" in plan.line(TIME).source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not JSON"),
        ("[]", "is no result of bench"),
        ('{"shape": "x", "device": "y", "parameters": 5}', "has neither"),
        ('{"shape": "x", "device": "y", "parameters": 0, "prompts_per_s": 1}', "parameters: should be greater than 0"),
    ],
)
def test_a_wrong_file_of_bench_is_a_sentence(tmp_path, text, said):
    file = tmp_path / "b.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=said):
        read([file])


def test_what_is_not_planned_says_so(workspace):
    with pytest.raises(UserError, match="a merge is not planned; plan one of: benchmark, train, dataset"):
        planned(workspace, "merge")
    with pytest.raises(UserError, match="there is no dataset"):
        planned(workspace, "train", "dataset=gone")
