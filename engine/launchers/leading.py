"""Starts runs that several workers share: one worker on this machine leads them (`engine.work.lead`)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.builders import Caching, is_found_in_parts
from engine.errors import OutsideFailure, UserError
from engine.launchers import HasPlaces, Launcher, Place
from engine.launchers.local import Local
from engine.plugins import BUILDERS
from engine.rundir import RunDir
from engine.spec import Spec, SplitSpec

log = logging.getLogger(__name__)
ROUNDING = 1e-9  # of shares of a resource
AT_ONCE = 8  # shards that are killed at the same time
ENDING_S, LOOK_S = 20.0, 0.2  # for a leading worker to end once its shards are killed, and how often that is looked for


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
        """Ask the leading worker, which asks the others; or kill all of them, it last.

        Raises OSError if one could not be killed. The leading worker goes on as long as that one does, so that it can
        be tried again; it starts none any more.
        """
        if handle:
            self._here.stop(handle, run_dir, force=False)  # first: it would start again what is killed
        if force:
            try:
                self._kill(handle, RunDir(run_dir))
            except OutsideFailure as error:  # the handles cannot be read, now or later
                log.warning("the shards of %s cannot be killed: %s", run_dir, error)
            if handle:
                self._here.stop(handle, run_dir, force=True)

    def left(self, run_dir: Path) -> str:
        """What is to be said of shards that go on when the leading worker was killed; empty where none do."""
        if isinstance(self._launcher, Local):
            return ""  # they end with it
        try:
            number = len(RunDir(run_dir).handles())
        except OutsideFailure:
            return ""
        if not number:
            return ""
        what = "1 shard" if number == 1 else f"{number} shards"
        return f"{what} of it may go on elsewhere: resume finds them again, and deleting the run ends them"

    def _kill(self, handle: str, run: RunDir) -> None:
        """All shards, also one that the leading worker was just giving to its launcher."""
        killed: dict[int, str] = {}
        deadline = time.monotonic() + ENDING_S
        while True:
            is_over = not handle or not self._here.is_alive(handle) or time.monotonic() > deadline
            new = {number: each for number, each in run.handles().items() if killed.get(number) != each}
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="kill") as pool:
                failed = [*filter(None, pool.map(lambda each: self._failure_of(run, *each), new.items()))]
            if failed:
                raise OSError(f"{len(failed)} shards of {run.path} cannot be killed just now: {failed[0]}")
            killed |= new
            if is_over and killed:
                run.write_handles({})
            if is_over:
                return
            time.sleep(LOOK_S)

    def _failure_of(self, run: RunDir, number: int, handle: str) -> str:
        """Kill one; returns why it could not be."""
        try:
            self._launcher.stop(handle, run.shard(number).path, force=True)
        except (OSError, OutsideFailure, UserError) as error:
            return str(error)
        return ""


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
    return builder is not None and not is_found_in_parts(BUILDERS.plugin(builder.name))
