"""The order of the queue, as a user changes it."""

from __future__ import annotations

from sqlmodel import Session

from engine.errors import UserError
from engine.specs import waits_for_people
from storage import queries
from storage.tables import Run

PLACES = ("first", "up", "down", "last")


def move(session: Session, run: Run, to: str) -> None:
    """Move a waiting run to one of `PLACES`; the others keep their order. Raises UserError if it does not wait."""
    if to not in PLACES:
        raise UserError(f"a run can be moved {', '.join(PLACES)}, not {to!r}")
    if run.state != "queued":
        raise UserError(f"run {run.id} is {run.state}; only a queued run has a place in the queue")
    waiting = [each for each in queries.runs_in(session, ("queued",)) if not waits_for_people(each.kind)]
    places = [each.place for each in waiting]
    at = next((at for at, each in enumerate(waiting) if each.id == run.id), None)
    if at is None:
        raise UserError(f"run {run.id} loads a model for a chat; it starts at once, whatever is queued")
    waiting.insert({"first": 0, "up": max(0, at - 1), "down": at + 1, "last": len(waiting)}[to], waiting.pop(at))
    for each, place in zip(waiting, places, strict=True):
        each.place = place
