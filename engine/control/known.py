"""Rows by the numbers that users give."""

from __future__ import annotations

from sqlmodel import Session

from engine.errors import UserError
from storage import queries
from storage.tables import Run


def known_run(session: Session, run_id: int) -> Run:
    """Raises UserError where there is no run of this number."""
    run = queries.run(session, run_id)
    if run is None:
        raise UserError(f"there is no run {run_id}; `repair-studio runs list` shows those there are")
    return run
