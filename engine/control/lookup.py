"""Finds a run by the number that a user gives."""

from __future__ import annotations

from sqlmodel import Session

from engine.errors import UserError
from storage import queries
from storage.tables import Run


def find_run(session: Session, run_id: int) -> Run:
    """The run with this number. Raises UserError if there is none."""
    run = queries.run(session, run_id)
    if run is None:
        raise UserError(f"there is no run {run_id}; `repair-studio runs list` lists all runs")
    return run
