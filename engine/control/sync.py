"""A run's events into rows: each event once, in one short transaction with the place where the reading stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine import events
from engine.control.ledger import Ledger
from engine.domain import Outcome
from engine.events import Event
from engine.models import adapters
from engine.rundir import RunDir
from engine.specs import KINDS
from storage import curves, queries, texts
from storage.tables import Conversation, Dataset, Model, Run, Turn


def ingest(session: Session, run: Run, folder: RunDir, most: int | None = None) -> None:
    """Take in what the worker has said since last time, about `most` bytes of it.

    A second call with nothing new changes nothing, and so does an event that is taken in again.
    """
    reading = folder.events(run.offset, most, last=run.last_seq, broken=run.broken_lines)
    rows = Rows(session, run)
    for event in reading.events:
        if event.seq <= run.last_seq:
            continue  # the offset was lost, the line was not: seen before
        rows.take(event)
        run.last_seq = event.seq
    rows.store()
    run.offset = reading.offset
    run.broken_lines += reading.broken
    session.add(run)


def forget_events(session: Session, run: Run) -> None:
    """Make the run one of which no event was taken in; bugs and patches stay until they come again, with reviews."""
    curves.forget_after(session, run.id or 0, -1)
    run.offset = run.last_seq = run.broken_lines = 0
    run.progress_done, run.progress_total, run.progress_text = 0, None, ""


def begin_anew(session: Session, run: Run, folder: RunDir) -> None:
    """Take back all that was taken in of a run whose folder is gone: its next worker counts its events from 1."""
    assert run.id is not None
    forget_events(session, run)
    in_hand = {(asked.get("conversation"), asked.get("question")) for asked in folder.questions()[0]}
    for conversation in queries.conversations_of(session, run.id):
        if (conversation.id, conversation.asked) not in in_hand:
            conversation.answered = conversation.asked  # its question was lost with the folder, so nobody answers it
    session.add(run)


class Rows:
    """The rows that some events of one run become; metrics, bugs and patches wait until `store` writes them."""

    def __init__(self, session: Session, run: Run) -> None:
        assert run.id is not None
        self._session = session
        self._run = run
        self._ledger = Ledger(session, run.id)
        self._metrics: list[dict[str, Any]] = []

    def take(self, event: Event) -> None:
        said = event.said
        if isinstance(said, events.BugSeen | events.PatchJudged):
            self._ledger.add(said)
        elif isinstance(said, events.Metric):
            self._metric(event.seq, event.time, said)
        elif isinstance(said, events.Resumed):
            self._store_metrics()
            curves.forget_after(self._session, self._run.id or 0, said.step)
        elif isinstance(said, events.State):
            take_state(self._session, self._run, event)
        elif isinstance(said, events.Progress):
            self._run.progress_done, self._run.progress_total = said.done, said.total
            self._run.progress_text = said.text
        elif isinstance(said, events.TurnSaid):
            _turn(self._session, self._run, said)
        elif isinstance(said, events.Answered):
            _answered(self._session, self._run, said)
        # Deltas are read from the file while they are fresh, checkpoints by the next worker.

    def store(self) -> None:
        self._store_metrics()
        self._ledger.store()

    def _metric(self, seq: int, time: float, said: events.Metric) -> None:
        self._metrics += [
            {"run_id": self._run.id, "name": name, "step": said.step, "seq": seq, "value": value, "time": time}
            for name, value in said.values.items()
            if math.isfinite(value)  # SQLite has no NaN
        ]

    def _store_metrics(self) -> None:
        curves.add(self._session, self._metrics)
        self._metrics = []


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


def _turn(session: Session, run: Run, said: events.TurnSaid) -> None:
    conversation = session.get(Conversation, said.conversation)
    if conversation is None or conversation.run_id != run.id:
        return  # the conversation was deleted, or goes on with another worker
    row = queries.turn(session, said.conversation, said.number)
    before = (
        queries.turn_before(session, said.conversation, said.number)
        if said.parent is None or said.parent >= said.number  # nothing follows a later message
        else queries.turn(session, said.conversation, said.parent)
    )
    verdict = said.verdict or events.VerdictSaid(Outcome.NOT_RUN)
    failed = json.dumps(list(verdict.failed))
    kept = texts.kept(session, {said.text, said.prompt, said.patch or "", verdict.log, failed})
    values: dict[str, Any] = {
        "run_id": run.id,
        "parent_id": before.id if before else None,
        "role": said.role,
        "message_text": kept[said.text],
        "prompt_text": kept[said.prompt],
        "patch_text": None if said.patch is None else kept[said.patch],
        "patch_reason": said.patch_reason,
        "outcome": verdict.outcome.value if said.verdict else "",
        "reason": verdict.reason,
        "log_text": kept[verdict.log],
        "failed_text": kept[failed],
        "duration_s": verdict.duration_s,
        "sandbox": verdict.sandbox,
        "isolation": verdict.isolation.value,
        "stages": verdict.stages,
    }
    if row is None:
        row = Turn(conversation_id=said.conversation, number=said.number, **values)
    for name, value in values.items():
        setattr(row, name, value)
    if said.verdict is not None:
        conversation.outcome = row.outcome
    session.add_all([row, conversation])
    session.flush()


def _answered(session: Session, run: Run, said: events.Answered) -> None:
    conversation = session.get(Conversation, said.conversation)
    if conversation is not None and conversation.run_id == run.id:
        conversation.answered = max(conversation.answered, said.question)
        session.add(conversation)
