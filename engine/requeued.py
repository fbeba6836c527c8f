"""A worker that a scheduler ends and starts again later, in the same folder, without the run having ended."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

STARTS_AGAIN = "REPAIR_STUDIO_STARTS_AGAIN"  # in the environment of a worker whose scheduler does so
STOP = "stop.asked"  # in the run's folder: its next SIGTERM is that of a user

NOTICED = "REPAIR_STUDIO_NOTICED"  # in the worker's own environment: a pipe that can be read once it was signalled
NEARLY_S = 0.05  # in which a scheduler has signalled all processes of a job, of which the worker may be the last


def begin(run_dir: Path) -> None:
    """Called by a launcher before it starts a worker: nobody has asked it to stop."""
    (run_dir / STOP).unlink(missing_ok=True)


def ask_to_stop(run_dir: Path) -> None:
    """Called by a launcher before it signals: a user ends this worker, so its scheduler does not start it again.

    Called by a studio too, as long as a launcher tries to start the worker.
    """
    (run_dir / STOP).touch()


def is_asked_to_stop(run_dir: Path) -> bool:
    """Whether a user ends this worker."""
    return (run_dir / STOP).exists()


def goes_on(run_dir: Path) -> bool:
    """Whether the worker that was just asked to end is started again later: then it says nothing of an end."""
    return STARTS_AGAIN in os.environ and not is_asked_to_stop(run_dir)


def notice_signals() -> None:
    """Called by a worker's main thread at its start, so that `is_ending` knows at once, whatever that thread is at."""
    if STARTS_AGAIN in os.environ:
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        os.environ[NOTICED] = str(reading)


def may_be_ended() -> bool:
    """Whether a scheduler may end this worker and all its processes, and starts it again later."""
    return NOTICED in os.environ


def is_ending() -> bool:
    """Whether a scheduler ends this worker, or will have within NEARLY_S: what just failed may have been ended with it.

    A scheduler may signal every process of a job, the tests of patches too.
    """
    return may_be_ended() and bool(select.select([int(os.environ[NOTICED])], [], [], NEARLY_S)[0])
