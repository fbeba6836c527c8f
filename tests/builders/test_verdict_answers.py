"""Single answers, right or wrong by their verdicts: none needs a counterpart, and KTO learns from them."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from answered_run import BUGS, ONE, OTHER, new_run, say_bug, say_patch

from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.builders.contract import check
from engine.builders.verdict_answers import VerdictAnswers
from engine.domain import Model
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.specs import parse
from engine.training_set import Shard, rows_in
from engine.work.build import build


def answered(tmp_path, *outcomes, bug_id=ONE, name="6"):
    run = new_run(tmp_path / name)
    say_bug(run, bug_id)
    for rank, outcome in enumerate(outcomes, start=1):
        say_patch(run, rank, outcome, bug_id=bug_id)
    return run


def taken(*runs, **settings):
    funnel = Funnel()
    builder = VerdictAnswers(VerdictAnswers.Params(runs=tuple(str(run.path) for run in runs), **settings))
    return [(each.bug_id, each.is_wrong) for each in builder.stream(0, funnel)], funnel


def test_failed_patches_are_wrong_answers_without_any_right_one(tmp_path):
    found, funnel = taken(answered(tmp_path, "test_failed", "no_patch", "not_run", "compile_error"))
    assert found == [(f"{ONE}, run 6, rank 1", True)]
    assert (funnel.source, sum(funnel.lost.values())) == (4, 3)


def test_plausible_patches_are_right_answers_without_any_wrong_one(tmp_path):
    assert taken(answered(tmp_path, "plausible"))[0] == [(f"{ONE}, run 6, rank 1", False)]


def test_as_many_of_each_kind_as_are_asked_for(tmp_path):
    run = answered(tmp_path, *["plausible", "test_failed"] * 3)
    found, funnel = taken(run, most=2)
    assert [is_wrong for _, is_wrong in found] == [False, True, False, True]
    assert funnel.lost == {"more than 2 right answers to a prompt": 1, "more than 2 wrong answers to a prompt": 1}
    assert len(taken(answered(tmp_path, "compile_error", "timeout", name="7"), wrong="any")[0]) == 2


def test_contract(tmp_path):
    check(VerdictAnswers(VerdictAnswers.Params(runs=(str(answered(tmp_path, "plausible", "test_failed").path),))))


@pytest.fixture
def dataset(tmp_path):
    """Of two bugs: only wrong answers to one, only right ones to the other, and one that is no Python."""
    wrong, right = (
        answered(tmp_path, *["test_failed"] * 3),
        answered(tmp_path, *["plausible"] * 4, bug_id=OTHER, name="7"),
    )
    say_patch(wrong, 4, "compile_error", "   ) broken (\n")
    spec = parse(
        {
            "kind": "dataset", "builder": {"name": "verdict_answers", "runs": [str(wrong.path), str(right.path)],
                                           "wrong": "any"},
            "exclude": [], "split": "random", "valid_fraction": 0.2,
        }
    )  # fmt: skip
    starter = Model("starter", "base", str(STARTER_MODEL))
    run = RunDir.create(tmp_path / "runs" / "1", spec.model_dump(mode="json"), Inputs(model=starter))
    build(spec, run.inputs(), run)
    return run.artifacts


def test_a_dataset_of_them_holds_answers_with_their_labels(dataset):
    assert rows_in(dataset) == "answers"
    rows = [row for side in ("train", "valid") for row in Shard.rows(_shard(dataset / f"{side}.parquet"))]
    assert sorted(row.is_wrong for row in rows) == [False] * 4 + [True] * 4
    assert all(row.n_prompt < row.n_tokens and not row.rejected for row in rows)
    assert {row.buggy for row in rows} == {BUGS[ONE].buggy, BUGS[OTHER].buggy}


@pytest.mark.slow
def test_kto_learns_from_them_and_needs_both_kinds(dataset, tmp_path):
    from engine.trainers.kto import Kto

    starter = Model("starter", "base", str(STARTER_MODEL))
    run = RunDir.create(tmp_path / "runs" / "2", {}, Inputs(model=starter, dataset=str(dataset)))
    params = Kto.Params(rank=4, batch_size=2, max_steps=2, logging_steps=1, learning_rate=1e-3)
    figures = Kto(params).train(starter, dataset, 0, run)
    assert figures["steps"] == 2
    points = [asdict(event.payload)["values"] for event in run.all_events() if event.kind == "metric"]
    assert any("loss" in each for each in points)

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for side in ("train", "valid"):
        table = pq.read_table(dataset / f"{side}.parquet")
        pq.write_table(table.filter(pc.field("is_wrong")), dataset / f"{side}.parquet")
    with pytest.raises(UserError, match="every answer of the dataset is wrong, and kto learns from both kinds"):
        Kto(params).train(starter, dataset, 0, RunDir.create(tmp_path / "runs" / "3", {}, Inputs()))


def test_only_kto_accepts_them():
    from engine.plugins import TRAINERS

    assert [name for name in TRAINERS.names() if "answers" in TRAINERS.plugin(name).accepts] == ["kto"]


def _shard(path):
    made = Shard.__new__(Shard)
    made.path = path
    return made


def test_an_export_says_which_are_right(dataset):
    import io
    import json

    from engine.exchange.datasets import write_jsonl, write_parquet
    from engine.exchange.sides import Exportable

    whole = Exportable("x", dataset, "", {}, lambda: None)
    file = io.BytesIO()
    write_jsonl(whole, file)
    rows = [json.loads(line) for line in file.getvalue().splitlines()]
    assert sorted(row["label"] for row in rows) == [False] * 4 + [True] * 4
    assert {row["label"] for row in rows if row["id"].startswith(OTHER)} == {True}
    write_parquet(whole, io.BytesIO())
