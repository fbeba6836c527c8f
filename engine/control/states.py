"""The row of a run, changed by whoever watches it: only where its state is still the one that was seen."""

from __future__ import annotations

import time

from storage.database import Database
from storage.tables import Run


class States:
    """Changes rows of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, run: Run, *, only_in: str = "", **values: object) -> bool:
        """Set these columns; False, and nothing is set, where the run's state is no longer `only_in`."""
        with self._database.write() as session:
            now = session.get_one(Run, run.id)
            if only_in and now.state != only_in:
                return False
            for column, value in values.items():
                setattr(now, column, value)
            return True

    def give_up(self, run: Run, error: str, cause: str) -> None:
        """The run has failed; `cause` as in `engine.events.State`."""
        self.change(run, state="failed", error=error, cause=cause, ended_at=time.time())
