"""Changes of a run's row: only while the run is still in the state that was read."""

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
