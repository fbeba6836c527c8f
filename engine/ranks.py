"""Several processes that train one model together: which of them this is, and what those say that do not lead.

Process 0 leads: it alone writes events, inputs and artifacts. The others write to the run's log, and if they fail, to
the space that is reserved for the last event, for the leader or the supervisor to read.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.events import Ending, Payload, State
from engine.gpus import visible
from engine.rundir import Inputs, RunDir

STRATEGY = "REPAIR_STUDIO_STRATEGY"  # in the environment of such processes: how they share the weights
FOLDER = "together"  # in the run's folder: how its processes find each other; a launcher empties it at each start
READY = f"{FOLDER}/ready"  # the inputs are recorded, so the others may read them
PR_SET_PDEATHSIG = 1
OF_TORCHRUN = ("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "ROLE_WORLD_SIZE")
CUT_OFF = 76  # exit code of a process that ended since the node of another one is lost
SILENT_S = 5.0  # after which what looks after a process every half a second is taken for lost with its node
GONE_S = 2.0  # for the kernel to release a killed process' lock, after it has closed its connections


def own() -> int:
    """The number of this process, from 0; 0 where there is only one."""
    return int(os.environ["RANK"]) if STRATEGY in os.environ else 0


def count() -> int:
    """How many processes train together."""
    return int(os.environ["WORLD_SIZE"]) if STRATEGY in os.environ else 1


def cards() -> int:
    """The GPUs that this run has: those that its one process can see, or one for each of several."""
    seen = len(visible())
    return count() if seen and count() > 1 else seen


def strategy() -> str:
    """How they share the weights (`engine.launchers.torchrun`); empty where there is only one process."""
    return os.environ[STRATEGY] if count() > 1 else ""


def begin() -> None:
    """Called first in a worker: it is killed when its launcher is, and one that is alone is a worker like any other."""
    if STRATEGY not in os.environ:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if count() == 1:
        for name in (STRATEGY, *OF_TORCHRUN):
            os.environ.pop(name, None)


def folder_of(path: Path) -> RunDir:
    """The run's folder, as this process may write to it."""
    return RunDir(path) if own() == 0 else Quiet(path)


class Quiet(RunDir):
    """The folder of a run for a process that does not lead: nothing is written but why it failed."""

    def emit(self, payload: Payload) -> None:
        pass

    def write_inputs(self, inputs: Inputs) -> None:
        pass

    def reserve_ending(self) -> None:
        pass

    def release_ending(self) -> None:
        pass

    def beat(self) -> None:
        pass

    @contextmanager
    def held(self, name: str = "lock") -> Iterator[None]:
        """Hold this process' own lock, by which the others see that it lives; one that was killed leaves the file."""
        mine = _lock(own()) if name == "lock" else name
        with super().held(mine):
            try:
                yield
            finally:
                (self.path / mine).unlink(missing_ok=True)

    def end(self, state: Ending, *, error: str = "", cause: str = "") -> None:
        """Say why this process failed, unless that is only because another one did."""
        is_first = first_failure(self, GONE_S if cause == "bug" else 0.0) is None
        if state == "failed" and is_first and not is_cut_off(self, 2 * SILENT_S if cause == "bug" else 0.0):
            said = error if cause == "user" else f"process {own() + 1} of {count()}: {error}"
            self.write_ending(State("failed", error=said, cause=cause))


def first_failure(run: RunDir, patience_s: float = 0.0) -> State | None:
    """How another process of this run has failed, which made this one fail too; None if none has.

    `patience_s`: how long to wait for a process that may just be ending.
    """
    if count() < 2:
        return None
    deadline = time.monotonic() + patience_s
    while True:
        if (told := run.ending()) is not None and isinstance(told.payload, State):
            return told.payload
        for number in range(count()):
            if number != own() and (run.path / _lock(number)).exists() and not run.is_held(_lock(number)):
                return State(
                    "failed",
                    error=f"process {number + 1} of {count()} was killed (possibly out of memory)",
                    cause="killed",
                )
        if time.monotonic() > deadline:
            return None
        time.sleep(0.1)


def beside(number: int) -> str:
    """A file in the run's folder that is touched on the process' node while it works, and then holds its exit code."""
    return f"{FOLDER}/{number}.node"


def is_cut_off(run: RunDir, patience_s: float = 0.0) -> bool:
    """Whether the node of another process is lost, so that this one's failure is none of the run's.

    False where nobody looks after the processes (`engine.launchers.ray_worker` does). Times are the file system's.
    """
    deadline = time.monotonic() + patience_s
    own_file = run.path / beside(own())
    while count() > 1 and own_file.exists():
        now = own_file.stat().st_mtime
        others = [run.path / beside(number) for number in range(count()) if number != own()]
        silent = [now - each.stat().st_mtime for each in others if each.exists() and not each.stat().st_size]
        if any(seconds > SILENT_S for seconds in silent):
            return True
        if not silent or time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return False


def wait_for_inputs(run: RunDir) -> Inputs:
    """The inputs as the leader has recorded them; if it fails before, the launcher ends this process."""
    while not (run.path / READY).exists():
        time.sleep(0.1)
    return run.inputs()


def _lock(number: int) -> str:
    return f"{FOLDER}/{number}.lock" if number else "lock"
