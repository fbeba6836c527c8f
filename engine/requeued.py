"""A worker that a scheduler ends and starts again later, in the same folder, without the run having ended."""

from __future__ import annotations

import os
from pathlib import Path

STARTS_AGAIN = "REPAIR_STUDIO_STARTS_AGAIN"  # in the environment of a worker whose scheduler does so
STOP = "stop.asked"  # in the run's folder: its next SIGTERM is that of a user


def begin(run_dir: Path) -> None:
    """Called by a launcher before it starts a worker: nobody has asked it to stop."""
    (run_dir / STOP).unlink(missing_ok=True)


def ask_to_stop(run_dir: Path) -> None:
    """Called by a launcher before it signals: a user ends this worker, so its scheduler does not start it again."""
    (run_dir / STOP).touch()


def goes_on(run_dir: Path) -> bool:
    """Whether the worker that was just asked to end is started again later: then it says nothing of an end."""
    return STARTS_AGAIN in os.environ and not (run_dir / STOP).exists()
