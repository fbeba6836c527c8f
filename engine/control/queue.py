"""The queue: which run starts next, if there is room for it, and each run once."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.control.polls import Polls, launcher_of
from engine.control.room import Room
from engine.control.runs import NEEDED_BYTES, Runs
from engine.control.states import States
from engine.control.sync import reset_run
from engine.errors import DISK_FULL, OutsideFailure, UserError
from engine.rundir import ACTIVE, CALL_LOCK, ENDED, RunDir
from engine.specs import parse
from engine.trainers.watch_settings import WANDB_KEY
from storage import queries, queue
from storage.database import Database, Unavailable
from storage.tables import Run

log = logging.getLogger(__name__)


class NotEnoughDisk(OSError):
    """The next run in the queue has to wait for disk space."""

    def __init__(self, run: Run, why: str) -> None:
        # without a number: the message is printed again whenever it changes
        super().__init__(f"no disk space: run {run.id} ({run.name}) waits, {why}; it starts as soon as there is space")


class Queue:
    """Starts queued runs; called by one supervisor at a time."""

    def __init__(self, home: Path, database: Database, runs: Runs, states: States, polls: Polls) -> None:
        self._home = home
        self._database = database
        self._runs = runs
        self._states = states
        self._polls = polls

    def start_next(self) -> None:
        """Start the next runs for which there is room. Raises NotEnoughDisk if one has to wait for disk space."""
        with self._database.read() as session:
            active = queue.launched_in(session, ACTIVE)
            queued = queue.launched_in(session, ("queued",))
            in_vain = queue.in_vain(session, [state for state in ENDED if state != "done"])
        for run in in_vain:
            how = {"stopped": "was stopped", "interrupted": "was interrupted"}.get(run.first_state, run.first_state)
            self._fail(run.id, f"run {run.first} ({run.first_name}), whose result it needs, {how}", "outside")
        room = Room(self._polls, active)
        if not any(room.may_have(launched) for launched, _ in queued):
            return  # mostly so, and then a thousand runs are not looked at one by one
        with self._database.read() as session:
            waiting = queue.waiting(session)
        for run_id, launched in waiting:
            self._start_if_free(run_id, launched, room)

    def _start_if_free(self, run_id: int, launched: queue.Launched, room: Room) -> None:
        """Start the run if its launcher has room."""
        try:
            is_free = room.take(launched)
        except UserError as error:  # a device that is not here any more
            self._fail(run_id, str(error), "user")
            return
        except Exception as error:
            log.exception("the launcher of run %s cannot be used", run_id)
            self._fail(run_id, f"its launcher cannot be used ({type(error).__name__}: {error})", "bug")
            return
        if is_free and (run := self._row(run_id)):
            self._start(run)

    def _fail(self, run_id: int, error: str, cause: str) -> None:
        if run := self._row(run_id):
            self._states.fail(run, error, cause)

    def _row(self, run_id: int) -> Run | None:
        """None if it was deleted meanwhile."""
        with self._database.read() as session:
            return queries.run(session, run_id)

    def _start(self, run: Run) -> None:
        folder = RunDir(Path(run.folder))
        if shutil.disk_usage(self._home).free < NEEDED_BYTES:
            raise NotEnoughDisk(run, f"since it needs {NEEDED_BYTES >> 20} MiB in {self._home}")
        with self.starting(run):
            if not folder.is_complete:
                self._reset(run, folder)
                spec = parse(run.spec)
                RunDir.create(folder.path, run.spec, self._runs.inputs(spec), self._runs.command(spec))
            folder.log.touch()  # a full disk is noticed while the run is still queued
            if self._polls.is_under_way(("kill", run.id)):
                return  # of its worker before it was resumed; the new one would be killed with it
            if folder.is_held(CALL_LOCK):  # an earlier call about this run has not returned
                self._polls.forget(("stop", run.id), bool)
            elif self._states.change(run, only_in="queued", state="starting", started_at=time.time(), handle=""):
                self.submit(run, folder)  # otherwise it was stopped meanwhile

    def submit(self, run: Run, folder: RunDir) -> None:
        """Submit the run to its launcher, once; store the handle as soon as the launcher has returned it."""
        with self._polls.once(
            ("submit", run.id), folder, launcher_of(run).submit, folder.path, withheld(run)
        ) as handle:
            if handle is not None:
                self._states.change(run, handle=handle, progress_text="")

    @contextmanager
    def starting(self, run: Run) -> Iterator[None]:
        """Turn errors at the start of a run into its failure; if the disk is full, it waits in the queue instead."""
        try:
            yield
        except Unavailable:
            raise
        except (UserError, OutsideFailure, OSError) as error:
            if _is_about_a_full_disk(error):
                self._states.change(run, only_in="starting", state="queued", started_at=None)
                raise NotEnoughDisk(run, str(error)) from error
            if self._states.change(run, only_in="stopping", state="stopped", ended_at=time.time()):
                return  # as it was asked to, while it was being started
            self._states.fail(run, str(error), "user" if isinstance(error, UserError) else "outside")
        except Exception as error:
            log.exception("run %s cannot be started", run.id)
            self._states.fail(run, f"it could not be started ({type(error).__name__}: {error})", "bug")

    def _reset(self, run: Run, folder: RunDir) -> None:
        """Called before the folder is created: a studio that is killed in between does it again."""
        with self._database.write() as session:
            reset_run(session, session.get_one(Run, run.id), folder)


def withheld(run: Run) -> dict[str, str]:
    """The environment of a worker beside the studio's own: without the key of a service that the run does not use."""
    trainer = run.spec.get("trainer")
    is_sent = isinstance(trainer, dict) and trainer.get("report_to_wandb")
    return {} if is_sent else {WANDB_KEY: ""}


def _is_about_a_full_disk(error: Exception) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in DISK_FULL
