"""Conversations in a shell: listed, searched, named, deleted and exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.rundir import RunDir
from engine.shell.cli import app
from engine.spec_files import read_spec

BUG = "pocket/py-clock-format"


class Launcher:
    """Starts nothing: the test writes the worker's events."""

    def __init__(self, params):
        self.params = params

    def room(self):
        return {"machine": 1}

    needs = room

    def check(self, spec):
        """It takes any."""

    def submit(self, run_dir, environment):
        return "nothing"

    def is_alive(self, handle):
        return True

    def stop(self, handle, run_dir, *, force):
        """There is nothing to stop."""


@pytest.fixture
def said(home, monkeypatch):
    """Two conversations, of which the first has an answer; a call of the program in their home."""
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", Launcher)
    workspace = Workspace(home)
    first = workspace.chats.start(read_spec("chat", "demo", [f"bug={BUG}"]))
    workspace.chats.start(read_spec("chat", "demo", ["bug=pocket/py-backoff", "model=starter"]))
    workspace.tick()
    workspace.chats.send(first, "look at midnight")
    row = workspace.runs.row(workspace.chats.get(first).run_id)
    RunDir(Path(row.folder)).append("turn", conversation=first, number=1, role="user", text="look at midnight")
    RunDir(Path(row.folder)).append("answered", conversation=first, question=1)
    workspace.tick()
    workspace.close()

    def call(*words):
        return CliRunner().invoke(app, ["chats", *words, "--home", str(home)], env={"COLUMNS": "200"})

    return call


def listed(call, *words):
    return [entry["id"] for entry in json.loads(call("list", "--json", *words).stdout)]


def test_conversations_are_listed_and_searched(said):
    assert listed(said) == [2, 1]
    assert listed(said, "--search", "backoff") == [2]
    assert BUG in said().stdout


def test_a_conversation_gets_a_title_and_is_deleted(said):
    assert said("rename", "2", "my  backoff").exit_code == 0
    assert listed(said, "--search", "my backoff") == [2]
    assert said("delete", "2").exit_code == 0
    assert listed(said) == [1]
    gone = said("show", "2")
    assert (gone.exit_code, "there is no conversation 2" in gone.stderr) == (2, True)


@pytest.mark.parametrize(("form", "has"), [("markdown", "look at midnight"), ("json", '"role": "user"')])
def test_a_conversation_is_exported(said, tmp_path, form, has):
    out = tmp_path / "talk"
    done = said("export", "1", "--format", form, "--out", str(out))
    assert done.exit_code == 0, done.output
    assert has in out.read_text()


def test_an_unknown_format_is_named(said):
    done = said("export", "1", "--format", "pdf")
    assert (done.exit_code, "markdown, json (got 'pdf')" in done.stderr) == (2, True)
