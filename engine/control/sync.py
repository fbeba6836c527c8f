"""A run's events into rows: each event once, in one short transaction with the place where the reading stopped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from engine import adapters
from engine.rundir import Event, RunDir
from storage import queries
from storage.tables import Bug, Conversation, Dataset, Metric, Model, Patch, Run, Turn


def ingest(session: Session, run: Run, folder: RunDir) -> None:
    """Take in what the worker has said since last time; a second call with nothing new changes nothing."""
    reading = folder.events(run.offset)
    for event in reading.events:
        if event.seq <= run.last_seq:
            continue  # the offset was lost, the line was not: seen before
        _HANDLERS.get(event.kind, _ignore)(session, run, event)
        run.last_seq = event.seq
    run.offset = reading.offset
    run.broken_lines += reading.broken
    session.add(run)


def _state(session: Session, run: Run, event: Event) -> None:
    state = event.fields["state"]
    if state == "running":
        run.started_at = run.started_at or event.time
        if run.state != "stopping":
            run.state = state
        return
    run.state = state
    run.ended_at = event.time
    run.error = event.fields.get("error", "")
    run.cause = event.fields.get("cause", "")
    if state == "done":
        run.result = event.fields.get("result") or {}
        register(session, run, event.time)


def register(session: Session, run: Run, time: float) -> None:
    """Enter what a finished run has made into the lists of data sets and models."""
    assert run.id is not None
    artifacts = RunDir.artifacts_of(run.folder)
    if run.kind == "dataset":
        report = run.result.get("report", run.result)
        session.add(
            Dataset(
                name=run.name,
                run_id=run.id,
                folder=artifacts,
                train_rows=report["rows"]["train"],
                valid_rows=report["rows"]["valid"],
                hash=report["hash"],
                report=report,
                created_at=time,
            )
        )
    elif run.kind == "train":
        kind = "base" if run.spec["trainer"].get("method") == "full" else "adapter"
        model = RunDir(Path(run.folder)).inputs().model
        base = model.weights if model and kind == "adapter" else ""
        if model and base and not model.kind:  # only the worker knew what this hub id is; the adapter's files say it
            base = adapters.base_of(Path(artifacts) / "model")
        session.add(
            Model(name=run.name, kind=kind, path=f"{artifacts}/model", base=base, run_id=run.id, created_at=time)
        )
    elif run.kind == "merge":
        usable = bool(run.result["usable"])
        unlike = "the merged model does not answer like the adapter; see its parity check"
        note = str(run.result.get("caution", "")) if usable else unlike
        path = f"{artifacts}/model"
        session.add(
            Model(name=run.name, kind="merged", path=path, run_id=run.id, usable=usable, note=note, created_at=time)
        )


def _progress(session: Session, run: Run, event: Event) -> None:
    run.progress_done = event.fields.get("done") or 0
    run.progress_total = event.fields.get("total")
    run.progress_text = event.fields.get("text", "")


def _metric(session: Session, run: Run, event: Event) -> None:
    assert run.id is not None
    for name, value in event.fields["values"].items():
        if isinstance(value, int | float) and math.isfinite(value):  # SQLite has no NaN
            step = int(event.fields["step"])
            session.add(Metric(run_id=run.id, seq=event.seq, step=step, name=name, value=float(value), time=event.time))


def _resumed(session: Session, run: Run, event: Event) -> None:
    session.flush()
    later = (col(Metric.run_id) == run.id, col(Metric.step) > int(event.fields["step"]))
    session.execute(delete(Metric).where(*later))


def _bug(session: Session, run: Run, event: Event) -> None:
    assert run.id is not None
    fields = dict(event.fields)
    row = queries.bug(session, run.id, fields["id"]) or Bug(run_id=run.id, bug_id=fields["id"], **_blank_bug())
    for name in ("language", "path", "kind", "cwe", "start", "end", "buggy", "fixed", "skipped", "prompt_tokens"):
        if fields.get(name) is not None:
            setattr(row, name, fields[name])
    session.add(row)


def _blank_bug() -> dict[str, Any]:
    return {"language": "", "path": "", "start": 1, "end": 0, "buggy": "", "fixed": ""}


def _patch(session: Session, run: Run, event: Event) -> None:
    assert run.id is not None
    fields = event.fields
    key = (fields["bug_id"], fields["source"], int(fields["rank"]))
    row = queries.patch(session, run.id, *key)
    row = row or Patch(run_id=run.id, bug_id=key[0], source=key[1], rank=key[2], outcome="")
    for name in ("completion", "text", "score", "same_as"):
        setattr(row, name, fields.get(name) if name != "completion" else fields.get(name) or "")
    _take_verdict(row, fields["verdict"])
    session.add(row)


def _take_verdict(row: Patch | Turn, verdict: dict[str, Any]) -> None:
    row.outcome = verdict["outcome"]
    row.reason = verdict.get("reason", "")
    row.log = verdict.get("log", "")
    row.failed = list(verdict.get("failed", ()))
    row.duration_s = verdict.get("duration_s", 0.0)
    row.sandbox = verdict.get("sandbox", "")


def _turn(session: Session, run: Run, event: Event) -> None:
    fields = event.fields
    conversation = session.get(Conversation, int(fields["conversation"]))
    if conversation is None or conversation.run_id != run.id:
        return  # the conversation was deleted meanwhile
    row = Turn(
        conversation_id=int(fields["conversation"]),
        number=int(fields["number"]),
        role=fields["role"],
        text=fields["text"],
        patch=fields.get("patch"),
        patch_reason=fields.get("patch_reason") or "",
    )
    if fields.get("verdict"):
        _take_verdict(row, fields["verdict"])
        conversation.outcome = row.outcome
        session.add(conversation)
    session.add(row)


def _ignore(session: Session, run: Run, event: Event) -> None:
    """Deltas are read from the file while they are fresh; kinds of a newer worker are not ours to judge."""


_HANDLERS = {
    "state": _state,
    "progress": _progress,
    "metric": _metric,
    "resumed": _resumed,
    "bug": _bug,
    "patch": _patch,
    "turn": _turn,
}
