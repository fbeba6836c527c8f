"""Where a worker is started: the contract of a launcher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol


class Launcher(Protocol):
    """Starts `python -m engine.work RUN_DIR` somewhere and finds it again later by a handle.

    All methods are called in threads, several at a time, and may take long: only the runs of this launcher wait then.
    """

    name: str

    def capacity(self) -> int:
        """How many runs may work at the same time; runs that mostly wait for people are not counted."""

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Start the worker detached from this process; the handle is plain text, stored, and survives a restart."""

    def find(self, run_dir: Path) -> str:
        """The handle of a worker at work in this folder, for one whose handle was lost; empty where there is none.

        One that `submit` has given a handle is found from then on, whether or not it has begun.
        """

    def is_alive(self, handle: str) -> bool | Literal["pending"]:
        """Whether that very process (not another with its number) still runs; a zombie does not.

        "pending": it does not run yet, or not any more, and will, once there is a machine for it.
        """

    def interruption(self, handle: str) -> str:
        """What ended a worker that is gone, where it was the machine and not the worker; empty where nobody knows."""

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Ask the worker to save and end, or end it with its whole process tree; never signals another process."""
