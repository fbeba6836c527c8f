"""Writes a run's events to rows: each event once, in one short transaction with the offset where reading stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from sqlmodel import Session

from engine import events, results
from engine.control.inboxes import Ways
from engine.control.outcomes import (
    CARDS,
    CARDS_SINCE,
    CHECKPOINT,
    GPU_SECONDS_BEFORE,
    SECONDS_BEFORE,
    UNREAD,
    WHERE,
    WORKER_SECONDS_BEFORE,
    WORKERS,
    so_far,
)
from engine.control.patch_rows import PatchRows
from engine.domain import Outcome
from engine.events import Event
from engine.models import adapters
from engine.results import DatasetResult
from engine.rundir import RunDir
from engine.scoring import NO_RANK
from engine.specs import KINDS, WITH_PATCHES
from storage import benchmarks, curves, queries, texts
from storage.tables import Dataset, Model, Run, Turn

SAVED = "checkpoint"  # a series with a point at the step and the time of each saved checkpoint
MOST_METRICS = 200  # names of metrics of one run; later ones are not stored


def ingest(session: Session, run: Run, folder: RunDir, most: int | None = None) -> None:
    """Read the worker's new events, about `most` bytes of them, and update the rows.

    A second call without new events changes nothing, and neither does an event that is read again.
    """
    reading = folder.events(run.offset, most, last=run.last_seq, broken=run.broken_lines)
    rows, last = Rows(session, run), run.last_seq
    for event in reading.events:
        if event.seq <= last:
            continue  # seen before: the offset was lost, but not the number
        rows.take(event)
        last = event.seq
    rows.store()
    run.last_seq = last  # set here, since each query after a change of the run would write its row
    if run.state == "done" and run.kind in WITH_PATCHES and reading.events:
        benchmarks.end_candidates(session, run.id or 0, NO_RANK)
    run.offset = reading.offset
    if reading.broken and not run.broken_lines:
        run.result = {**run.result, UNREAD: reading.reason}
    run.broken_lines += reading.broken
    session.add(run)


def forget_events(session: Session, run: Run) -> None:
    """Reset the run as if no event had been read; bugs, patches and reviews stay until their events come again."""
    curves.forget_after(session, run.id or 0, -1)
    run.offset = run.last_seq = run.broken_lines = 0
    run.result = {key: value for key, value in run.result.items() if key not in (CHECKPOINT, UNREAD)}
    run.progress_done, run.progress_total, run.progress_text = 0, None, ""


def reset_run(session: Session, run: Run, folder: RunDir) -> None:
    """Reset a run whose folder no longer exists: its next worker numbers its events from 1."""
    assert run.id is not None
    forget_events(session, run)
    waiting = {(asked.get("conversation"), asked.get("question")) for asked in folder.questions()[0]}
    for conversation in queries.conversations_of(session, run.id):
        number = queries.number_in(session, run.id, conversation.id or 0)
        if (number, conversation.asked) not in waiting:
            conversation.answered = conversation.asked  # its question was lost with the folder, so it gets no answer
    session.add(run)


class Rows:
    """Updates the rows of one run by its events; metrics, bugs and patches are written by `store`."""

    def __init__(self, session: Session, run: Run) -> None:
        assert run.id is not None
        self._session = session
        self._run = run
        self._patch_rows = PatchRows(session, run.id)
        self._ways = Ways(run)
        self._metrics: list[dict[str, Any]] = []
        self._names: set[str] | None = None  # of the run's metrics, once one has come

    def take(self, event: Event) -> None:
        payload = event.payload
        if isinstance(payload, events.BugEvent | events.PatchEvent):
            self._patch_rows.add(payload)
        elif isinstance(payload, events.Metric):
            self._metric(event.seq, event.time, payload)
        elif isinstance(payload, events.Resumed):
            self._store_metrics()
            curves.forget_after(self._session, self._run.id or 0, payload.step)
            self._run.result = {**self._run.result, CHECKPOINT: payload.step}
        elif isinstance(payload, events.Checkpoint):
            self._metric(event.seq, event.time, events.Metric(payload.step, {SAVED: 1.0}))
            self._run.result = {**self._run.result, CHECKPOINT: payload.step}
        elif isinstance(payload, events.State):
            take_state(self._session, self._run, event)
        elif isinstance(payload, events.Progress):
            self._run.progress_done, self._run.progress_total = payload.done, payload.total
            self._run.progress_text = payload.text
        elif isinstance(payload, events.TurnEvent):
            _turn(self._session, self._run, payload, self._ways)
        elif isinstance(payload, events.Answered):
            _answered(self._session, self._run, payload)
        # Pages read deltas from the file.

    def store(self) -> None:
        self._store_metrics()
        self._patch_rows.store()

    def _metric(self, seq: int, time: float, payload: events.Metric) -> None:
        if self._names is None:
            self._names = curves.names(self._session, self._run.id or 0)
        for name, value in payload.values.items():
            if not math.isfinite(value):  # SQLite has no NaN
                continue
            if name not in self._names and len(self._names) >= MOST_METRICS:
                continue
            self._names.add(name)
            at = {"run_id": self._run.id, "name": name, "step": payload.step, "seq": seq}
            self._metrics.append({**at, "value": value, "time": time})

    def _store_metrics(self) -> None:
        curves.add(self._session, self._metrics)
        self._metrics = []


def take_state(session: Session, run: Run, event: Event) -> None:
    """Store that a run began or ended; a result is added to the lists of datasets and models."""
    payload = event.payload
    assert isinstance(payload, events.State)
    if payload.state == "running":
        if run.state == "starting":
            run.started_at, run.progress_text = event.time, ""  # it waits for no machine any more
        run.started_at = run.started_at or event.time
        if payload.cards is not None:
            result = {name: value for name, value in run.result.items() if name != CARDS_SINCE}
            if run.state != "starting" and CARDS in result:  # from now on it has others
                result |= {name: value for name, value in so_far(run, event.time).items() if name != SECONDS_BEFORE}
                result[CARDS_SINCE] = event.time
            workers = {} if payload.workers is None else {WORKERS: payload.workers}
            run.result = result | {CARDS: payload.cards} | workers
        run.state = "stopping" if run.state == "stopping" else "running"
        return
    run.state, run.error, run.cause, run.ended_at = payload.state, payload.error, payload.cause, event.time
    if payload.state == "done":
        try:
            results.read(run.kind, payload.result or {})
        except ValueError as error:
            run.state, run.cause, run.error = "failed", "bug", f"its result could not be stored: {error}"
            return
        own = (SECONDS_BEFORE, GPU_SECONDS_BEFORE, WORKER_SECONDS_BEFORE, CARDS, WORKERS, CARDS_SINCE, UNREAD, WHERE)
        ours = {key: value for key, value in run.result.items() if key in own and value not in ("", None)}
        made = {key: value for key, value in (payload.result or {}).items() if key not in own}
        run.result = made | ours
        register(session, run, event.time)


def register(session: Session, run: Run, time: float) -> None:
    """Add the result of a finished run to the lists of datasets and models; a second call changes nothing."""
    assert run.id is not None
    artifacts = RunDir.artifacts_of(run.folder)
    if KINDS[run.kind].makes == "dataset":
        report = run.result.get("report", run.result)
        made: DatasetResult = results.read(run.kind, report)
        dataset = queries.dataset_of(session, run.id) or Dataset(
            run_id=run.id, name="", folder="", train_rows=0, valid_rows=0, hash="", created_at=time
        )
        dataset.name = dataset.name or _free_name(run, queries.dataset_named(session, run.name))
        dataset.folder = artifacts
        dataset.train_rows, dataset.valid_rows = made.rows.train, made.rows.valid
        dataset.hash, dataset.report = made.hash, report
        session.add(dataset)
    elif KINDS[run.kind].makes == "model":
        model = queries.model_of(session, run.id) or Model(run_id=run.id, name="", kind="", path="", created_at=time)
        model.name = model.name or _free_name(run, queries.model_named(session, run.name))
        model.path = f"{artifacts}/model"
        if run.kind == "merge":
            model.kind, model.usable = "merged", bool(run.result["usable"])
            unlike = "the merged model does not answer like the adapter; see its parity check"
            model.note = str(run.result.get("caution", "")) or ("" if model.usable else unlike)
        else:
            model.kind = _model_kind(run)
            base = RunDir(Path(run.folder)).inputs().model
            model.base = base.weights if base and model.kind == "adapter" else ""
            if base and model.base and not base.kind:  # only the worker could look at this hub id; the adapter names it
                model.base = adapters.base_of(Path(artifacts) / "model")
        session.add(model)


def _model_kind(run: Run) -> str:
    """The kind of model that a training made; the first versions called a model with all its weights "model"."""
    payload = str(run.result.get("model") or run.result.get("kind") or "adapter")
    return {"model": "base"}.get(payload, payload)


def _free_name(run: Run, taken: Dataset | Model | None) -> str:
    """The run's name; with the run's number if another result has this name, so that no result is lost."""
    return run.name if taken is None else f"{run.name}-run-{run.id}"


def _turn(session: Session, run: Run, payload: events.TurnEvent, ways: Ways) -> None:
    conversation = queries.conversation_in(session, run.id or 0, payload.conversation)
    if conversation is None or conversation.deleted_at is not None or conversation.run_id != run.id:
        return  # the conversation was deleted, or continues with another worker
    here = conversation.id or 0
    row = queries.turn(session, here, payload.number)
    before = (
        queries.turn_before(session, here, payload.number)
        if payload.parent is None or payload.parent >= payload.number  # nothing follows a later message
        else queries.turn(session, here, payload.parent)
    )
    if payload.model:
        model, settings = payload.model, payload.settings
    elif row is not None and row.run_id == run.id and row.model:  # an event that was read before
        model, settings = row.model, row.settings
    else:
        model, settings = ways.of(conversation, payload.conversation)
    verdict = payload.verdict or events.VerdictFields(Outcome.NOT_RUN)
    failed = json.dumps(list(verdict.failed))
    text_ids = texts.store(session, {payload.text, payload.prompt, payload.patch or "", verdict.log, failed})
    values: dict[str, Any] = {
        "run_id": run.id,
        "parent_id": before.id if before else None,
        "role": payload.role,
        "message_text": text_ids[payload.text],
        "prompt_text": text_ids[payload.prompt],
        "patch_text": None if payload.patch is None else text_ids[payload.patch],
        "patch_reason": payload.patch_reason,
        "rule": payload.rule,
        "model": model,
        "settings": settings,
        "outcome": verdict.outcome.value if payload.verdict else "",
        "reason": verdict.reason,
        "log_text": text_ids[verdict.log],
        "failed_text": text_ids[failed],
        "duration_s": verdict.duration_s,
        "sandbox": verdict.sandbox,
        "isolation": verdict.isolation.value,
        "stages": verdict.stages,
    }
    if row is None:
        row = Turn(conversation_id=here, number=payload.number, **values)
    for name, value in values.items():
        setattr(row, name, value)
    if payload.verdict is not None and conversation.outcome != Outcome.PLAUSIBLE:  # a strategy may go on after one
        conversation.outcome = row.outcome
    session.add_all([row, conversation])
    session.flush()


def _answered(session: Session, run: Run, payload: events.Answered) -> None:
    conversation = queries.conversation_in(session, run.id or 0, payload.conversation)
    if conversation is not None and conversation.run_id == run.id and payload.question <= conversation.asked:
        conversation.answered = max(conversation.answered, payload.question)
        session.add(conversation)
