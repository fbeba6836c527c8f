"""SLURM's jobs of this user, as its own commands tell and end them; no accounting database is asked.

The commands and their formats: https://slurm.schedmd.com/squeue.html, scancel.html and scontrol.html.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

PATIENCE_S = 60.0  # for a command's answer
FRESH_S = 2.0  # for which all questions of a studio are answered from one list, since a controller serves many users
FORMAT = "%A|%j|%T|%N|%r"  # number, name, state, nodes, reason
# By which SLURM says that it knows no such job, or not any more, and that it has ended; `scancel --quiet` keeps it back
GONE = ("Invalid job id specified", "already completing or completed")
WAITS = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
)
WORKS = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"})


@dataclass(frozen=True)
class Job:
    """A job as squeue lists it; `nodes` is empty while it waits, `reason` is SLURM's own word."""

    number: str
    name: str
    state: str
    nodes: str
    reason: str


def job(number: str, name: str, *, is_fresh: bool = False) -> Job | None:
    """This user's job with this number and name, at most FRESH_S old unless it has to be fresh.

    None if SLURM knows none. Raises OSError if the controller does not answer.
    """
    found = None if is_fresh else LISTING.jobs().get(number)
    if found is None:
        words = ("squeue", "--noheader", "--states=all", f"--jobs={number}", f"--format={FORMAT}")
        found = _read(_said(*words)).get(number)
    return found if found and found.name == name else None


def jobs_called(name: str) -> list[Job]:
    """This user's jobs with this name that have not ended. Raises OSError if the controller does not answer."""
    words = ("squeue", "--noheader", "--me", f"--name={name}", f"--format={FORMAT}")
    return [each for each in _read(_said(*words)).values() if each.state in WAITS | WORKS]


def exit_code(number: str) -> str:
    """The exit code and signal of a job that has ended, "75:0"; empty if it is not known any more."""
    words = _said("scontrol", "--oneliner", "show", "job", number).split()
    return next((word.partition("=")[2] for word in words if word.startswith("ExitCode=")), "")


def cancel(found: Job, *options: str) -> None:
    """`scancel` the job, with these options; of no effect on one that has ended.

    Raises OSError if the controller does not answer, or refuses it; then it has to be asked again.
    """
    _said("scancel", "--quiet", f"--name={found.name}", *options, found.number, is_quiet=True)


def partitions() -> str:
    """The partitions of the cluster, as "cpu*, gpu". Raises OSError if its controller does not answer."""
    return ", ".join(dict.fromkeys(_said("sinfo", "--noheader", "--format=%P").split()))


class Listing:
    """All jobs of this user that SLURM knows, by number: one answer for all who ask meanwhile or FRESH_S later."""

    def __init__(self) -> None:
        self._asking = Lock()
        self.forget()

    def forget(self) -> None:
        self._answered = -math.inf
        self._answer: Mapping[str, Job] | OSError = {}

    def jobs(self) -> Mapping[str, Job]:
        """Raises OSError if the controller does not answer; that counts for all who ask meanwhile, too."""
        began = time.monotonic()
        with self._asking:
            if self._answered < began - FRESH_S:
                try:
                    self._answer = _read(_said("squeue", "--noheader", "--me", "--states=all", f"--format={FORMAT}"))
                except OSError as error:
                    self._answer = error
                self._answered = time.monotonic()
            if isinstance(self._answer, OSError):
                raise OSError(str(self._answer))
            return self._answer


def _read(text: str) -> Mapping[str, Job]:
    rows = [line.split("|", 4) for line in text.splitlines()]
    return {row[0]: Job(*row) for row in rows if len(row) == 5}


def _said(*words: str, is_quiet: bool = False) -> str:
    """What a command prints; nothing for a job that SLURM does not know. Raises OSError with the reason.

    `is_quiet`: it fails without a word where there is nothing to do.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        raise OSError(f"SLURM's {words[0]} has not answered for {PATIENCE_S:.0f} s") from None
    why = done.stderr.strip()
    is_harmless = any(each in why for each in GONE) or (is_quiet and not why)
    if done.returncode and not is_harmless:
        # it says in a line each what it tried; the last one, without its own name, is what came of it
        last = why.splitlines()[-1].removeprefix(f"{words[0]}: ") if why else f"it ended with {done.returncode}"
        raise OSError(f"SLURM's {words[0]} does not answer: {last}")
    return done.stdout


LISTING = Listing()  # of this process
