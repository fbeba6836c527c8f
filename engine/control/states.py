"""The state of a run in its row: how far it is, and changes that are made only in the state that was read."""

from __future__ import annotations

import time

from storage.database import Database
from storage.tables import Run


class States:
    """Changes rows of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, run: Run, *, only_in: str = "", **values: object) -> bool:
        """Set these columns; returns False without setting any if the run's state is no longer `only_in`."""
        with self._database.write() as session:
            now = session.get_one(Run, run.id)
            if only_in and now.state != only_in:
                return False
            for column, value in values.items():
                setattr(now, column, value)
            return True

    def fail(self, run: Run, error: str, cause: str) -> None:
        """The run has failed; `cause` as in `engine.events.State`."""
        self.change(run, state="failed", error=error, cause=cause, ended_at=time.time())


def ask_to_end(run: Run, *, now: bool = False) -> None:
    """Mark a run that has not ended as stopping; call it in the transaction that decides this."""
    is_new = run.state != "stopping" or (now and not run.stop_now)
    run.stop_asked_at = time.time() if is_new else run.stop_asked_at
    run.stop_now = run.stop_now or now
    run.state = "stopped" if run.state == "queued" else "stopping"
    run.ended_at = time.time() if run.state == "stopped" else None


def progress_of(run: Run) -> float | None:
    """Share done, 0 to 1; None if it is not known."""
    if run.state == "done":
        return 1.0
    return min(1.0, run.progress_done / run.progress_total) if run.progress_total else None
