"""Weights & Biases offline: its own files hold losses, settings and tags, and never the key."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.trainers.sft import Sft

TRAINER = {"learning_rate": 1e-2, "batch_size": 4, "rank": 4, "logging_steps": 1, "save_steps": 2, "max_steps": 4}
KEY = "0123456789canary0123456789canary01234567"
BLOCK, HEADER = 32768, 7  # of LevelDB's log format, in which W&B keeps its records


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for name in ("CACHE", "CONFIG", "DATA"):  # which the worker's process sets for itself
        monkeypatch.setenv(f"WANDB_{name}_DIR", "")


def train(tmp_path, model, dataset, **settings):
    run = RunDir.create(tmp_path / "runs" / "7", {"kind": "train", "name": "mine", "seed": 3}, Inputs())
    return run, Sft(Sft.Params(**{**TRAINER, "report_to_wandb": True, **settings})).train(model, dataset, 0, run)


def records(path):
    """The records of a .wandb file: pieces of a type (1 whole, 2 first, 3 middle, 4 last) that lie in blocks."""
    from wandb.proto import wandb_internal_pb2

    data, at, whole = path.read_bytes(), HEADER, b""
    assert data.startswith(b":W&B")
    while at + HEADER <= len(data):
        left = BLOCK - at % BLOCK
        if left < HEADER:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + HEADER])
        whole += data[at + HEADER : at + HEADER + size]
        at += HEADER + size
        if kind in (1, 4) and whole:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def read_back(run):
    (file,) = run.path.glob("wandb/offline-run-*/run-*.wandb")
    return list(records(file))


@pytest.mark.slow
def test_losses_settings_and_tags_are_in_its_files_and_the_key_is_nowhere(tmp_path, tiny, dataset, offline):
    run, figures = train(
        tmp_path, tiny, dataset, wandb_project="repairs", wandb_run="first", wandb_tags="java, lora",
        wandb_watch="all", wandb_log_model=True,
    )  # fmt: skip
    found = read_back(run)
    (told,) = [each.run for each in found if each.WhichOneof("record_type") == "run"]
    assert (told.project, told.display_name, list(told.tags)) == ("repairs", "first", ["java", "lora"])
    config = {each.key: json.loads(each.value_json) for each in told.config.update}
    assert config["trainer"]["learning_rate"] == 0.01
    assert (config["name"], config["seed"]) == ("mine", 3)
    rows = [
        {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in each.history.item}
        for each in found
        if each.WhichOneof("record_type") == "history"
    ]
    losses = {row["step"]: row["loss"] for row in rows if "loss" in row}
    events = {
        e.payload.step: e.payload.values["loss"]
        for e in run.all_events()
        if e.kind == "metric" and "loss" in e.payload.values
    }
    assert losses == pytest.approx(events)
    assert [*losses] == [1, 2, 3, 4]
    assert any(name.startswith("gradients/") for row in rows for name in row)
    assert any(name.startswith("parameters/") for row in rows for name in row)
    kinds = {each.WhichOneof("record_type") for each in found}
    kinds |= {each.request.WhichOneof("request_type") for each in found}
    assert kinds & {"artifact", "log_artifact"}, kinds
    assert figures["steps"] == 4
    holders = [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holders == []
    assert "WANDB_API_KEY" not in os.environ, "what the worker starts after this does not have it"
    assert not list(Path(os.environ["HOME"]).iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["init", "log", "finish"])
def test_what_fails_there_ends_no_training_and_tells_no_key(
    tmp_path, tiny, dataset, offline, broken, monkeypatch, caplog
):
    import wandb

    def failing(*given, **named):
        raise OSError(f"401 for {KEY}")

    place = wandb if broken == "init" else wandb.Run
    monkeypatch.setattr(place, broken, failing)
    _, figures = train(tmp_path, tiny, dataset)
    assert figures["steps"] == 4
    assert "Weights & Biases: 401 for *** (OSError); nothing more is sent" in caplog.text
    assert KEY not in caplog.text
    if wandb.run is not None:
        monkeypatch.undo()
        wandb.finish()


def test_without_a_key_it_is_refused(monkeypatch, tmp_path):
    from engine.trainers.wandb_report import Sent

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    with pytest.raises(UserError, match="WANDB_API_KEY set, or with WANDB_MODE=offline"):
        Sent(Sft.Params(report_to_wandb=True), RunDir(tmp_path), dict)
