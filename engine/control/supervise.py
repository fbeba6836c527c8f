"""The supervisor: reads workers' events, checks which are alive, stops those asked to stop, starts queued runs."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from engine import requeued
from engine.control.outcomes import SAVING_S, WHERE, so_far
from engine.control.polls import Polls, launcher_of
from engine.control.queue import Queue
from engine.control.runs import Runs
from engine.control.states import States
from engine.control.sync import ingest, take_state
from engine.launchers import Launcher, TellsStart
from engine.launchers.leading import Leading
from engine.rundir import ACTIVE, CALL_LOCK, ENDED, SILENT_S, RunDir
from engine.temporary import sweep
from storage import queries, queue
from storage.database import FULL_BYTES, Database, Unavailable
from storage.tables import Run

log = logging.getLogger(__name__)
WAITING = "waiting"
PENDING = f"{WAITING} for a machine"
STARTING_S = 10.0  # from a worker's start until it can be found
ANSWER_S = 3.0  # how old a launcher's answer may be when it is asked: several runs are answered by one question
WATCH_S = 0.08  # of a tick for the runs at work; those that it does not come to are the first at the next one
AT_WORK = ("running", "stalled")
LEAST_WATCHED = 4  # whatever that takes
READ_BYTES = 4 << 20  # of a run's events in one transaction, so that other writers need not wait long


class Supervisor:
    """Checks all runs once per `tick`; any number of studios and shells may call it, a lock admits one at a time."""

    def __init__(self, home: Path, database: Database, runs: Runs) -> None:
        self._lock = home / "supervisor.lock"
        self._database = database
        self._polls = Polls()
        self._states = States(database)
        self._queue = Queue(home, database, runs, self._states, self._polls)
        self._complaints: dict[int | None, str] = {}
        self._last = 0  # the run that was watched last
        self.is_behind = False  # the last tick did not come to all runs

    def tick(self) -> None:
        """Bring rows and processes up to date; returns at once if another process is doing so.

        Raises storage.database.Unavailable if the database cannot be used, NotEnoughDisk if the queue waits for disk
        space; any other error concerns a single run.
        """
        with self._exclusive() as is_exclusive:
            if not is_exclusive:
                return
            with self._database.read() as session:
                active = queue.standing_in(session, ACTIVE)
            self.is_behind = False
            began, in_turn = time.monotonic(), self._in_turn(active)
            for place, run in enumerate(self._rows(in_turn)):
                # what a run has to say waits in its file, and is read in one go: the longer it waits, the cheaper
                self.is_behind = place >= LEAST_WATCHED and time.monotonic() - began > WATCH_S
                if self.is_behind:
                    break
                self._last = run.id or 0 if run.state in AT_WORK else self._last
                try:
                    self._watch(run)
                except Unavailable:
                    raise
                except OSError as error:  # too many open files, a network share down: may work at the next tick
                    self._complain(run, error)
                except Exception as error:
                    log.exception("run %s cannot be watched", run.id)
                    self._abandon(run, f"its events could not be stored ({type(error).__name__}: {error})")
            self._queue.start_next()

    def _in_turn(self, active: Sequence[queue.Standing]) -> Sequence[int]:
        """Those first that start or are to stop, then the others, beginning behind the one that was watched last."""
        ordered = sorted(active, key=lambda run: (run.state in AT_WORK, run.id <= self._last, run.id))
        return [run.id for run in ordered]

    def _rows(self, run_ids: Sequence[int]) -> Iterator[Run]:
        """The rows of these runs, a few at a time, since a tick may not come to all of them."""
        for at in range(0, len(run_ids), LEAST_WATCHED):
            with self._database.read() as session:
                runs = queries.in_order(session, run_ids[at : at + LEAST_WATCHED])
            yield from runs

    def is_submitting(self) -> bool:
        """Whether this process is giving a run to its launcher."""
        return self._polls.is_open("submit")

    # -- one run ----------------------------------------------------------------------------------------------

    def _watch(self, run: Run) -> None:
        launcher, folder = launcher_of(run), RunDir(Path(run.folder))
        if not folder.is_complete:
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
        elif alive is not None:
            self._note_place(run, launcher, is_waiting=alive == "pending")
            if alive != "pending":
                self._note_heartbeat(run, folder)

    def _is_alive(self, run: Run, launcher: Launcher, folder: RunDir) -> bool | Literal["pending"] | None:
        """Whether its worker is alive; None if the launcher has not answered yet."""
        if not run.handle and self._polls.is_waiting(("submit", run.id)):
            if isinstance(launcher, TellsStart) and run.progress_text != (text := launcher.starting(folder.path)):
                self._states.change(run, only_in="starting", progress_text=text)
            with self._queue.starting(run):
                self._queue.submit(run, folder)
            return None
        if not run.handle and folder.is_held(CALL_LOCK):
            return None  # another studio is submitting it
        if not run.handle:
            found = self._polls.answer(("find", run.id), launcher.find, folder.path)
            if not found:
                return None if found is None else False
            self._states.change(run, handle=found)  # the studio that started it ended before it could store this
            run.handle = found
        answer = self._polls.answer((run.id, run.handle), _alive, launcher, run.handle)
        if answer is None:
            return None
        alive, asked_at = answer
        # it may come late, or be one that the launcher got for another run: a worker that beat since has its machine
        return True if alive == "pending" and folder.beat_at() > asked_at - ANSWER_S else alive

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
            requeued.ask_to_stop(folder.path)  # its launcher is starting it, and may have to wait for that
        elif run.stop_now or _is_overdue(run):
            self._polls.answer(("kill", run.id), _stopped, launcher, run, True)
        elif run.stop_sent_at is None:
            with self._polls.once(("stop", run.id), folder, _stopped, launcher, run, False) as is_sent:
                if is_sent:
                    self._states.change(run, stop_sent_at=time.time())

    def _note_place(self, run: Run, launcher: Launcher, *, is_waiting: bool) -> None:
        """Store where its worker is, and while it waits for a machine, why."""
        place = self._polls.place(run, launcher)
        text = run.progress_text
        if is_waiting and (place or run.state != "starting" or not text):
            text = f"{WAITING}: {place.reason}" if place and place.reason else PENDING
        elif not is_waiting and run.state == "starting" and text.startswith(WAITING):
            text = ""  # it has its machine
        values: dict[str, object] = {"state": "starting" if is_waiting else run.state, "progress_text": text}
        result = {**run.result, WHERE: place.where} if place and place.where else run.result
        if is_waiting and run.started_at is not None:  # the time until it has a machine is none of its own
            result = result | (so_far(run, time.time()) if run.state != "starting" else {})
            values["started_at"] = None
        values["result"] = result
        if any(getattr(run, column) != value for column, value in values.items()):
            self._states.change(run, only_in=run.state, **values)

    def _note_heartbeat(self, run: Run, folder: RunDir) -> None:
        is_silent = folder.silent_s() > SILENT_S
        if run.state == ("running" if is_silent else "stalled"):
            self._states.change(run, only_in=run.state, state="stalled" if is_silent else "running")

    def _record_death(self, run: Run, launcher: Launcher, folder: RunDir) -> None:
        """Store how a run ended whose worker died without emitting its last state.

        One that was never started, since the studio ended before its launcher had taken it, waits in the queue again.
        """
        if not run.handle and run.started_at is not None and time.time() - run.started_at < STARTING_S:
            return
        if not run.handle and run.state == "starting":
            self._states.change(run, only_in="starting", state="queued", started_at=None)
            return
        sweep()
        interruption: str | None = ""
        if run.handle:
            interruption = self._polls.answer(("interruption", run.handle), launcher.interruption, run.handle)
        if interruption is None:
            return
        reserved = folder.ending()
        with self._database.write() as session:
            run = session.get_one(Run, run.id)
            if reserved is not None and reserved.time >= (run.started_at or 0.0):
                take_state(session, run, reserved)
                return
            run.ended_at = time.time()
            going_on = launcher.left(folder.path) if isinstance(launcher, Leading) else ""
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
            run.error = "; ".join(filter(None, (run.error, going_on)))

    def _abandon(self, run: Run, error: str, cause: str = "bug") -> None:
        """Mark a run that cannot be watched any more as failed, and kill its worker."""
        try:
            launcher, path = launcher_of(run), Path(run.folder)
            self._polls.forget(("submit", run.id), lambda handle: launcher.stop(handle, path, force=True))
            if run.handle:
                self._polls.answer(("kill", run.id), _stopped, launcher, run, True)
        except Exception:
            log.exception("the worker of run %s cannot be ended", run.id)
        self._states.fail(run, error, cause)

    def _complain(self, run: Run, error: OSError) -> None:
        """Log each new error once, and not at every tick."""
        if self._complaints.get(run.id) != str(error):
            self._complaints[run.id] = str(error)
            log.warning("run %s cannot be read just now: %s", run.id, error)

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


def _stopped(launcher: Launcher, run: Run, force: bool) -> bool:
    """True, once the launcher has passed the stop on."""
    launcher.stop(run.handle, Path(run.folder), force=force)
    return True


def _alive(launcher: Launcher, handle: str) -> tuple[bool | Literal["pending"], float]:
    """Whether the worker is alive, and when that was asked, in seconds since the epoch."""
    asked_at = time.time()
    return launcher.is_alive(handle), asked_at


def _is_overdue(run: Run) -> bool:
    return run.stop_sent_at is not None and time.time() - run.stop_sent_at > SAVING_S
