"""Starting workers: the interface of a launcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from engine.spec import Spec

# In an `interruption`: somebody has ended the worker on purpose, as its scheduler tells, so it is not started again.
BY_OTHERS = "and not by the studio"


@dataclass(frozen=True)
class Place:
    """Where a worker is ("SLURM job 17 on node3"), its scheduler's word for its state, and why it waits if it does."""

    where: str = ""
    state: str = ""
    reason: str = ""


@runtime_checkable
class TellsPlace(Protocol):
    """A launcher that can also tell where its worker is; asked again and again, in threads as a launcher's methods."""

    def place(self, handle: str) -> Place:
        """Where this worker is now; empty fields are not known."""


@runtime_checkable
class TellsStart(Protocol):
    """A launcher whose `submit` may take long, and that can tell meanwhile what it does."""

    def starting(self, run_dir: Path) -> str:
        """In a few words, for pages and shell; called again and again, and at once."""


@runtime_checkable
class HasPlaces(Protocol):
    """A launcher for one machine, whose devices can have a worker each."""

    def places(self) -> Sequence[Launcher]:
        """One for each worker that it can start at the same time, when several share a run."""


@runtime_checkable
class HasFolders(Protocol):
    """A launcher whose runs have a folder of their own on another machine too."""

    def remover(self, run_dir: Path) -> Callable[[], None] | None:
        """What removes the folder there of this run, which may be gone here by then; None if there is none.

        It may take long, and raises OSError, OutsideFailure or UserError.
        """


class Launcher(Protocol):
    """Starts `python -m engine.work RUN_DIR` on some machine, and identifies the worker later by a handle.

    All methods are called in threads, several at once, and may take long: only the runs of this launcher wait then.
    """

    name: str

    def check(self, spec: Spec) -> None:
        """Raises UserError if it cannot start such a run."""

    def room(self) -> Mapping[str, float]:
        """What there is for active runs: a resource -> how much of it, as {"processor": 1.0, "GPU 0": 1.0}.

        The same name is the same resource for every launcher: those above are this machine's.
        """

    def needs(self) -> Mapping[str, float]:
        """What an active run with these settings takes of it; a loaded chat model takes nothing.

        Quick, since it is asked for every waiting run. Raises UserError if there is never so much.
        """

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Start the worker detached from this process; the handle is plain text, stored, and survives a restart."""

    def find(self, run_dir: Path) -> str:
        """The handle of the worker that runs in this folder, in case it was lost; empty if there is none.

        A worker is found as soon as `submit` has returned its handle, also if it has not begun yet.
        """

    def is_alive(self, handle: str) -> bool | Literal["pending"]:
        """Whether this process, and not another one with the same number, is running; a zombie is not.

        "pending": it is not running yet, or not any more, and starts as soon as there is a machine for it.
        """

    def interruption(self, handle: str) -> str:
        """Why a worker ended if the machine was the cause ("the machine was restarted ..."); empty if not known."""

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Ask the worker to save and end, or `force`: kill its whole process tree. Never signals another process."""
