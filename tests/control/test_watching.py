"""What is said of a training's curves: warnings, how its panel stands; and what its folder and its worker are given."""

from __future__ import annotations

import json
import shlex

import pytest
from typer.testing import CliRunner

from engine.control.outcomes import WORDS
from engine.results import BenchmarkResult, TrainResult
from engine.shell.cli import app


@pytest.fixture
def training(workspace, started, dataset, finished):
    """A training that diverges; its panel was repaired before the first step and twice."""
    run_id, folder = started("train", f"dataset={dataset}", "trainer.panel=pocket")
    panels = {0: 6, 20: 5, 40: 3}
    for step in range(61):
        loss = 2.0 - 0.02 * step if step < 40 else 1.2 + 0.2 * (step - 40)
        values = {"loss": loss} if step else {}
        if step in panels:
            hits = panels[step]
            values |= {"plausible_at_4": hits / 10, "plausible_at_4_bugs": float(hits), "plausible_at_4_of": 10.0,
                       "panel_bugs": 10.0, "panel_seconds": 1.0}  # fmt: skip
        folder.append("metric", step=step, values=values)
    workspace.tick()
    return run_id


def test_a_training_that_diverges_says_so(workspace, training):
    (found,) = workspace.runs.warnings(training)
    assert (found.kind, found.step) == ("diverging", 60)


def test_other_runs_have_no_warnings_and_no_panel(workspace, judged):
    assert (workspace.runs.warnings(judged), workspace.runs.panel(judged)) == ([], [])


def test_the_panel_stands_where_it_was_last_and_at_its_best_after_the_first_step(workspace, training):
    (found,) = workspace.runs.panel(training)
    assert (found.k, found.step, found.share.hits, found.best_step, found.best.hits) == (4, 40, 3, 20, 5)
    assert found.words == "3 of 10 (11% to 60%) at step 40; best 5 of 10 at step 20"


def test_a_shell_shows_both(workspace, training, home):
    workspace.close()
    done = CliRunner().invoke(app, ["runs", "show", str(training), "--home", str(home)])
    words = " ".join(done.output.split())
    assert "diverging: the loss rose from" in words
    assert "plausible@4 3 of 10 (11% to 60%) at step 40; best 5 of 10 at step 20" in words
    assert "panel_seconds" not in words
    told = json.loads(CliRunner().invoke(app, ["runs", "show", str(training), "--home", str(home), "--json"]).stdout)
    assert told["warnings"][0]["kind"] == "diverging"
    assert told["metrics"]["panel_bugs"] == 10


def test_a_folder_has_the_command_of_its_run(workspace, started, dataset, home):
    _, folder = started("train", f"dataset={dataset}", "trainer.rank=4", "seed=3")
    words = shlex.split((folder.path / "command.txt").read_text())
    assert words[:2] == ["repair-studio", "train"]
    assert {"seed=3", "trainer.rank=4", f'dataset="{dataset}"'} <= {*words}
    assert words[-3:] == ["--home", str(home), "--wait"]


def test_only_a_training_that_reports_there_is_given_the_key(workspace, started, dataset, mute, finished):
    run_id, _ = started("train", f"dataset={dataset}")
    assert mute.given == {"WANDB_API_KEY": ""}
    finished(run_id)
    started("train", f"dataset={dataset}", "trainer.report_to_wandb=true")
    assert mute.given == {}


def test_what_chose_a_checkpoint_is_in_its_outcome():
    by_panel = TrainResult(best_step=40, best_value=0.5, chosen_by="plausible_at_4")
    assert WORDS["train"](by_panel) == "best at step 40 by plausible@4 50%"
    assert WORDS["train"](TrainResult(best_step=40, best_value=0.5, chosen_by="eval_loss")) == "best at step 40"
    chosen = BenchmarkResult({"10": 3}, {"10": 9}, 9, caution="chosen by these bugs")
    assert WORDS["benchmark"](chosen) == "3 of 9 bugs plausible@10; its checkpoint was chosen by some of these bugs"
