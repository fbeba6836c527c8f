"""Lists a run again from its folder: after the database was lost, or from another home or machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine.control.names import default_name
from engine.control.supervise import READ_BYTES
from engine.control.sync import forget_events, ingest, take_state
from engine.errors import UserError
from engine.rundir import ENDED, RunDir
from engine.specs import ChatSpec, Spec, parse
from storage import queries
from storage.database import Database, Unavailable
from storage.tables import Conversation, Run

log = logging.getLogger(__name__)
FILES = ("spec.json", "inputs.json", "events.jsonl")
UNENDED = "its worker had not ended when the folder was written; resume continues from there"


def take_in(home: Path, database: Database, folder: Path) -> int:
    """Create the rows of the run in `folder` again from its files, and return its number.

    The folder is not moved. A known run keeps its number and the reviews of its patches, one from `home` gets the
    number it had, any other a new one. Raises UserError if it is not a run's folder, or a worker is running in it.
    """
    source = RunDir(folder.expanduser().resolve())
    if missing := [name for name in FILES if not (source.path / name).is_file()]:
        raise UserError(f"{source.path} is not a run's folder: it has no {', '.join(missing)}", field="folder")
    if (source.path / "lock").exists() and source.is_held():
        raise UserError(f"a worker is running in {source.path}; wait until it has ended", field="folder")
    source.inputs()
    spec = parse(source.spec())
    with database.write() as session:
        run = _row(session, home, source, spec)
        if isinstance(spec, ChatSpec):
            _make_conversations(session, run, source, spec)
        run_id = run.id or 0
    try:
        while _read_more(database, run_id, source):
            pass
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
        number = source.path.name
        is_ours = source.path.parent == home / "runs" and number.isdecimal() and len(number) < 10
        if is_ours and int(number) > 0 and queries.run(session, int(number)) is None:
            run.id = int(number)
        session.add(run)
        session.flush()
    assert run.id is not None
    forget_events(session, run)
    run.kind, run.name = str(getattr(spec, "kind", "")), spec.name or default_name(spec, run.id)
    run.handle, run.started_at, run.ended_at, run.result = "", None, None, {}
    run.spec = spec.model_dump(mode="json")
    run.state, run.error, run.cause = "interrupted", UNENDED, "outside"
    return run


def _make_conversations(session: Session, run: Run, source: RunDir, spec: ChatSpec) -> None:
    """Create the conversations in a chat worker's questions; one that exists belongs to the newest of its runs."""
    asked: dict[int, dict[str, Any]] = {int(q["conversation"]): q for q in source.questions()[0] if "conversation" in q}
    for number, question in asked.items():
        made = queries.conversation(session, number) or Conversation(
            id=number,
            run_id=run.id or 0,
            bug_id=str(question["bug"]),
            model=spec.model,
            benchmark=spec.benchmark.model_dump(mode="json"),
            strategy=spec.strategy.name,
            created_at=run.created_at,
        )
        if made.bug_id == question["bug"] and made.run_id <= (run.id or 0):
            # the first version did not number its questions
            made.run_id, made.asked = run.id or 0, max(made.asked, int(question.get("question", 0)))
        session.add(made)
    session.flush()


def _read_more(database: Database, run_id: int, source: RunDir) -> bool:
    """Store the next events; returns False if there are none. Between two calls the run can be resumed."""
    with database.write() as session:
        run = session.get_one(Run, run_id)
        before = run.offset
        ingest(session, run, source, READ_BYTES)
        if run.offset == before and run.state not in ("done", "failed", "stopped") and (last := source.ending()):
            take_state(session, run, last)
        if run.state not in ENDED:  # "running", by its worker's event: the supervisor should not watch it
            run.state = "interrupted"
        return run.offset != before
