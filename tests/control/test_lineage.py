"""What a model was made from, over trainings and merges, from the rows of the runs that made it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.shell.cli import app
from studio.html.run_facts import made_from


@pytest.fixture
def made(workspace, started, dataset):
    """Two stages of training: `general` continues the shipped adapter, `cwe` continues that, and is merged."""

    def make(kind, name, *overrides, files, result):
        run_id, folder = started(kind, f"name={name}", *overrides)
        shutil.copytree(files, folder.artifacts / "model")
        folder.append("state", state="done", result=result)
        workspace.tick()
        return run_id

    adapter = {"model": "adapter", "train_loss": 0.5, "continued_from": "starter-adapter"}
    first = make("train", "general", "model=starter-adapter", "dataset=mine", files=STARTER_ADAPTER, result=adapter)
    then = make("train", "cwe", "model=general", "dataset=mine", files=STARTER_ADAPTER, result=adapter)
    last = make("merge", "whole", "adapter=cwe", files=STARTER_MODEL, result={"usable": True})
    return first, then, last


def test_a_model_is_followed_to_its_base_model(workspace, made):
    first, then, last = made
    assert [(stage.name, stage.kind, stage.run_id, stage.dataset) for stage in workspace.lineage("whole")] == [
        ("whole", "merged", last, ""),
        ("cwe", "adapter", then, "mine"),
        ("general", "adapter", first, "mine"),
        ("starter-adapter", "adapter", None, ""),
        ("starter", "base", None, ""),
    ]


def test_a_model_given_by_its_folder_is_the_one_of_that_folder(workspace, made, started):
    folder = workspace.models.resolve("whole").path
    run_id, _ = started("train", "name=further", f"model={folder}", "dataset=mine")
    assert [stage.name for stage in workspace.origin(workspace.runs.get(run_id))][:2] == ["whole", "cwe"]


def test_of_an_unknown_model_there_is_the_name(workspace):
    assert [(stage.name, stage.kind) for stage in workspace.lineage("/gone")] == [("/gone", "")]


def test_the_folder_of_a_run_names_what_it_continued(workspace, made):
    folder = Path(workspace.runs.get(made[1]).folder)
    assert json.loads((folder / "inputs.json").read_text())["model"]["name"] == "general"


def test_the_shell_lists_models_with_what_they_were_made_from(workspace, made, home):
    listed = CliRunner().invoke(app, ["models", "--json", "--home", str(home)])
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert [stage["name"] for stage in rows["cwe"]["from"]] == ["general", "starter-adapter", "starter"]
    assert rows["starter"]["from"] == []
    shown = CliRunner().invoke(app, ["models", "--home", str(home)], env={"COLUMNS": "200"})
    assert f"general (run {made[0]}, dataset mine) <- starter-adapter <- starter" in shown.stdout


def test_the_page_links_to_the_runs_and_escapes_names(workspace, made):
    drawn = made_from(workspace.origin(workspace.runs.get(made[2])))
    assert f'<a href="?run={made[1]}">cwe (run {made[1]}, dataset mine)</a> ← <a href="?run={made[0]}">general' in drawn
    assert "&lt;b&gt;" in made_from(workspace.lineage("<b>"))
    assert made_from([]) == ""
