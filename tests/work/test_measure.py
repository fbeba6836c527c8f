"""Measuring a training's memory, and refusing one that does not fit."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny, write_dataset, write_preferences  # noqa: F401

from engine.errors import DoesNotFit, OutsideFailure, UserError
from engine.models.shape import read_config
from engine.rundir import Inputs, RunDir
from engine.specs import MeasureSpec, TrainSpec, parse
from engine.trainers import memory_check
from engine.trainers.memory_calibration import Calibration, key_of, read
from engine.trainers.memory_check import Room, longest_row
from engine.work import measure as measuring
from engine.work.measure import Size, measure, write_longest
from engine.work.train import train
from engine.work.trouble import cause_of

SETTINGS = {"name": "sft", "rank": 2, "batch_size": 4, "max_steps": 2, "evaluation": "no"}
SMALL = Room("cpu", "CPU", 100_000_000)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "set", long_row=200)


def run_of(tmp_path, tiny, dataset, kind="train", **settings):  # noqa: F811
    spec = parse({"kind": kind, "model": "tiny", "dataset": "set", "trainer": {**SETTINGS, **settings}})
    inputs = Inputs(model=tiny, dataset=str(dataset))
    return spec, inputs, RunDir.create(tmp_path / "run", spec.model_dump(mode="json"), inputs)


def test_only_the_longest_rows_that_are_allowed_are_taken(dataset, tmp_path):
    assert longest_row(dataset) == 200
    assert write_longest(dataset, tmp_path / "whole", Size(3, 200)) == 200
    lengths = pq.read_table(tmp_path / "whole" / "train.parquet")["n_tokens"].to_pylist()
    known = sorted(pq.read_table(dataset / "train.parquet")["n_tokens"].to_pylist())
    assert lengths == known[:-4:-1]
    assert write_longest(dataset, tmp_path / "half", Size(1, 100)) == known[-2]


def test_a_preference_is_as_long_as_its_longer_answer(tmp_path):
    folder = write_preferences(tmp_path / "pairs")
    table = pq.read_table(folder / "train.parquet").to_pydict()
    wanted = max(
        max(whole, prompt + len(worse))
        for whole, prompt, worse in zip(table["n_tokens"], table["n_prompt"], table["rejected_ids"], strict=True)
    )
    assert longest_row(folder) >= wanted
    assert write_longest(folder, tmp_path / "longest", Size(2, 1000)) == wanted


def test_a_training_that_does_not_fit_is_refused_with_numbers_and_what_would(tmp_path, tiny, dataset, monkeypatch):  # noqa: F811
    monkeypatch.setattr(memory_check, "free_here", lambda: Room("cpu", "CPU", 640_000_000))
    spec, inputs, run = run_of(tmp_path, tiny, dataset, batch_size=64)
    with pytest.raises(
        DoesNotFit, match=r"needs 1\.1 GB, as estimated, with rows of up to 200 tokens, and 0.6 GB of main"
    ) as raised:
        train(spec, inputs, run)
    assert "it would fit with batch_size " in str(raised.value)
    assert "trainer.start_anyway" in str(raised.value)
    assert cause_of(raised.value, tmp_path)[0] == "does_not_fit"
    assert not (run.artifacts / "model").exists()


def test_what_is_free_is_asked_and_a_measurement_counts(tmp_path, tiny, dataset, monkeypatch):  # noqa: F811
    monkeypatch.setattr(memory_check, "free_here", lambda: Room("cpu", "CPU", 5 * 10**9))
    spec, inputs, run = run_of(tmp_path, tiny, dataset)
    key = key_of(read_config(Path(tiny.path)), spec.trainer.filled(), "CPU")
    known = {key: {"offset": 6 * 10**9, "factor": 1.0, "run": 3}}
    with pytest.raises(DoesNotFit, match="as measured here"):
        train(spec, Inputs(model=tiny, dataset=str(dataset), calibrations=known), run)


def test_it_can_be_started_anyway(tmp_path, tiny, dataset, monkeypatch):  # noqa: F811
    monkeypatch.setattr(memory_check, "free_here", lambda: SMALL)
    spec, inputs, run = run_of(tmp_path, tiny, dataset, start_anyway=True)
    assert train(spec, inputs, run)["steps"] == 2


def test_a_measurement_trains_without_telling_anybody_and_saves_nothing(tiny):  # noqa: F811
    params = parse(
        {"kind": "train", "trainer": {**SETTINGS, "accumulation": 8, "early_stopping": 2, "evaluation": "epoch"}}
    ).trainer
    short = measuring._short(params.model_copy(update={"report_to_wandb": True}), 3)
    assert (short.batch_size, short.accumulation, short.max_steps) == (3, 1, measuring.STEPS + measuring.SPARE)
    assert (short.report_to_wandb, short.early_stopping, short.evaluation) == (False, None, "no")
    assert short.rank == 2
    assert measuring._sizes(1, 200) == [Size(1, 100), Size(1, 200)]
    assert measuring._sizes(8, 200) == [Size(4, 200), Size(8, 200)]


@pytest.mark.slow
def test_a_measurement_ends_before_the_model_is_written_and_corrects_the_estimate(tmp_path, tiny, dataset):  # noqa: F811
    spec, inputs, run = run_of(tmp_path, tiny, dataset, "measure")
    result = measure(spec, inputs, run)
    assert isinstance(spec, MeasureSpec)
    assert [one["measured"] > 10**8 for one in result["points"]] == [True, True]
    params = spec.trainer.filled()
    assert result["key"] == key_of(read_config(Path(tiny.path)), params, "CPU")
    corrected = read({"k": result | {"run": 1}})["k"]
    assert isinstance(corrected, Calibration)
    found = memory_check.estimated(
        params, read_config(Path(tiny.path)), 200, Room("cpu", "CPU", 0), {result["key"]: corrected}
    )
    assert found.total == pytest.approx(result["peak_memory_bytes"], rel=0.05)
    assert not list(run.artifacts.rglob("model"))


@pytest.mark.slow
def test_a_training_that_cannot_run_fails_the_measurement_with_its_reason(tmp_path, tiny, dataset):  # noqa: F811
    spec, inputs, run = run_of(tmp_path, tiny, dataset, "measure", precision="fp16")
    with pytest.raises(OutsideFailure, match="2 rows of up to 200 tokens could not be trained: fp16 needs a GPU"):
        measure(spec, inputs, run)


def test_a_trainer_without_rows_cannot_be_measured():
    from engine.control.checks import check_settings

    with pytest.raises(UserError, match="grpo has no rows whose lengths are known"):
        check_settings(MeasureSpec.of(parse({"kind": "train", "trainer": {"name": "grpo"}})), waits=False)


def test_the_spec_of_a_measurement_is_that_of_its_training():
    training = parse(
        {"kind": "train", "name": "mine", "dataset": "d", "model": "m", "trainer": {**SETTINGS, "rank": 7}}
    )
    assert isinstance(training, TrainSpec)
    found = MeasureSpec.of(training)
    assert (found.name, found.dataset, found.model, found.trainer.rank) == ("", "d", "m", 7)
