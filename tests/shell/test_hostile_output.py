"""Nothing that a worker, a model or a stranger's folder wrote steers the terminal of the shell."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.rundir import Inputs, RunDir
from engine.shell import follow
from engine.shell.cli import app

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\b"
BUG = "pocket/py-clock-format"


@pytest.fixture
def shell(home):
    def run(*words):
        done = CliRunner().invoke(app, [*words, "--home", str(home)], env={"COLUMNS": "200"})
        return done.stdout + done.stderr

    return run


def steers(text):
    return [each for each in text if not each.isprintable() and each not in "\n\t"]


def test_what_runs_say_is_printed_without_control_characters(shell, tmp_path):
    odd = tmp_path / f"m{ESCAPE}"
    failed = RunDir.create(tmp_path / "a", {"kind": "benchmark", "model": str(odd)}, Inputs())
    failed.append("progress", done=1, total=2, text=f"at work {ESCAPE}")
    failed.append("state", state="failed", error=f"line one {ESCAPE}\nline two")
    failed.log.write_text(f"first{ESCAPE}\n\tsecond\n")
    done = RunDir.create(tmp_path / "b", {"kind": "benchmark"}, Inputs())
    done.append("state", state="done", result={"sandbox": ESCAPE, f"odd{ESCAPE}": ESCAPE})
    chat = RunDir.create(tmp_path / "c", {"kind": "chat", "bug": BUG}, Inputs())
    chat.append("state", state="done", result={f"odd{ESCAPE}": ESCAPE})
    said = [shell("runs", "take-in", *(str(tmp_path / name) for name in "abc")), shell("runs")]
    said += [shell("runs", "show", str(number)) for number in (1, 2, 3)]
    said += [shell("runs", "log", "1")]
    for text in said:
        assert "Traceback" not in text
        assert steers(text) == [], text
    assert "at work" in said[1] or "line one" in said[1]
    assert "\nline two" in said[2]
    assert said[-1].endswith("\n\tsecond\n")


def test_a_conversation_is_printed_without_control_characters(home, tmp_path, capsys):
    folder = RunDir.create(tmp_path / "chat", {"kind": "chat", "bug": BUG}, Inputs())
    folder.ask(ask="reply", conversation=1, question=1, bug=BUG)
    folder.append("turn", conversation=1, number=1, role=f"user{ESCAPE}", text=f"one\n{ESCAPE}two")
    folder.append("turn", conversation=1, number=2, role="assistant", text="x", patch=f"print('{ESCAPE}')\n")
    folder.append("answered", conversation=1, question=1)
    folder.append("state", state="done", result={})
    workspace = Workspace(home)
    workspace.take_in(folder.path)
    follow.conversation(workspace, 1, quiet=False)
    workspace.close()
    said = capsys.readouterr().out
    assert steers(said) == []
    assert "one\n" in said
