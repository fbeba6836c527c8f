"""Finds a run by the number that a user gives, and a patch by its place in one."""

from __future__ import annotations

from sqlmodel import Session

from engine.errors import UserError
from engine.events import MODEL
from engine.params import shown
from storage import benchmarks, queries
from storage.tables import Bug, Patch, Run


def find_run(session: Session, run_id: int) -> Run:
    """The run with this number. Raises UserError if there is none."""
    run = queries.run(session, run_id)
    if run is None:
        raise UserError(f"there is no run {run_id}; `repair-studio runs list` lists all runs")
    return run


def find_patch(session: Session, run_id: int, bug_id: str, source: str, rank: int) -> tuple[Bug, Patch]:
    """A patch and its bug. Raises UserError if there is none."""
    found = benchmarks.patch(session, run_id, bug_id, source, rank)
    if found is None and benchmarks.bug(session, find_run(session, run_id).id or 0, bug_id) is None:
        raise UserError(f"run {run_id} has no bug {shown(bug_id)}; give its whole id, such as pocket/py-stock-check")
    if found is None:
        what = f"candidate {rank}" if source == MODEL else f"patch {source} {rank}"
        raise UserError(f"run {run_id} has no {what} for {shown(bug_id)}")
    return found
