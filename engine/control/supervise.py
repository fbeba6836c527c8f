"""The supervisor: reads workers' events, checks which are alive, stops those asked to stop, starts queued runs."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.control.outcomes import SAVING_S
from engine.control.polls import Polls
from engine.control.runs import NEEDED_BYTES, Runs
from engine.control.sync import ingest, reset_run, take_state
from engine.errors import DISK_FULL, OutsideFailure, UserError
from engine.launchers import Launcher
from engine.plugins import LAUNCHERS
from engine.rundir import ACTIVE, ENDED, HEARTBEAT_S, RunDir
from engine.specs import parse, waits_for_people
from engine.temporary import sweep
from storage import queries
from storage.database import FULL_BYTES, Database, Unavailable
from storage.tables import Run

log = logging.getLogger(__name__)
SILENT_S = 2 * HEARTBEAT_S  # without a heartbeat, a worker is stalled
STARTING_S = 10.0  # from a worker's start until it can be found
READ_BYTES = 4 << 20  # of a run's events in one transaction, so that other writers need not wait long


class NotEnoughDisk(OSError):
    """The next run in the queue has to wait for disk space."""

    def __init__(self, run: Run, why: str) -> None:
        # without a number: the message is printed again whenever it changes
        super().__init__(f"no disk space: run {run.id} ({run.name}) waits, {why}; it starts as soon as there is space")


class Supervisor:
    """Checks all runs once per `tick`; any number of studios and shells may call it, a lock admits one at a time."""

    def __init__(self, home: Path, database: Database, runs: Runs) -> None:
        self._home = home
        self._lock = home / "supervisor.lock"
        self._database = database
        self._runs = runs
        self._polls = Polls()
        self._complaints: dict[int | None, str] = {}

    def tick(self) -> None:
        """Bring rows and processes up to date; returns at once if another process is doing so.

        Raises storage.database.Unavailable if the database cannot be used, NotEnoughDisk if the queue waits for disk
        space; any other error concerns a single run.
        """
        with self._exclusive() as is_exclusive:
            if not is_exclusive:
                return
            with self._database.read() as session:
                active = queries.runs_in(session, ACTIVE)
            for run in active:
                try:
                    self._watch(run)
                except Unavailable:
                    raise
                except OSError as error:  # too many open files, a network share down: may work at the next tick
                    self._complain(run, error)
                except Exception as error:
                    log.exception("run %s cannot be watched", run.id)
                    self._abandon(run, f"its events could not be stored ({type(error).__name__}: {error})")
            self._start_next()

    # -- one run ----------------------------------------------------------------------------------------------

    def _watch(self, run: Run) -> None:
        launcher, folder = _launcher(run), RunDir(Path(run.folder))
        if not _is_complete(folder):
            self._abandon(run, f"its folder {run.folder} was removed while it ran", cause="outside")
            return
        # Asked before the events are read: a worker that ends in between has already written its last event.
        alive = self._is_alive(run, launcher, folder)
        try:
            run = self._read_events(run, folder)
        except Unavailable:
            raise
        except OSError as error:
            self._complain(run, error)
        if run.state in ENDED:
            return
        if alive is False and not (run.handle == "" and folder.is_held()):
            self._record_death(run, launcher, folder)
        elif run.state == "stopping":
            self._stop(run, launcher, folder)
        else:
            self._note_heartbeat(run, folder)

    def _is_alive(self, run: Run, launcher: Launcher, folder: RunDir) -> bool | None:
        """Whether its worker is alive; None if the launcher has not answered yet."""
        if not run.handle:
            found = self._polls.answer(("find", run.id), launcher.find, folder.path)
            if not found:
                return None if found is None else False
            self._change(run, handle=found)  # the studio that started it ended before it could store this
            run.handle = found
        return self._polls.answer((run.id, run.handle), launcher.is_alive, run.handle)

    def _read_events(self, run: Run, folder: RunDir) -> Run:
        """Store the worker's new events; returns the updated run."""
        while folder.events_path.stat().st_size > run.offset:
            with self._database.write() as session:
                run = session.get_one(Run, run.id)  # read again: it may just have been asked to stop
                before = run.offset
                ingest(session, run, folder, READ_BYTES)
            if run.offset == before:
                break  # a line that is still being written
        return run

    def _stop(self, run: Run, launcher: Launcher, folder: RunDir) -> None:
        """Ask the worker once, then wait while it saves; kill it on *Stop now*, or when it takes too long."""
        if not run.handle:
            return
        if run.stop_now or _is_overdue(run):
            launcher.stop(run.handle, folder.path, force=True)
        elif run.stop_sent_at is None:
            launcher.stop(run.handle, folder.path, force=False)
            self._change(run, stop_sent_at=time.time())

    def _note_heartbeat(self, run: Run, folder: RunDir) -> None:
        is_silent = folder.silent_s() > SILENT_S
        if run.state == ("running" if is_silent else "stalled"):
            self._change(run, only_in=run.state, state="stalled" if is_silent else "running")

    def _record_death(self, run: Run, launcher: Launcher, folder: RunDir) -> None:
        """Store how a run ended whose worker died without emitting its last state."""
        if not run.handle and run.started_at is not None and time.time() - run.started_at < STARTING_S:
            return
        sweep()
        interruption = launcher.interruption(run.handle) if run.handle else ""
        reserved = folder.ending()
        with self._database.write() as session:
            run = session.get_one(Run, run.id)
            if reserved is not None and reserved.time >= (run.started_at or 0.0):
                take_state(session, run, reserved)
                return
            run.ended_at = time.time()
            if run.state == "stopping":
                run.state = "stopped"
                if _is_overdue(run) and not run.stop_now:
                    late = f"it did not save within {SAVING_S:.0f} s, so it was killed"
                    run.error = f"{late}; resume continues from its newest checkpoint"
            elif interruption:
                run.state, run.cause = "interrupted", "outside"
                run.error = f"{interruption}; resume continues from there"
            elif (free := shutil.disk_usage(folder.path).free) < FULL_BYTES:
                run.state, run.cause = "failed", "disk_full"
                run.error = f"the disk is full: {folder.path} has {free:,} bytes free; free some space, then resume"
            else:
                run.state, run.cause = "failed", "killed"
                run.error = "the worker was killed (possibly out of memory); see its log, or resume it"

    def _abandon(self, run: Run, error: str, cause: str = "bug") -> None:
        """Mark a run that cannot be watched any more as failed, and kill its worker."""
        if run.handle:
            try:
                _launcher(run).stop(run.handle, Path(run.folder), force=True)
            except Exception:
                log.exception("the worker of run %s cannot be ended", run.id)
        self._fail(run, error, cause)

    # -- the queue --------------------------------------------------------------------------------------------

    def _start_next(self) -> None:
        with self._database.read() as session:
            busy = Counter(_place(run) for run in queries.runs_in(session, ACTIVE))
            waiting = queries.runs_in(session, ("queued",))
            before = {run.after: session.get(Run, run.after) for run in waiting if run.after is not None}
        for run in waiting:
            first = before.get(run.after) if run.after is not None else None
            if first is not None and first.state in ENDED and first.state != "done":
                how = {"stopped": "was stopped", "interrupted": "was interrupted"}.get(first.state, first.state)
                self._fail(run, f"run {first.id} ({first.name}), whose result it needs, {how}", "outside")
            elif first is None or first.state == "done":
                self._start_if_free(run, busy)

    def _start_if_free(self, run: Run, busy: Counter[str]) -> None:
        """Start the run if its launcher has capacity; `busy`: number of active runs by launcher."""
        place = _place(run)
        try:
            is_free = not place or busy[place] < _launcher(run).capacity()
        except Exception as error:
            log.exception("the launcher of run %s cannot be used", run.id)
            self._fail(run, f"its launcher cannot be used ({type(error).__name__}: {error})", "bug")
            return
        if is_free:
            busy[place] += 1
            self._start(run)

    def _start(self, run: Run) -> None:
        folder = RunDir(Path(run.folder))
        if shutil.disk_usage(self._home).free < NEEDED_BYTES:
            raise NotEnoughDisk(run, f"since it needs {NEEDED_BYTES >> 20} MiB in {self._home}")
        try:
            if not _is_complete(folder):
                self._reset(run, folder)
                RunDir.create(folder.path, run.spec, self._runs.inputs(parse(run.spec)))
            folder.log.touch()  # a full disk is noticed while the run is still queued
            if not self._change(run, only_in="queued", state="starting", started_at=time.time(), handle=""):
                return  # stopped meanwhile
            handle = _launcher(run).submit(folder.path, {})
        except Unavailable:
            raise
        except (UserError, OutsideFailure, OSError) as error:
            if _is_about_a_full_disk(error):
                self._change(run, only_in="starting", state="queued", started_at=run.started_at)
                raise NotEnoughDisk(run, str(error)) from error
            self._fail(run, str(error), "user" if isinstance(error, UserError) else "outside")
        except Exception as error:
            log.exception("run %s cannot be started", run.id)
            self._fail(run, f"it could not be started ({type(error).__name__}: {error})", "bug")
        else:
            self._change(run, handle=handle)

    def _reset(self, run: Run, folder: RunDir) -> None:
        """Called before the folder is created: a studio that is killed in between does it again."""
        with self._database.write() as session:
            reset_run(session, session.get_one(Run, run.id), folder)

    # -- rows -------------------------------------------------------------------------------------------------

    def _change(self, run: Run, *, only_in: str = "", **values: object) -> bool:
        """Set these columns; returns False without setting any if the run's state is no longer `only_in`."""
        with self._database.write() as session:
            now = session.get_one(Run, run.id)
            if only_in and now.state != only_in:
                return False
            for column, value in values.items():
                setattr(now, column, value)
            return True

    def _complain(self, run: Run, error: OSError) -> None:
        """Log each new error once, and not at every tick."""
        if self._complaints.get(run.id) != str(error):
            self._complaints[run.id] = str(error)
            log.warning("run %s cannot be read just now: %s", run.id, error)

    def _fail(self, run: Run, error: str, cause: str) -> None:
        self._change(run, state="failed", error=error, cause=cause, ended_at=time.time())

    @contextmanager
    def _exclusive(self) -> Iterator[bool]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)


def _is_complete(folder: RunDir) -> bool:
    """Whether the run was started, and the files that a worker needs were not removed since."""
    return folder.events_path.exists() and (folder.path / "spec.json").exists()


def _is_about_a_full_disk(error: Exception) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in DISK_FULL


def _launcher(run: Run) -> Launcher:
    return LAUNCHERS.create(LAUNCHERS.params(run.spec.get("launcher", run.launcher)))


def _place(run: Run) -> str:
    """The launcher with its settings, as JSON, whose capacity a run takes; empty if it takes none."""
    if waits_for_people(run.kind):
        return ""
    return json.dumps(run.spec.get("launcher", run.launcher), sort_keys=True)


def _is_overdue(run: Run) -> bool:
    return run.stop_sent_at is not None and time.time() - run.stop_sent_at > SAVING_S
