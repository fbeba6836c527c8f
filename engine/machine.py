"""What this machine can do, and how to get what is missing."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import psutil

from engine.fingerprint import library_versions
from engine.gpus import Gpu, gpus
from engine.launchers import ray, slurm
from engine.plugins import BENCHMARKS, SANDBOXES
from engine.sandboxes.auto import levels


@dataclass(frozen=True)
class Check:
    """One thing the studio can use; if it is missing, `detail` says why and how to get it."""

    what: str
    has: bool
    detail: str


@dataclass(frozen=True)
class Machine:
    """Everything that `doctor` prints."""

    gpus: tuple[Gpu, ...]
    cores: int
    memory_bytes: int
    free_disk_bytes: int
    sandbox: str  # the one in use; empty if none works
    checks: tuple[Check, ...]
    versions: dict[str, str]

    @property
    def summary(self) -> str:
        """One line for the header: the GPUs, or CPU and memory."""
        gib = 1 << 30
        if self.gpus:
            names = ", ".join(sorted({gpu.name for gpu in self.gpus}))
            return f"{len(self.gpus)} x {names}, {sum(g.memory_bytes for g in self.gpus) / gib:.0f} GiB"
        return f"CPU only, {self.cores} cores, {self.memory_bytes / gib:.0f} GiB memory"


def report(home: Path) -> Machine:
    """Check the machine. Each sandbox makes a trial run, which takes about a second the first time."""
    levels = _sandbox_levels()
    working = [check for check in levels if check.has]
    cards = gpus()
    checks = [
        Check("GPU", bool(cards), ", ".join(gpu.name for gpu in cards) or "none; the CPU is used"),
        *levels,
        _java(),
        _torchrun(len(cards)),
        Check("SLURM", *slurm.described()),
        Check("Ray", *ray.described()),
        _ssh(),
    ]
    return Machine(
        gpus=cards,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        free_disk_bytes=shutil.disk_usage(home).free,
        sandbox=working[0].detail if working else "",
        checks=tuple(checks),
        versions=library_versions(),
    )


def examine(launcher: object) -> tuple[Check, ...]:
    """Where a launcher starts runs, for one that can tell (`examined`); another machine is asked now."""
    if not hasattr(launcher, "examined"):
        return ()
    has, detail = launcher.examined()
    return (Check(f"launcher {next(iter(launcher.needs()))}", has, detail),)  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _sandbox_levels() -> tuple[Check, ...]:
    found = []
    for name in levels():
        sandbox = SANDBOXES.create(SANDBOXES.params(name))
        reason = sandbox.unavailable()
        found.append(Check(f"sandbox {name}", not reason, reason or sandbox.describe()))
    return tuple(found)


def _java() -> Check:
    pocket = BENCHMARKS.create(BENCHMARKS.params({"name": "pocket", "languages": ["java"]}))
    reasons = sorted(set(pocket.skipped().values()))
    return Check("JDK and JUnit 4", not reasons, "; ".join(reasons) or "found")


def _torchrun(cards: int) -> Check:
    """Looked for as a file: importing it would load torch."""
    torch = find_spec("torch")
    has = any(
        (Path(place) / "distributed" / "run.py").is_file()
        for place in (torch and torch.submodule_search_locations) or ()
    )
    detail = f"a training in {cards} processes, one a GPU" if cards > 1 else "for several GPUs; this machine has fewer"
    return Check("torchrun", has, detail if has else "this build of torch has none; install the one of constraints.txt")


def _ssh() -> Check:
    missing = [program for program in ("ssh", "rsync") if shutil.which(program) is None]
    how = "a machine is asked by: repair-studio doctor --set launcher=ssh --set launcher.host=HOST"
    said = f"not installed: {', '.join(missing)}; on Debian or Ubuntu: apt install openssh-client rsync"
    return Check("ssh and rsync", not missing, said if missing else how)
