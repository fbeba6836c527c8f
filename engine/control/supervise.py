"""Watching: take in what workers say, find those that died, end those that should, start what is next in the queue."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import launchers
from engine.control.runs import Runs
from engine.control.sync import ingest
from engine.errors import OutsideFailure, UserError
from engine.registry import Params
from engine.rundir import ACTIVE, ENDED, RunDir
from engine.specs import parse
from storage import queries
from storage.database import Database
from storage.tables import Run

PATIENCE_S = 10.0  # between asking a run to end and ending it
SLOTS = 1  # heavy runs at a time on one machine; a chat's model waits for people and takes none


class Supervisor:
    """One look at all runs per `tick`; any number of studios and shells may tick, one at a time does."""

    def __init__(self, home: Path, database: Database, runs: Runs) -> None:
        self._lock = home / "supervisor.lock"
        self._database = database
        self._runs = runs

    def tick(self) -> None:
        """Bring rows and processes up to date; returns at once where another studio is just doing it."""
        with self._alone() as alone:
            if not alone:
                return
            with self._database.read() as session:
                active = queries.runs_in(session, ACTIVE)
            for run in active:
                self._watch(run)
            self._start_next()

    def _watch(self, run: Run) -> None:
        assert run.id is not None
        launcher = launchers.registry.create(Params(name=run.launcher))
        # Asked before the events are read: a worker that ends in between has its last words in the file.
        alive = bool(run.handle) and launcher.is_alive(run.handle)
        folder = RunDir(Path(run.folder))
        if not folder.events_path.exists():
            if alive:
                launcher.stop(run.handle, folder.path, force=True)
            self._give_up(run, f"its folder {run.folder} was removed while it ran", "outside")
            return
        if folder.events_path.stat().st_size > run.offset:
            with self._database.write() as session:
                run = session.get_one(Run, run.id)  # afresh: somebody may just have asked it to stop
                ingest(session, run, folder)
        if run.state in ENDED:
            return
        if not alive and not (run.handle == "" and folder.is_held()):
            self._bury(run)
        elif run.state == "stopping" and run.stop_asked_at is not None and run.handle:
            overdue = time.time() - run.stop_asked_at > PATIENCE_S
            launcher.stop(run.handle, folder.path, force=overdue)

    def _bury(self, run: Run) -> None:
        """A worker that is gone without a last word."""
        if not run.handle and run.started_at is not None and time.time() - run.started_at < PATIENCE_S:
            return  # just being started by another studio
        launcher = launchers.registry.create(Params(name=run.launcher))
        interruption = launcher.interruption(run.handle) if run.handle else ""
        with self._database.write() as session:
            run = session.get_one(Run, run.id)
            run.ended_at = time.time()
            if run.state == "stopping":
                run.state = "stopped"
            elif interruption:
                run.state, run.cause = "interrupted", "outside"
                run.error = f"{interruption}; resume goes on from there"
            else:
                run.state, run.cause = "failed", "killed"
                run.error = "the worker was killed (possibly out of memory); its log may say more, resume goes on"

    def _start_next(self) -> None:
        with self._database.read() as session:
            busy = sum(run.kind != "chat" for run in queries.runs_in(session, ACTIVE))
            waiting = queries.runs_in(session, ("queued",))
            before = {run.after: session.get(Run, run.after) for run in waiting if run.after is not None}
        for run in waiting:
            first = before.get(run.after) if run.after is not None else None
            if first is not None and first.state in ENDED and first.state != "done":
                how = {"stopped": "was stopped", "interrupted": "was interrupted"}.get(first.state, first.state)
                self._give_up(run, f"run {first.id} ({first.name}), whose result it needs, {how}", "outside")
            elif (first is None or first.state == "done") and (run.kind == "chat" or busy < SLOTS):
                busy += run.kind != "chat"
                self._start(run)

    def _start(self, run: Run) -> None:
        assert run.id is not None
        folder = Path(run.folder)
        try:
            if not (folder / "spec.json").exists():
                inputs = self._runs.inputs(parse(run.spec))
                RunDir.create(folder, run.spec, inputs)
            with self._database.write() as session:
                mine = session.get(Run, run.id)
                if mine is None or mine.state != "queued":
                    return  # stopped since we looked
                mine.state, mine.started_at, mine.handle = "starting", time.time(), ""
            handle = launchers.registry.create(Params(name=run.launcher)).submit(folder, {})
        except (UserError, OutsideFailure, OSError) as error:
            self._give_up(run, str(error), "user" if isinstance(error, UserError) else "outside")
            return
        with self._database.write() as session:
            mine = session.get(Run, run.id)
            assert mine is not None
            mine.handle = handle

    def _give_up(self, run: Run, error: str, cause: str) -> None:
        with self._database.write() as session:
            run = session.get_one(Run, run.id)
            run.state, run.error, run.cause, run.ended_at = "failed", error, cause, time.time()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)
