"""The verbs on several runs: sweep, repeat, move, supervise."""

from __future__ import annotations

import json
import time

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.rundir import RunDir
from engine.shell.cli import app
from engine.spec_files import read_spec


class Told:
    """A launcher whose workers have done their work as soon as they are started."""

    def check(self, spec):
        pass

    def room(self):
        return {"machine": 1}

    needs = room

    def submit(self, run_dir, environment):
        RunDir(run_dir).append("state", state="done", result={"plausible": 1})
        return "told"

    def is_alive(self, handle):
        return False

    def interruption(self, handle):
        return ""


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: Told())


def invoke(home, *words):
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def test_a_sweep_is_started_and_shown_by_its_name(home, told):
    done = invoke(home, "sweep", "benchmark", "--over", "candidates=1,2", "--wait", "--json")
    assert done.exit_code == 0, done.output
    shown = json.loads(invoke(home, "sweep", "sweep-1", "--json").stdout)
    assert shown == json.loads(done.stdout)
    assert [run["settings"] for run in shown["runs"]] == [{"candidates": 1}, {"candidates": 2}]
    assert [run["state"] for run in shown["runs"]] == ["done", "done"]
    table = invoke(home, "sweep", "sweep-1")
    assert "candidates" in table.stdout
    wrong = invoke(home, "sweep", "sweep-2")
    assert (wrong.exit_code, wrong.stderr) == (2, "repair-studio: there is no sweep 'sweep-2'; known: sweep-1\n")


def test_a_command_ends_when_the_run_has_been_given_to_its_launcher(home, told, monkeypatch):
    """What the launcher does would end with the command."""

    def slow(self, run_dir, environment):
        time.sleep(1.5)
        return "told after a while"

    monkeypatch.setattr(Told, "submit", slow)
    monkeypatch.setattr(Told, "is_alive", lambda self, handle: True)
    done = invoke(home, "benchmark")
    assert done.exit_code == 0, done.output
    workspace = Workspace(home)
    [run] = workspace.runs.list()
    assert workspace.runs.row(run.id).handle == "told after a while"
    workspace.close()


def test_a_run_is_repeated_with_a_change_and_a_name_of_its_own(home, told):
    invoke(home, "benchmark", "--set", "candidates=3", "--set", "name=first", "--wait")
    done = invoke(home, "runs", "repeat", "1", "--set", "seed=7", "--wait", "--json")
    assert done.exit_code == 0, done.output
    spec = json.loads(done.stdout)["spec"]
    assert (spec["candidates"], spec["seed"], spec["name"]) == (3, 7, "")


def test_the_queue_is_reordered_in_a_shell(home, told):
    workspace = Workspace(home)
    ids = [workspace.runs.submit(read_spec("benchmark", "", ["launcher.devices=cpu"])) for _ in range(2)]
    workspace.runs.stop(ids[0])
    workspace.close()
    done = invoke(home, "runs", "move", "1", "up")
    assert done.exit_code == 2
    assert "run 1 is stopped; only a queued run has a place" in done.stderr


def test_supervise_moves_the_queue_until_nothing_is_left(home, told):
    workspace = Workspace(home)
    for _ in range(3):
        workspace.runs.submit(read_spec("benchmark"))
    workspace.close()
    done = invoke(home, "supervise", "--until-idle")
    assert done.exit_code == 0
    assert [line.split()[1] for line in done.stdout.splitlines() if " done" in line] == ["1", "2", "3"]
    assert {run.state for run in Workspace(home).runs.list()} == {"done"}
