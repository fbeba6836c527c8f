"""Starts runs that several workers share: one worker on this machine leads them (`engine.work.lead`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from engine.builders import Caching, Splitting
from engine.errors import OutsideFailure, UserError
from engine.launchers import HasPlaces, Launcher, Place
from engine.launchers.local import Local
from engine.plugins import BUILDERS
from engine.rundir import RunDir
from engine.spec import Spec, SplitSpec

ROUNDING = 1e-9  # of shares of a resource


class Leading:
    """The launcher of the leading worker, a process of this machine; `launcher` starts the others."""

    def __init__(self, launcher: Launcher, shards: int) -> None:
        self.name = launcher.name
        self._launcher = launcher
        self._shards = shards
        self._here = Local()

    def check(self, spec: Spec) -> None:
        self._launcher.check(spec)
        if getattr(spec, "keep_verdicts", False):
            raise UserError("shards: nothing is run where the file's verdicts are kept; leave it at 1", field="shards")
        builder = getattr(spec, "builder", None)
        if builder is not None and hasattr(BUILDERS.plugin(builder.name), Caching.cache_in.__name__):
            raise UserError(
                f"shards: {builder.name} waits for a service most of the time, and each shard would ask and pay for "
                "the same answers; build it with shards=1 (builder.parallel is how many are asked for at once)",
                field="shards",
            )

    def room(self) -> Mapping[str, float]:
        return self._launcher.room()

    def needs(self) -> Mapping[str, float]:
        """What all shards together take, and not more than there is: the others wait for the first."""
        room = self._launcher.room()
        return {
            each: max(amount, min(amount * self._shards, room.get(each, 0.0)))
            for each, amount in self._launcher.needs().items()
        }

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        return self._here.submit(run_dir, environment)

    def find(self, run_dir: Path) -> str:
        return self._here.find(run_dir)

    def is_alive(self, handle: str) -> bool:
        return self._here.is_alive(handle)

    def interruption(self, handle: str) -> str:
        return self._here.interruption(handle)

    def place(self, handle: str) -> Place:
        """Of the shards, as their launcher is called; where each is stands in the log."""
        return Place(f"{self._shards} shards, started by {self.name}")

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Ask the leading worker, which asks the others; or kill all of them."""
        if force:
            run = RunDir(run_dir)
            with suppress(OutsideFailure):
                for number, each in run.handles().items():
                    with suppress(OSError, OutsideFailure):
                        self._launcher.stop(each, run.shard(number).path, force=True)
        self._here.stop(handle, run_dir, force=force)


def places_of(launcher: Launcher, spec: SplitSpec) -> Sequence[Launcher]:
    """One for each worker that is started at the same time."""
    if isinstance(launcher, HasPlaces):
        cores = len(os.sched_getaffinity(0))
        return [launcher] * min(spec.shards, cores) if _takes_a_core(spec) else launcher.places()[: spec.shards]
    room = launcher.room()
    fits = [int(room.get(each, 0.0) / amount + ROUNDING) for each, amount in launcher.needs().items() if amount]
    return [launcher] * max(1, min([spec.shards, *fits]))


def _takes_a_core(spec: SplitSpec) -> bool:
    """Whether its workers need little more than a core each: builds, unless the builder itself works on all cores."""
    builder = getattr(spec, "builder", None)
    return builder is not None and not hasattr(BUILDERS.plugin(builder.name), Splitting.work_on.__name__)
