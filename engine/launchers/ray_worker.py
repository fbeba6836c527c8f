"""`python -m engine.launchers.ray_worker RUN_DIR JOB KEPT`: what a job of Ray runs on its node, beside the worker.

It gives the worker its environment and passes on what is asked of it through the run's folder, and then leaves it all
the time that it needs to save: Ray's own *stop* kills after three seconds. The worker is signalled if this process is
killed, so that none goes on without its reservation.

One of several processes that train together (`ray_ranks.py`) is started the same way, with its number in the
environment: the first alone is asked to stop, and a file says of each that its node is there (`engine.ranks.beside`).

Exit code 0: done, or stopped as asked; UNSEEN: this node cannot use the run's folder; else the worker's own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from engine import ranks, requeued
from engine.launchers.local import MARK, Local
from engine.launchers.ray_folder import (
    BEGUN,
    KILL,
    NOTE,
    SAVE,
    UNSEEN,
    forget_variables,
    read_note,
    take_variables,
)
from engine.rundir import STOPPED
from engine.whole_files import write_whole

LOOK_S = 0.5
PR_SET_PDEATHSIG = 1  # prctl(2)


def main(folder: Path, job: str, *, is_kept: bool) -> int:
    """Start and watch the worker; returns the exit code. `is_kept`: its environment is needed for a later job too."""
    note, host, is_alone = read_note(folder), socket.gethostname(), ranks.count() == 1
    if not is_alone:
        _signalled_with_parent()  # which has threads, so it could not have this done
    try:
        if note is None:
            raise FileNotFoundError(f"there is no {folder / NOTE}")
        if note.job != job or requeued.STOP in os.listdir(folder):
            return 0  # it was stopped while it waited
        if is_alone:
            write_whole(folder / BEGUN, {"job": job, "host": host})
        variables = take_variables(folder, is_kept=is_kept)
        if not is_alone:
            (folder / ranks.beside(ranks.own())).touch()
        log = (folder / "log.txt").open("ab")
    except (OSError, ValueError) as error:
        sys.stdout.write(f"node {host} does not see the run's folder, or may not use it: {error}\n")
        return UNSEEN
    with log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.work", str(folder)],
            cwd=folder,
            env={**os.environ, **variables, MARK: str(folder), requeued.STARTS_AGAIN: "yes"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_signalled_with_parent,  # no thread has been started here
        )
    signal.signal(signal.SIGTERM, lambda *_: worker.terminate())  # the worker saves, and then this ends
    code = _watched(worker, folder)
    if is_alone:
        forget_variables(folder)  # only a job that is lost with its node is given to Ray again
    else:
        with suppress(OSError):
            (folder / ranks.beside(ranks.own())).write_text(str(code), encoding="ascii")
    if code == STOPPED and requeued.STOP in os.listdir(folder):
        return 0
    return code if code >= 0 else 128 - code


def _watched(worker: subprocess.Popen[bytes], folder: Path) -> int:
    """Its exit code, once it has ended; minus the number of the signal that ended it."""
    is_asked = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            return worker.wait(LOOK_S)
        # all names, since a network file system may go on for half a minute to say that a single one is not there
        with suppress(OSError):
            names = os.listdir(folder)
            if ranks.count() > 1:
                (folder / ranks.beside(ranks.own())).touch()
            if KILL in names:
                Local().sweep(folder)
            elif not is_asked and not ranks.own() and not {requeued.STOP, SAVE}.isdisjoint(names):
                worker.terminate()
                is_asked = True


def _signalled_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], is_kept=sys.argv[3] == "yes"))
