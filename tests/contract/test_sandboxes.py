"""Every registered sandbox keeps the contract, or says why it cannot run here; and the contract notices who does not."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engine.errors import SandboxUnavailable
from engine.params import Params
from engine.plugins import SANDBOXES, Registry
from engine.sandboxes import Ran
from engine.sandboxes.auto import levels, usable
from engine.sandboxes.box import checked
from engine.sandboxes.contract import PROMISES, check
from engine.sandboxes.trial import named


@pytest.mark.parametrize("name", [name for name in SANDBOXES.names() if name != "auto"])
def test_a_sandbox_keeps_the_contract(name):
    sandbox = SANDBOXES.create(Params(name=name))
    if reason := sandbox.unavailable():
        pytest.skip(reason)
    check(sandbox)


class Plain:
    """A plain subprocess with a clock and a cap on its output, and no sandbox; the test may spoil what it does well."""

    name = "plain"

    def __init__(self, reason="", described="plain 1", wall_s=lambda limits: limits.wall_s, change=lambda ran: ran):
        self.reason, self.described, self.wall_s, self.change = reason, described, wall_s, change

    def unavailable(self):
        return self.reason

    def describe(self):
        return self.described

    def run(self, argv, files, limits, *, results=(), tools=None, start=None):
        for path in (*files, *results):
            checked(path)
        with tempfile.TemporaryDirectory() as box, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            for path, content in files.items():
                Path(box, path).parent.mkdir(parents=True, exist_ok=True)
                Path(box, path).write_bytes(content)
            ended, code = self.wait(named(argv, tools or {}), box, self.wall_s(limits), out, err)
            said = [os.pread(file.fileno(), limits.output_bytes + 1, 0) for file in (out, err)]
            if max(map(len, said)) > limits.output_bytes:
                ended = "output_cap"
            read = {path: Path(box, path).read_bytes() for path in results if Path(box, path).is_file()}
            folders = [path for path in results if Path(box, path).is_dir()]
        return self.change(Ran(ended, code, *(one[: limits.output_bytes] for one in said), 0.1, read, folders))

    def wait(self, argv, box, wall_s, out, err):
        try:
            process = subprocess.Popen(argv, cwd=box, stdout=out, stderr=err, start_new_session=True)
        except FileNotFoundError:
            return "exit", 127
        try:
            code = process.wait(wall_s)
            return "exit", code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            return "timeout", None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Outward(Plain):
    """Takes paths that lead out of its folder."""

    def run(self, argv, files, limits, *, results=(), **more):
        return super().run(argv, files, limits, **more)


def patient(limits):
    """So that on a busy machine, too, it is not the clock that ends what uses processor time."""
    return 60 if limits.cpu_s else limits.wall_s


def brief(limits):
    """No test need wait for the end of what has no limit."""
    return min(1.0, limits.wall_s)


BROKEN = [  # the promise, who breaks it, what is said
    ("named", Plain(reason="not today"), "not available: not today"),
    ("named", Plain(described="plain"), "it says no version"),
    ("named", Plain(described="bubblewrap 1"), "describes itself as 'bubblewrap' and not 'plain'"),
    ("files_and_results", Plain(change=lambda ran: replace(ran, exit_code=1)), "files that were given are not there"),
    ("files_and_results", Plain(change=lambda ran: replace(ran, results={})), "results are lost"),
    ("files_and_results", Plain(change=lambda ran: replace(ran, invalid=[])), "a folder is no result"),
    ("paths_inside", Outward(), "'/etc/hosts' is not inside the working folder"),
    ("endings", Plain(change=lambda ran: replace(ran, stdout=ran.stderr)), "exit code or output is not the command's"),
    ("endings", Plain(change=lambda ran: replace(ran, exit_code=ran.exit_code % 128)), "a command that was killed"),
    ("endings", Plain(change=lambda ran: ran if ran.exit_code != 127 else replace(ran, ended="not_started")),
     "a command that does not exist"),
    ("time_by_the_clock", Plain(wall_s=lambda limits: limits.wall_s + 5), r"\d\.\d s with a limit of 0\.5"),
    ("time_by_the_clock", Plain(change=lambda ran: replace(ran, ended="exit")), "an endless loop"),
    ("processor_time", Plain(wall_s=patient), "2 s of a child's processor time with a limit of 0.3"),
    ("processor_time", Plain(wall_s=lambda limits: limits.cpu_s / 30), "the clock ended a command that had processor"),
    ("time_of_the_start", Plain(wall_s=lambda limits: limits.cpu_s), "the start was counted as the command's time"),
    ("time_of_the_start", Plain(wall_s=patient), "after its start a command has no limit"),
    ("time_of_the_start", Plain(wall_s=lambda limits: 1.5,
                                change=lambda ran: ran if ran.stdout else replace(ran, ended="exit")),
     "a start has no limit"),
    ("output", Plain(wall_s=brief, change=lambda ran: replace(ran, ended="timeout")), "output with a cap of 5,000"),
    ("output", Plain(wall_s=brief, change=lambda ran: replace(ran, stdout=2 * ran.stdout)), "10000 bytes kept with a cap"),
    ("memory", Plain(wall_s=brief), "sixteen processes of 20 MiB"),
    ("disk", Plain(wall_s=brief), "64 MiB of files with a limit of 16"),
    ("tools", Plain(), "a tool can be opened for writing"),
    ("tools", Plain(change=lambda ran: replace(ran, stdout=b"")), "a tool cannot be read"),
    ("files_of_the_host", Plain(), "the host's files are in reach"),
    ("environment", Plain(), "the runner's environment is in reach: .*REPAIR_STUDIO_HOME"),
    ("user", Plain(change=lambda ran: replace(ran, stdout=b"0\n")), "the command runs as root"),
    ("network", Plain(), "the host's network is in reach"),
    ("leftovers", Plain(), "processes are left"),
]  # fmt: skip


@pytest.mark.slow  # some of it has no limit and takes its time
@pytest.mark.parametrize(("promise", "sandbox", "said"), BROKEN, ids=[f"{name}: {said}" for name, _, said in BROKEN])
def test_the_contract_finds_each_violation(promise, sandbox, said):
    kept = {function.__name__: function for function in PROMISES}
    with pytest.raises(AssertionError, match=said):
        kept[promise](sandbox)


def test_every_promise_was_seen_broken():
    assert {function.__name__ for function in PROMISES} == {promise for promise, _, _ in BROKEN}


@pytest.mark.slow
def test_a_plain_subprocess_is_no_sandbox():
    """For want of isolation and limits; what a plain subprocess can do, this one does."""
    can = {"named", "files_and_results", "paths_inside", "endings", "time_by_the_clock", "output"}
    for promise in PROMISES:
        if promise.__name__ in can:
            promise(Plain(wall_s=brief))
    with pytest.raises(AssertionError, match="2 s of a child's processor time"):
        check(Plain(wall_s=patient))


def test_auto_is_the_first_level_that_works(monkeypatch):
    first, second = levels()[:2]
    for name, reason in ((first, ""), (second, "")):
        monkeypatch.setattr(SANDBOXES.plugin(name), "unavailable", lambda self, reason=reason: reason)
    assert usable(SANDBOXES.params("auto")).describe().startswith(first)
    monkeypatch.setattr(SANDBOXES.plugin(first), "unavailable", lambda self: "not today")
    assert usable(SANDBOXES.params("auto")).describe().startswith(second)


def test_auto_never_chooses_the_sandbox_of_a_package(monkeypatch):
    """What an installed package says of itself is no reason to run hostile code in it."""
    announced = EntryPoint("aaa", "sample_plugins.sandbox:Sample", "repair_studio.sandboxes")
    monkeypatch.setattr("engine.plugins.entry_points", lambda group: [announced])
    registry = Registry("sandboxes", "sandbox", SANDBOXES._built_in)
    monkeypatch.setattr("engine.sandboxes.auto.SANDBOXES", registry)
    assert "aaa" in registry.names()
    assert levels() == ["bubblewrap", "landlock"]


def test_without_any_level_nothing_runs_and_every_reason_is_given(monkeypatch):
    ran = []
    for name in levels():
        plugin = SANDBOXES.plugin(name)
        monkeypatch.setattr(plugin, "unavailable", lambda self: f"no {self.name} today")
        monkeypatch.setattr(plugin, "run", lambda *_, **__: ran.append(1))
    with pytest.raises(SandboxUnavailable) as refused:
        usable(SANDBOXES.params("auto"))
    assert all(f"no {name} today" in str(refused.value) for name in levels())
    assert ran == []
