"""Lists a run again from its folder: after the database was lost, or from another home or machine."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Session

from engine.control.inboxes import Asked, make_conversations, read_inbox
from engine.control.names import default_name
from engine.control.runs import number_of
from engine.control.strangers import is_from_elsewhere
from engine.control.supervise import READ_BYTES
from engine.control.sync import forget_events, ingest, take_state
from engine.errors import OutsideFailure, UserError
from engine.events import Event
from engine.params import is_unicode
from engine.reading import open_regular
from engine.rundir import ENDED, RunDir
from engine.specs import ChatSpec, Spec, parse
from storage import queries
from storage.database import Database, Unavailable
from storage.tables import Run

log = logging.getLogger(__name__)
FILES = ("spec.json", "inputs.json", "events.jsonl")
INCOMPLETE = "only a part of its folder has been taken in; unless that is still going on, take it in again"
UNENDED = "its worker had not ended when the folder was written; resume continues from there"


def take_in(home: Path, database: Database, folder: Path) -> int:
    """Create the rows of the run in `folder` again from its files, and return its number.

    The folder is not moved. If it is not one of the home's own, what it says of workers that share the run is removed,
    since a handle tells a launcher what to end and where to write. A known run keeps its number and the reviews of its
    patches, one from `home` gets the number it had, any other a new one. Raises UserError if it is not a run's folder,
    or a worker is running in it.
    """
    source = _source(folder)
    try:
        spec = parse(source.spec())
        source.inputs()
        os.close(open_regular(source.events_path))
        asked = read_inbox(source) if isinstance(spec, ChatSpec) else []
        if source.is_held():
            raise UserError(f"a worker is running in {source.path}; wait until it has ended", field="folder")
    except (OutsideFailure, OSError) as error:
        raise UserError(f"{source.path} cannot be taken in: {error}", field="folder") from None
    with _one_at_a_time(home):
        return _taken_in(home, database, source, spec, asked)


def _source(folder: Path) -> RunDir:
    """The run's folder. Raises UserError if it is none."""
    try:
        path = folder.expanduser().resolve()
        missing = [name for name in FILES if not (path / name).is_file()]
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: "~name" of an unknown user, a loop of links
        raise UserError(f"{folder} is not a run's folder: {error}", field="folder") from None
    if not is_unicode(str(path)):
        raise UserError(f"{folder}: its name is not valid Unicode, so it cannot be stored; rename it", field="folder")
    if missing:
        raise UserError(f"{path} is not a run's folder: it has no {', '.join(missing)}", field="folder")
    return RunDir(path)


def _taken_in(home: Path, database: Database, source: RunDir, spec: Spec, asked: Sequence[Asked]) -> int:
    last = source.ending()
    with database.write() as session:
        is_new = queries.run_in(session, str(source.path)) is None
        run = _row(session, home, source, spec)
        run_id = run.id or 0
        if isinstance(spec, ChatSpec):
            make_conversations(session, run, spec, asked, is_new=is_new)
    if is_from_elsewhere(home, source.path):
        source.forget_handles()
    try:
        _read_all(database, run_id, source, last)
    except (Unavailable, OSError):
        raise
    except Exception as error:
        log.exception("the folder of run %s cannot be taken in", run_id)
        with database.write() as session:
            run = session.get_one(Run, run_id)
            run.state, run.cause = "failed", "bug"
            run.error = f"its events could not be stored ({type(error).__name__}: {error})"
    return run_id


def _row(session: Session, home: Path, source: RunDir, spec: Spec) -> Run:
    """The run's row in its state before the first event."""
    run = queries.run_in(session, str(source.path))
    if run is not None and run.state not in ENDED:
        raise UserError(f"run {run.id} is {run.state}; its folder can be taken in when it has ended", field="folder")
    if run is None:
        made_at = (source.path / "spec.json").stat().st_mtime
        run = Run(kind="", name="", state="", folder=str(source.path), created_at=made_at)
        number = number_of(source.path) if source.path.parent == home / "runs" else 0
        if number and queries.run(session, number) is None:
            run.id = number
        session.add(run)
        session.flush()
    assert run.id is not None
    run.place = run.id
    forget_events(session, run)
    run.kind, run.name = str(getattr(spec, "kind", "")), spec.name or default_name(spec, run.id)
    run.handle, run.started_at, run.ended_at, run.result = "", None, None, {}
    run.spec = spec.model_dump(mode="json")
    run.state, run.error, run.cause = "incomplete", INCOMPLETE, "outside"
    return run


def _read_all(database: Database, run_id: int, source: RunDir, last: Event | None) -> None:
    """Store all events, a part at a time; the run stays incomplete until the last part, so it cannot be resumed."""
    unended = ("interrupted", UNENDED, "outside")
    ended, is_over = unended, False
    while not is_over:
        with database.write() as session:
            run = session.get_one(Run, run_id)
            before = run.offset
            ingest(session, run, source, READ_BYTES)
            is_over = run.offset == before
            if is_over and last is not None and ended[0] not in ("done", "failed", "stopped"):
                take_state(session, run, last)
            if run.state != "incomplete":  # an event told; "running" is not for the supervisor to watch
                ended = (run.state, run.error, run.cause) if run.state in ENDED else unended
            run.state, run.error, run.cause = ended if is_over else ("incomplete", INCOMPLETE, "outside")


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Wait until no other process takes in a folder: two of one folder would each read a part of it."""
    descriptor = os.open(home / "take-in.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
