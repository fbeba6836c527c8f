"""Every verb from a shell, with the real model, trainer and sandbox, only shorter."""

from __future__ import annotations

import csv

import pytest

from engine.control.workspace import Workspace

SHORT_DEMO = (
    "dataset.builder.samples=48",
    "train.trainer.max_steps=3",
    "train.trainer.batch_size=4",
    "merge.parity_bugs=1",
    "benchmark.limit=3",
    "benchmark.candidates=4",
)


@pytest.mark.slow
def test_the_demo_ends_with_its_table_and_everything_can_be_looked_at(shell):
    overrides = [word for override in SHORT_DEMO for word in ("--set", override)]
    rows = shell.json("demo", *overrides)
    assert [row["model"] for row in rows] == ["starter", "demo-adapter", "starter-adapter"]
    assert all(row["scored"] == 3 and row["control_failures"] == 0 for row in rows)
    runs = shell.json("runs", "list")
    assert [run["state"] for run in runs] == ["done"] * 6
    merged = shell.json("runs", "show", "3")
    assert merged["result"]["usable"] is True
    with open(shell("export", "4").stdout.strip(), newline="") as file:
        patches = list(csv.DictReader(file))
    assert {patch["source"] for patch in patches} == {"model", "known_fix", "buggy_code"}
    assert all(patch["sandbox"] for patch in patches if patch["source"] == "known_fix")
    assert "plausible@10" in shell("demo", *overrides).stdout, "a second demo gets other names"


@pytest.mark.slow
def test_a_conversation_is_held_and_kept(shell):
    view = shell.json("chat", "demo", "--set", "bug=pocket/py-clock-format", "--budget", "2")
    assert [turn["role"] for turn in view["turns"]].count("assistant") in (1, 2)
    judged = [turn["outcome"] for turn in view["turns"] if turn["role"] == "assistant"]
    assert all(judged)


def test_a_name_that_means_nothing_is_the_users_error(shell):
    said = shell("benchmark", "--set", "model=gpt", code=2).stderr
    assert said == "repair-studio: model: there is no model or folder 'gpt'; known models: starter, starter-adapter\n"


@pytest.mark.slow
def test_detached_is_the_default_and_the_run_can_be_stopped(shell):
    run = shell.json("dataset", "build", "demo", "--set", "builder.samples=30000")  # half a minute of work
    assert run["state"] in ("starting", "running")
    assert str(run["id"]) in shell("runs", "list").stdout
    shell("runs", "stop", str(run["id"]))
    assert shell.json("runs", "show", str(run["id"]))["state"] == "stopped"
    shell("runs", "log", str(run["id"]))


@pytest.mark.slow
def test_a_demo_is_cancelled_as_one_also_what_is_just_running(shell, home):
    workspace = Workspace(home)
    workspace.demo.start()
    workspace.close()
    assert shell("demo", "--cancel").stdout == "6 runs of the demo stopped\n"
    assert [run["state"] for run in shell.json("runs", "list")] == ["stopped"] * 6
