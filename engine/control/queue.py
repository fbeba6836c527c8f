"""The queue: which run starts next, where there is room for it, and each of them once."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.control.polls import LOCK, Polls, launcher_of
from engine.control.runs import NEEDED_BYTES, Runs
from engine.control.states import States
from engine.control.sync import begin_anew
from engine.errors import DISK_FULL, OutsideFailure, UserError
from engine.rundir import ACTIVE, ENDED, RunDir
from engine.specs import parse, waits_for_people
from storage import queries
from storage.database import Database, Unavailable
from storage.tables import Run

log = logging.getLogger(__name__)


class NoRoom(OSError):
    """What is next in the queue waits until there is disk space for it."""

    def __init__(self, run: Run, why: str) -> None:
        # without a figure: it is said again whenever the text is another one
        super().__init__(
            f"no disk space: run {run.id} ({run.name}) waits, {why}; free some space, and it starts by itself"
        )


class Queue:
    """Starts the runs that wait; called by one supervisor at a time."""

    def __init__(self, home: Path, database: Database, runs: Runs, states: States, polls: Polls) -> None:
        self._home = home
        self._database = database
        self._runs = runs
        self._states = states
        self._polls = polls

    def start_next(self) -> None:
        """Start what is next, as far as there is room. Raises NoRoom where there is no disk space for it."""
        with self._database.read() as session:
            busy = Counter(_place(run) for run in queries.runs_in(session, ACTIVE))
            waiting = queries.runs_in(session, ("queued",))
            before = {run.after: session.get(Run, run.after) for run in waiting if run.after is not None}
        room: dict[str, int | None] = {}
        for run in waiting:
            first = before.get(run.after) if run.after is not None else None
            if first is not None and first.state in ENDED and first.state != "done":
                how = {"stopped": "was stopped", "interrupted": "was interrupted"}.get(first.state, first.state)
                self._states.give_up(run, f"run {first.id} ({first.name}), whose result it needs, {how}", "outside")
            elif first is None or first.state == "done":
                self._start_if_free(run, busy, room)

    def _start_if_free(self, run: Run, busy: Counter[str], room: dict[str, int | None]) -> None:
        """Start it where its launcher has room; `busy`: runs at work, `room`: how many may be, both by launcher."""
        place = _place(run)
        try:
            if place and place not in room:
                room[place] = self._polls.answer(("capacity", place), launcher_of(run).capacity)
            is_free = not place or busy[place] < (room[place] or 0)
        except Exception as error:
            log.exception("the launcher of run %s cannot be used", run.id)
            self._states.give_up(run, f"its launcher cannot be used ({type(error).__name__}: {error})", "bug")
            return
        if is_free:
            busy[place] += 1
            self._start(run)

    def _start(self, run: Run) -> None:
        folder = RunDir(Path(run.folder))
        if shutil.disk_usage(self._home).free < NEEDED_BYTES:
            raise NoRoom(run, f"since it needs {NEEDED_BYTES >> 20} MiB in {self._home}")
        with self.starting(run):
            if not folder.is_whole:
                self._begin_anew(run, folder)
                RunDir.create(folder.path, run.spec, self._runs.inputs(parse(run.spec)))
            folder.log.touch()  # what the disk does not take is found out while the run is still queued
            if folder.is_held(LOCK):  # an earlier call about it has not come back
                self._polls.forget(("stop", run.id), bool)
            elif self._states.change(run, only_in="queued", state="starting", started_at=time.time(), handle=""):
                self.submit(run, folder)  # else it was stopped since we looked

    def submit(self, run: Run, folder: RunDir) -> None:
        """Hand it to its launcher, once; its handle is stored as soon as the launcher has said it."""
        with self._polls.once(("submit", run.id), folder, launcher_of(run).submit, folder.path, {}) as handle:
            if handle is not None:
                self._states.change(run, handle=handle)

    @contextmanager
    def starting(self, run: Run) -> Iterator[None]:
        """What goes wrong in starting a run is the run's, but for a full disk, for whose end it waits in the queue."""
        try:
            yield
        except Unavailable:
            raise
        except (UserError, OutsideFailure, OSError) as error:
            if _is_about_a_full_disk(error):
                self._states.change(run, only_in="starting", state="queued", started_at=None)
                raise NoRoom(run, str(error)) from error
            self._states.give_up(run, str(error), "user" if isinstance(error, UserError) else "outside")
        except Exception as error:
            log.exception("run %s cannot be started", run.id)
            self._states.give_up(run, f"it could not be started ({type(error).__name__}: {error})", "bug")

    def _begin_anew(self, run: Run, folder: RunDir) -> None:
        """Before the folder is made: a studio that is killed in between does it again."""
        with self._database.write() as session:
            begin_anew(session, session.get_one(Run, run.id), folder)


def _is_about_a_full_disk(error: Exception) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in DISK_FULL


def _place(run: Run) -> str:
    """Whose capacity a run takes: its launcher's, with all settings; empty where it takes none."""
    if waits_for_people(run.kind):
        return ""
    return json.dumps(run.spec.get("launcher", run.launcher), sort_keys=True)
