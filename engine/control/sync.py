"""A run's events into rows: each event once, in one short transaction with the place where the reading stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col

from engine import events
from engine.events import Event
from engine.models import adapters
from engine.rundir import RunDir
from engine.specs import KINDS
from storage import queries
from storage.tables import Bug, Conversation, Dataset, Metric, Model, Patch, Run, Turn


def ingest(session: Session, run: Run, folder: RunDir, most: int | None = None) -> None:
    """Take in what the worker has said since last time, about `most` bytes of it.

    A second call with nothing new changes nothing, and so does an event that is taken in again.
    """
    reading = folder.events(run.offset, most, last=run.last_seq, broken=run.broken_lines)
    for event in reading.events:
        if event.seq <= run.last_seq:
            continue  # the offset was lost, the line was not: seen before
        take = _TAKERS.get(type(event.said))
        if take is not None:
            take(session, run, event)
        run.last_seq = event.seq
    run.offset = reading.offset
    run.broken_lines += reading.broken
    session.add(run)


def begin_anew(session: Session, run: Run, folder: RunDir) -> None:
    """Take back all that was taken in of a run whose folder is gone: its next worker counts its events from 1."""
    assert run.id is not None
    for table in (Metric, Bug, Patch):
        session.execute(delete(table).where(col(table.run_id) == run.id))
    run.offset = run.last_seq = run.broken_lines = 0
    run.progress_done, run.progress_total, run.progress_text = 0, None, ""
    in_hand = {(asked.get("conversation"), asked.get("question")) for asked in folder.questions()[0]}
    for conversation in queries.conversations_of(session, run.id):
        if (conversation.id, conversation.asked) not in in_hand:
            conversation.answered = conversation.asked  # its question was lost with the folder, so nobody answers it
    session.add(run)


def take_state(session: Session, run: Run, event: Event) -> None:
    """A run that began or ended; a result is entered into the lists of datasets and models."""
    said = event.said
    assert isinstance(said, events.State)
    if said.state == "running":
        run.started_at = run.started_at or event.time
        run.state = "stopping" if run.state == "stopping" else "running"
        return
    run.state, run.error, run.cause, run.ended_at = said.state, said.error, said.cause, event.time
    if said.state == "done":
        run.result = said.result or {}
        register(session, run, event.time)


def register(session: Session, run: Run, time: float) -> None:
    """Enter what a finished run has made into the lists of datasets and models; a second time changes nothing."""
    assert run.id is not None
    artifacts = RunDir.artifacts_of(run.folder)
    if KINDS[run.kind].makes == "dataset":
        report = run.result.get("report", run.result)
        dataset = queries.dataset_of(session, run.id) or Dataset(
            run_id=run.id, name="", folder="", train_rows=0, valid_rows=0, hash="", created_at=time
        )
        dataset.name = dataset.name or _free_name(run, queries.dataset_named(session, run.name))
        dataset.folder = artifacts
        dataset.train_rows, dataset.valid_rows = int(report["rows"]["train"]), int(report["rows"]["valid"])
        dataset.hash, dataset.report = str(report["hash"]), report
        session.add(dataset)
    elif KINDS[run.kind].makes == "model":
        model = queries.model_of(session, run.id) or Model(run_id=run.id, name="", kind="", path="", created_at=time)
        model.name = model.name or _free_name(run, queries.model_named(session, run.name))
        model.path = f"{artifacts}/model"
        if run.kind == "merge":
            model.kind, model.usable = "merged", bool(run.result["usable"])
            unlike = "the merged model does not answer like the adapter; see its parity check"
            model.note = str(run.result.get("caution", "")) if model.usable else unlike
        else:
            model.kind = _kind_made(run)
            base = RunDir(Path(run.folder)).inputs().model
            model.base = base.weights if base and model.kind == "adapter" else ""
            if base and model.base and not base.kind:  # the worker found out what this hub id is; the adapter says it
                model.base = adapters.base_of(Path(artifacts) / "model")
        session.add(model)


def _kind_made(run: Run) -> str:
    """What kind of model a training made; the first versions called a model with all its weights "model"."""
    said = str(run.result.get("model") or run.result.get("kind") or "adapter")
    return {"model": "base"}.get(said, said)


def _free_name(run: Run, taken: Dataset | Model | None) -> str:
    """The run's name; with its number where another run's result has it, so that no work is lost over a name."""
    return run.name if taken is None else f"{run.name}-run-{run.id}"


def _progress(session: Session, run: Run, event: Event) -> None:
    assert isinstance(event.said, events.Progress)
    run.progress_done, run.progress_total, run.progress_text = event.said.done, event.said.total, event.said.text


def _metric(session: Session, run: Run, event: Event) -> None:
    said = event.said
    assert isinstance(said, events.Metric)
    rows = [
        {"run_id": run.id, "seq": event.seq, "step": said.step, "name": name, "value": value, "time": event.time}
        for name, value in said.values.items()
        if math.isfinite(value)  # SQLite has no NaN
    ]
    if rows:
        session.execute(insert(Metric).values(rows).on_conflict_do_nothing())


def _resumed(session: Session, run: Run, event: Event) -> None:
    assert isinstance(event.said, events.Resumed)
    session.flush()
    later = (col(Metric.run_id) == run.id, col(Metric.step) > event.said.step)
    session.execute(delete(Metric).where(*later))


def _bug(session: Session, run: Run, event: Event) -> None:
    said = event.said
    assert isinstance(said, events.BugSeen)
    assert run.id is not None
    values = {name: value for name, value in asdict(said).items() if name != "id"}
    row = queries.bug(session, run.id, said.id) or Bug(run_id=run.id, bug_id=said.id, **values)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)


def _patch(session: Session, run: Run, event: Event) -> None:
    said = event.said
    assert isinstance(said, events.PatchJudged)
    assert run.id is not None
    row = queries.patch(session, run.id, said.bug_id, said.source, said.rank)
    row = row or Patch(run_id=run.id, bug_id=said.bug_id, source=said.source, rank=said.rank, outcome="")
    row.completion, row.text, row.score, row.same_as = said.completion, said.text, said.score, said.same_as
    _take_verdict(row, said.verdict)
    session.add(row)


def _take_verdict(row: Patch | Turn, verdict: events.VerdictSaid) -> None:
    row.outcome, row.reason, row.log = verdict.outcome.value, verdict.reason, verdict.log
    row.failed, row.duration_s, row.sandbox = list(verdict.failed), verdict.duration_s, verdict.sandbox


def _turn(session: Session, run: Run, event: Event) -> None:
    said = event.said
    assert isinstance(said, events.TurnSaid)
    conversation = session.get(Conversation, said.conversation)
    if conversation is None or conversation.run_id != run.id:
        return  # the conversation was deleted, or goes on with another worker
    row = queries.turn(session, said.conversation, said.number)
    row = row or Turn(conversation_id=said.conversation, number=said.number, role="", text="")
    row.role, row.text, row.prompt = said.role, said.text, said.prompt
    row.patch, row.patch_reason = said.patch, said.patch_reason
    if said.verdict is not None:
        _take_verdict(row, said.verdict)
        conversation.outcome = row.outcome
    session.add_all([row, conversation])


def _answered(session: Session, run: Run, event: Event) -> None:
    assert isinstance(event.said, events.Answered)
    conversation = session.get(Conversation, event.said.conversation)
    if conversation is not None and conversation.run_id == run.id:
        conversation.answered = max(conversation.answered, event.said.question)
        session.add(conversation)


_TAKERS: dict[type[Any], Callable[[Session, Run, Event], None]] = {
    # Deltas are read from the file while they are fresh, checkpoints by the next worker.
    events.State: take_state,
    events.Progress: _progress,
    events.Metric: _metric,
    events.Resumed: _resumed,
    events.BugSeen: _bug,
    events.PatchJudged: _patch,
    events.TurnSaid: _turn,
    events.Answered: _answered,
}
