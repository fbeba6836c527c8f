"""Learning from verdicts through the product: the shell's verbs, the real worker, sandbox, kill and resume."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.launchers.local import parse_handle
from engine.rundir import RunDir
from engine.spec_files import read_spec

pytestmark = pytest.mark.slow

SMALL = (
    "trainer=grpo", "trainer.benchmark.name=pocket", 'trainer.benchmark.languages=["python"]', "trainer.limit=6",
    "trainer.candidates=4", "trainer.batch_size=8", "trainer.accumulation=1", "trainer.max_new_tokens=24",
    "trainer.learning_rate=1e-3", "trainer.logging_steps=1", "trainer.save_steps=2",
)  # fmt: skip


def sets(*overrides):
    return [word for override in overrides for word in ("--set", override)]


def metrics(folder):
    """Step -> all values of that step."""
    found = {}
    for event in RunDir(Path(folder)).all_events():
        if event.kind == "metric":
            found.setdefault(event.payload.step, {}).update(event.payload.values)
    return found


def rewards_of(folder):
    """Step -> mean reward; other steps may have samples of memory only."""
    return {step: values["reward"] for step, values in metrics(folder).items() if "reward" in values}


def test_rewards_are_plotted_and_the_benchmark_is_not_scored_afterwards(shell):
    made = shell.json("train", *sets("model=starter-adapter", *SMALL, "trainer.max_steps=2", "name=rewarded"), "--wait")
    assert made["state"] == "done"
    values = metrics(made["folder"])[1]
    assert {"reward", "reward_compiles", "reward_tests", "reward_length", "plausible", "not_run", "loss"} <= {*values}
    weighted = 0.2 * values["reward_compiles"] + values["reward_tests"] + 0.1 * values["reward_length"]
    assert values["reward"] == pytest.approx(weighted, abs=1e-5)
    assert values["not_run"] == 0
    said = shell("benchmark", *sets("model=rewarded"), code=2).stderr
    assert "'rewarded' learned from 6 of its 60 bugs by their tests" in said
    assert shell.json("merge", *sets("adapter=rewarded", "name=whole", "parity_bugs=1"), "--wait")["state"] == "done"
    assert "'whole' learned from 6 of" in shell("benchmark", *sets("model=whole"), code=2).stderr
    assert "leave the dataset empty" in shell("train", *sets(*SMALL, "dataset=x"), code=2).stderr


def test_a_killed_training_on_verdicts_ends_with_the_same_weights(home):
    from safetensors.torch import load_file

    workspace = Workspace(home)
    whole, killed = (
        workspace.runs.submit(read_spec("train", "", ["model=starter-adapter", *SMALL, "trainer.max_steps=5"]))
        for _ in range(2)
    )

    def until(holds, seconds=400):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, workspace.runs.log(killed)
            workspace.tick()
            time.sleep(0.1)

    until(lambda: workspace.runs.row(whole).state == "done")
    until(lambda: 3 in rewards_of(workspace.runs.row(killed).folder))
    os.kill(parse_handle(workspace.runs.row(killed).handle)[1], signal.SIGKILL)
    until(lambda: workspace.runs.row(killed).state == "failed")
    workspace.runs.resume(killed)
    until(lambda: workspace.runs.row(killed).state == "done")
    folders = [Path(workspace.runs.row(run).folder) for run in (whole, killed)]
    files = [load_file(folder / "artifacts" / "model" / "adapter_model.safetensors") for folder in folders]
    assert files[0].keys() == files[1].keys()
    assert all((files[0][name] == files[1][name]).all() for name in files[0])
    rewards = [rewards_of(folder) for folder in folders]
    assert rewards[0] == rewards[1]
    assert [*rewards[0]] == [1, 2, 3, 4, 5]
    assert sum(rewards[0].values()) > 0, "something was rewarded, so that the weights depend on it"
    workspace.close()


@pytest.mark.parametrize("trainer", ["dpo", "kto"])
def test_preferences_make_an_adapter_that_can_be_benchmarked(shell, tmp_path, trainer):
    rows = [
        {"prompt": f"def f{n}(a, b):\n    return ", "chosen": f"a + {n}", "rejected": f"a - {n}"} for n in range(40)
    ]
    table = tmp_path / "pairs.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = ("builder=preferences", f"builder.file={table}", "split=random", "valid_fraction=0.2", "name=pairs")
    shell("dataset", "build", *sets(*settings), "--wait")
    own = (f"trainer={trainer}", "trainer.max_steps=6", "trainer.learning_rate=2e-3", "trainer.logging_steps=1")
    made = shell.json("train", *sets("dataset=pairs", "name=preferring", *own), "--wait")
    values = metrics(made["folder"])
    assert values[6]["reward_margin"] > values[1]["reward_margin"], "the better answers become likelier than the worse"
    if trainer == "dpo":
        assert values[1]["reward_margin"] == pytest.approx(0, abs=1e-5), "at first it is its own reference"
        assert any("eval_reward_accuracy" in each for each in values.values())
    run = shell.json("benchmark", "demo", *sets("model=preferring", "limit=2", "candidates=2"), "--wait")
    assert run["state"] == "done"
    again = (f"trainer={trainer}", "trainer.max_steps=2", "model=preferring", "name=again")
    further = shell.json("train", *sets("dataset=pairs", *again), "--wait")
    assert further["state"] == "done", "an adapter is trained further"
    assert not (Path(further["folder"]) / "artifacts" / "model" / "ref").exists(), "the copy to compare with stays out"


def test_a_round_of_rejection_sampling_trains_on_patches_that_passed(shell):
    overrides = (
        'benchmark.benchmark={"name": "pocket", "languages": ["python"]}', "benchmark.generator=beam",
        "benchmark.candidates=10", "dataset.exclude=[]", "dataset.builder.shared=true", "train.trainer.max_steps=2",
        "train.trainer.batch_size=2",
    )  # fmt: skip
    told = shell.json("rounds", "--model", "starter-adapter", "--rounds", "1", *sets(*overrides), "--wait")
    assert [run["state"] for run in told["runs"]] == ["done"] * 3
    assert shell.json("runs", "show", str(told["runs"][2]["id"]))["result"]["steps"] == 2
