"""Every registered launcher keeps the contract, and the contract notices one that does not."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from ray_cluster import ray  # noqa: F401
from slurm_cluster import slurm  # noqa: F401

from engine.errors import UserError
from engine.launchers import contract
from engine.launchers.local import MARK, Local, boot_id, parse_handle, start_time
from engine.plugins import LAUNCHERS

pytestmark = pytest.mark.slow  # real workers, two seconds each to come to their work

# a handle of an earlier process with this number
MISTAKEN = {name: lambda pid: f"{boot_id()}:{pid}:1" for name in ("local", "torchrun")}


# settings with which a launcher starts a worker on any machine that has what it needs
SETTINGS = {"slurm": {"gpus": 0, "cpus": 1}}
ELSEWHERE = ("ssh",)  # need another machine: tests/launchers/test_ssh.py


@pytest.mark.parametrize("name", [name for name in LAUNCHERS.names() if name not in ELSEWHERE])
def test_the_contract_holds(name, tmp_path, request):
    cluster = request.getfixturevalue(name) if name in ("slurm", "ray") else None  # skips where there is none
    own = {"address": cluster.address} if name == "ray" else {}
    params = LAUNCHERS.params({"name": name, **SETTINGS.get(name, {}), **own})
    contract.check(lambda: LAUNCHERS.create(params), MISTAKEN.get(name), tmp_path)


class Fake(Local):
    """The local launcher with a fault in how it starts a worker or looks at it."""

    def more(self):
        return {}

    def submit(self, run_dir, environment):
        with (run_dir / "log.txt").open("ab") as log:
            argv = [sys.executable, "-P", "-m", "engine.work", str(run_dir)]
            how = {"stdout": log, "stderr": subprocess.STDOUT, "start_new_session": True, "cwd": run_dir} | self.more()
            process = subprocess.Popen(argv, env={**os.environ, **environment, MARK: str(run_dir)}, **how)
        return f"{boot_id()}:{process.pid}:{start_time(process.pid)}"


class Attached(Fake):
    def more(self):
        return {"start_new_session": False}


class Mortal(Fake):
    def more(self):
        return {"preexec_fn": lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)}


class Piped(Fake):
    def more(self):
        return {"stdout": subprocess.PIPE}


class Unlogged(Fake):
    def more(self):
        return {"stdout": subprocess.DEVNULL}


class Alone(Local):
    def submit(self, run_dir, environment):
        return super().submit(run_dir, {})


class Forgetful(Local):
    def is_alive(self, handle):
        return False


class Lost(Local):
    def find(self, run_dir):
        return ""


class Hasty(Local):
    def find(self, run_dir):
        return super().find(run_dir) or f"{boot_id()}:{os.getpid()}:{start_time(os.getpid())}"


class Unwaited(Local):
    def is_alive(self, handle):
        return start_time(parse_handle(handle)[1]) == parse_handle(handle)[2]


class ByNumber(Local):
    def is_alive(self, handle):
        return start_time(parse_handle(handle)[1]) is not None


class Reckless(Local):
    def stop(self, handle, run_dir, *, force):
        os.kill(parse_handle(handle)[1], signal.SIGKILL if force else signal.SIGCONT)


class Shy(Local):
    def stop(self, handle, run_dir, *, force):
        pass


class Brutal(Local):
    def stop(self, handle, run_dir, *, force):
        super().stop(handle, run_dir, force=True)


class Polite(Local):
    def stop(self, handle, run_dir, *, force):
        super().stop(handle, run_dir, force=False)


class Careless(Local):
    def stop(self, handle, run_dir, *, force):
        with suppress(ProcessLookupError):
            os.kill(parse_handle(handle)[1], signal.SIGKILL if force else signal.SIGTERM)


class Alarming(Local):
    def interruption(self, handle):
        return "the machine was restarted while it ran"


class Full(Local):
    def room(self):
        return {"processor": 0.5}


class Endless(Local):
    def needs(self):
        return {}


class Choosy(Local):
    def check(self, spec):
        raise UserError("choose another launcher for this run")


class Terse(Local):
    def check(self, spec):
        if spec.kind != "train":
            raise UserError("no")


BROKEN = [  # the promise, who breaks it, what is said
    ("refusals", Choosy, "a training is refused"),
    ("refusals", Terse, "is refused without a sentence"),
    ("enough_room", Full, "a run needs 1.0 of 'processor'"),
    ("enough_room", Endless, "a run takes nothing"),
    ("detached", Attached, "gets the signals of the terminal"),
    ("detached", Mortal, "the worker is gone"),
    ("detached", Forgetful, "not known by its handle"),
    ("detached", Alone, "there is no builders plug-in called 'endless'"),
    ("detached", Piped, "the worker is gone.*Broken pipe"),
    ("detached", Unlogged, "what the worker printed is not in its log"),
    ("detached", Alarming, "a worker at work counts as interrupted"),
    ("detached", Lost, "is not found by its folder"),
    ("detached", Hasty, "a worker is found where none is"),
    ("detached", Shy, "a worker that was asked to end goes on"),
    ("detached", Brutal, "it was ended and not asked"),
    ("ended", Brutal, "was killed when it was to be asked"),
    ("ended", Polite, "a worker that does not listen cannot be ended"),
    ("ended", Careless, "what the worker started is left behind"),
    ("ended", Unwaited, "a dead worker, which nobody waited for, counts as alive"),
    ("strangers", ByNumber, "a stranger with the worker's number counts as the worker"),
    ("strangers", Reckless, r"a stranger with the worker's number was signalled \(force=True\)"),
]


@pytest.mark.parametrize(("promise", "fake", "said"), BROKEN, ids=[fake.__name__ for _, fake, _ in BROKEN])
def test_the_contract_finds_each_violation(promise, fake, said, tmp_path, monkeypatch):
    monkeypatch.setattr(contract, "END_S", 3.0)
    monkeypatch.setattr(contract, "START_S", 20.0)
    kept = {function.__name__: function for function in contract.PROMISES}
    with pytest.raises(AssertionError, match=said):
        kept[promise](fake, MISTAKEN["local"], tmp_path / "runs")


def test_every_promise_was_seen_broken():
    assert {function.__name__ for function in contract.PROMISES} == {promise for promise, _, _ in BROKEN}
