"""The contract test of a launcher, with real workers; takes about ten seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.events import State
from engine.launchers import Launcher
from engine.rundir import Inputs, RunDir
from engine.specs import KINDS

Mistaken = Callable[[int], str] | None
START_S = 60.0  # for a worker to start its work, on a busy machine; usually two seconds
END_S = 15.0  # for a worker that was asked to end, and for one that was ended

# A builder that never ends, as a plug-in of an installed package: it prints much and starts a child in a new session.
PACKAGE = {
    "endless-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: endless\nVersion: 1\n",
    "endless-1.dist-info/entry_points.txt": "[repair_studio.builders]\nendless = endless:Endless\n",
    "endless.py": """
import os, signal, subprocess, sys, time
from engine import params


class Endless:
    name = "endless"
    makes = "bugs"

    class Params(params.Params):
        name: str = "endless"
        ignores_sigterm: bool = False

    def __init__(self, params):
        self.ignores_sigterm = params.ignores_sigterm

    def total(self):
        return None

    def choices(self):
        return {}

    def stream(self, seed, funnel):
        if self.ignores_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("x" * (1 << 20), flush=True)
        child = subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(90)", os.getcwd()])
        with open("pids.new", "w") as file:
            file.write(f"{os.getpid()} {child.pid}")
        os.rename("pids.new", "pids")
        while True:
            time.sleep(0.1)
        yield
""",
}


def check(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """Start, find, stop and kill workers of runs in `folder`. Raises AssertionError if the contract is violated.

    `make()` is the launcher as another studio would make it; `mistaken(pid)` a handle that it could have stored for an
    earlier process with this number, or None where its handles hold no process numbers.
    """
    for promise in PROMISES:
        promise(make, mistaken, folder / promise.__name__)


def enough_room(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """A run takes something, and no more than there is."""
    needs, room = make().needs(), make().room()
    assert needs, "a run takes nothing, so that any number of them would be started"
    for resource, amount in needs.items():
        assert 0 < amount <= room.get(resource, 0), f"a run needs {amount} of {resource!r}, and there is {room}"


def detached(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """A worker survives the process that started it, is identified by its handle, and ends when it is asked to."""
    with _endless(folder, ignores_sigterm=False) as (run, environment):
        handle, launcher = _submitted_elsewhere(make, run, environment), make()
        worker, _ = _at_work(run, launcher, handle)
        assert os.getsid(worker.pid) != os.getsid(0), "the worker gets the signals of the terminal it was started from"
        assert launcher.is_alive(handle), "a worker at work is not known again by its handle"
        assert launcher.find(run.path) == handle, "a worker at work is not found by its folder"
        assert launcher.find(folder / "elsewhere") == "", "a worker is found where none is"
        assert launcher.interruption(handle) == "", "a worker at work counts as interrupted"
        assert run.log.stat().st_size >= 1 << 20, "what the worker printed is not in its log"
        launcher.stop(handle, run.path, force=False)
        assert _becomes(lambda: not launcher.is_alive(handle)), "a worker that was asked to end goes on"
        last = run.events().events[-1]
        assert last.payload == State("stopped"), f"it was ended and not asked: {last}"
        launcher.stop(handle, run.path, force=True)  # of no effect on one that is gone, but for what it left behind
        assert launcher.interruption(handle) == "", "a worker that ended counts as interrupted"


def ended(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """A worker that ignores SIGTERM is killed with all processes that it started, and then counts as dead."""
    with _endless(folder, ignores_sigterm=True) as (run, environment):
        launcher = make()
        handle = launcher.submit(run.path, environment)
        worker, child = _at_work(run, launcher, handle)
        launcher.stop(handle, run.path, force=False)
        time.sleep(0.5)
        assert launcher.is_alive(handle), "a worker that does not listen was killed when it was to be asked"
        launcher.stop(handle, run.path, force=True)
        assert _becomes(lambda: not _lives(worker)), "a worker that does not listen cannot be ended"
        assert _becomes(lambda: not _lives(child)), "what the worker started is left behind"
        is_dead = _becomes(lambda: not launcher.is_alive(handle))
        assert is_dead, "a dead worker, which nobody waited for, counts as alive"


def strangers(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """Another process with a worker's number is neither taken for it nor signalled."""
    if mistaken is None:
        return
    folder.mkdir(parents=True)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(90)"], start_new_session=True)
    try:
        launcher, handle = make(), mistaken(stranger.pid)
        assert not launcher.is_alive(handle), "a stranger with the worker's number counts as the worker"
        for force in (False, True):
            launcher.stop(handle, folder, force=force)
            time.sleep(0.2)
            assert stranger.poll() is None, f"a stranger with the worker's number was signalled (force={force})"
    finally:
        stranger.kill()
        stranger.wait()


def refusals(make: Callable[[], Launcher], mistaken: Mistaken, folder: Path) -> None:
    """It starts a training at least, and refuses other kinds of runs with a sentence or not at all."""
    for kind, spec in KINDS.items():
        said = ""
        try:
            make().check(spec(name=""))
        except UserError as error:
            said = f"{error} "
        assert not (said and kind == "train"), f"a training is refused: {said}"
        assert not said or len(said.split()) > 3, f"a run of the kind {kind} is refused without a sentence: {said}"


PROMISES = (refusals, enough_room, detached, ended, strangers)


@contextmanager
def _endless(folder: Path, *, ignores_sigterm: bool) -> Iterator[tuple[RunDir, Mapping[str, str]]]:
    """A run that never ends, and the environment that its worker needs; its processes are killed at the end."""
    package = folder / "package"
    for name, text in PACKAGE.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    builder = {"name": "endless", "ignores_sigterm": ignores_sigterm}
    spec = {"kind": "dataset", "name": "endless", "builder": builder, "exclude": []}
    run = RunDir.create(folder / "run", spec, Inputs(Model("starter", "base", str(STARTER_MODEL))))
    try:
        yield run, {"PYTHONPATH": os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])}
    finally:
        # A worker that has not started its work may be between fork and exec, where its command line is its parent's.
        deadline = time.monotonic() + (0.0 if (run.path / "pids").exists() else 3.0)
        is_last = False
        while not is_last:
            is_last = time.monotonic() >= deadline
            for process in psutil.process_iter(["cmdline"]):
                if str(run.path) in (process.info["cmdline"] or ()):
                    process.kill()
            time.sleep(0.1)


def _submitted_elsewhere(make: Callable[[], Launcher], run: RunDir, environment: Mapping[str, str]) -> str:
    """The handle of a worker whose parent has ended by now."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(into, make().submit(run.path, environment).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        os.waitpid(pid, 0)
        return pipe.read().decode()


def _at_work(run: RunDir, launcher: Launcher, handle: str) -> tuple[psutil.Process, psutil.Process]:
    """The worker and the child it started, once it has started its work."""
    pids, deadline = run.path / "pids", time.monotonic() + START_S
    while not pids.exists():
        assert launcher.is_alive(handle), f"the worker is gone, or not known by its handle {handle!r}: {_said(run)}"
        assert time.monotonic() < deadline, f"the worker did not start its work: {_said(run)}"
        time.sleep(0.05)
    worker, child = (psutil.Process(int(pid)) for pid in pids.read_text().split())
    return worker, child


def _said(run: RunDir) -> str:
    log = run.log.read_text(errors="replace")[-500:] if run.log.exists() else "no log"
    return f"{log} {[asdict(event) for event in run.events().events[-1:]]}"


def _becomes(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + END_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.is_running())
    except psutil.NoSuchProcess:
        return False
