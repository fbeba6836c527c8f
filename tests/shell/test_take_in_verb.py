"""The shell's verbs on runs: a folder is taken in again, and its figures are shown with their intervals."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.rundir import Inputs, RunDir
from engine.shell.cli import app
from engine.spec_files import read_spec

FOLDERS = Path(__file__).resolve().parents[1] / "storage" / "versions" / "0002" / "runs"


@pytest.fixture
def shell(home):
    def run(*words):
        done = CliRunner().invoke(app, ["runs", *words, "--home", str(home)], env={"COLUMNS": "200"})
        return done.exit_code, done.stdout, done.stderr

    return run


def test_folders_are_taken_in_and_shown(shell, tmp_path):
    folders = [str(shutil.copytree(FOLDERS / number, tmp_path / number)) for number in ("2", "3")]
    code, shown, _ = shell("take-in", *folders)
    assert (code, "demo-adapter" in shown, "bugs plausible@3" in shown) == (0, True, True)
    code, shown, _ = shell("show", "2")
    assert code == 0
    assert "@3 1 of 4 (5% to 70%)" in shown
    totals = json.loads(shell("show", "2", "--json")[1])["totals"]
    assert totals["plausible_at"]["3"] == {"hits": 1, "total": 4}
    assert list(totals["plausible_at"]) == ["1", "3"], "none for more ranks than there are candidates"


def test_a_folder_of_no_run_is_one_sentence(shell, tmp_path):
    code, _, said = shell("take-in", str(tmp_path))
    assert (code, said.count("\n")) == (2, 1)
    assert "is not a run's folder: it has no spec.json" in said


def folder_of(path, kind="chat", inbox=None):
    """The folder of a run that has ended."""
    folder = RunDir.create(path, {"kind": kind}, Inputs())
    folder.append("state", state="done", result={})
    if inbox is not None:
        (path / "inbox.jsonl").write_bytes(inbox)
    return path


def asked(**values):
    return json.dumps({"ask": "reply", "conversation": 1, "question": 1, "bug": "b", **values}).encode() + b"\n"


ODD_INBOXES = {
    "no JSON": b"{not\n", "binary": b"\xff\xfe\n", "a number": b"5\n", "no bug": b'{"conversation": 1}\n',
    "a bug that is a list": asked(bug=[1]), "conversation 0": asked(conversation=0), "below": asked(conversation=-1),
    "a large conversation": asked(conversation=10**40), "a text": asked(conversation="x"), "none": asked(conversation=None),
    "a large question": asked(question=2**63 - 1), "odd turns": asked(turns=[{"number": [1]}]), "deep": b"[" * 99_999 + b"\n",
    "half a pair": asked(bug="\ud800"),
}  # fmt: skip


@pytest.mark.parametrize("inbox", ODD_INBOXES.values(), ids=ODD_INBOXES)
def test_an_odd_inbox_is_one_sentence_and_nothing_is_taken_in(shell, tmp_path, inbox):
    code, _, said = shell("take-in", str(folder_of(tmp_path / "odd", inbox=inbox)))
    assert (code, said.count("\n"), "inbox.jsonl" in said) == (2, 1, True), said
    assert json.loads(shell("list", "--json")[1]) == []


@pytest.mark.parametrize("name", ["inbox.jsonl", "lock", "spec.json", "events.jsonl", "inputs.json"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_not_opened(shell, tmp_path, name, kind):
    path = folder_of(tmp_path / "odd")
    victim = tmp_path / "victim"
    victim.write_text("{}")
    (path / name).unlink(missing_ok=True)
    make = {"pipe": os.mkfifo, "link": lambda made: made.symlink_to(victim), "folder": Path.mkdir}[kind]
    make(path / name)
    code, _, said = shell("take-in", str(path))
    assert (code, said.count("\n")) == (2, 1), said
    assert victim.read_text() == "{}"


def test_a_pipe_in_place_of_the_reserved_ending_is_passed_over(shell, tmp_path):
    path = folder_of(tmp_path / "odd")
    os.mkfifo(path / "ending.json")
    os.mkfifo(path / "log.txt")
    assert shell("take-in", str(path))[0] == 0
    assert shell("log", "1")[0] == 1


def test_folders_that_cannot_be_are_one_sentence(shell, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    folder_of(Path(odd))
    for folder in ("~nobody-here/x", tmp_path / "loop", "/tmp/" + "a" * 300, "", "/etc/passwd", odd):
        code, _, said = shell("take-in", str(folder))
        assert (code, said.count("\n")) == (2, 1), (folder, said)


@pytest.mark.parametrize("spec", [{}, {"kind": None}, {"kind": "x"}, {"kind": ["a"]}])
def test_a_spec_without_a_kind_is_named_in_our_words(shell, tmp_path, spec):
    path = folder_of(tmp_path / "odd")
    (path / "spec.json").write_text(json.dumps(spec))
    code, _, said = shell("take-in", str(path))
    assert (code, "kind: should be one of dataset, train, measure, merge, benchmark, validate, chat" in said) == (
        2,
        True,
    ), said


def test_a_folder_with_a_number_beyond_all_runs_hinders_no_run(home):
    folder = home / "runs" / "99999999999999999999"
    folder.mkdir(parents=True)
    (home / "runs" / "1").mkdir()
    workspace = Workspace(home)
    assert workspace.runs.submit(read_spec("benchmark", "", [])) == 2
    workspace.close()
