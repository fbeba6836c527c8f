"""The tables; they know columns and keys, not what a run or a verdict means."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Run(SQLModel, table=True):
    """One piece of slow work. Times are seconds since the epoch; `offset` is how far its events were read."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    name: str
    state: str = Field(index=True)
    spec: dict[str, Any] = _json()
    folder: str = ""
    group: str = Field(default="", index=True)  # runs that belong together, "demo-1"
    after: int | None = Field(default=None, foreign_key="run.id")  # starts when that run is done
    launcher: str = "local"
    handle: str = ""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    stop_asked_at: float | None = None
    stop_now: bool = False  # asked to end at once, and not after saving
    stop_sent_at: float | None = None  # when the worker was told
    offset: int = 0
    last_seq: int = 0
    broken_lines: int = 0
    progress_done: float = 0
    progress_total: float | None = None
    progress_text: str = ""
    error: str = ""
    cause: str = ""
    result: dict[str, Any] = _json()


class Metric(SQLModel, table=True):
    """One number of a run at one optimizer step."""

    __table_args__ = (
        UniqueConstraint("run_id", "seq", "name"),
        Index("ix_metric_curve", "run_id", "name", "step"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    seq: int
    step: int
    name: str
    value: float
    time: float


class Dataset(SQLModel, table=True):
    """A training set that some run has built."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    run_id: int = Field(foreign_key="run.id")
    folder: str
    train_rows: int
    valid_rows: int
    hash: str
    report: dict[str, Any] = _json()
    created_at: float


class Model(SQLModel, table=True):
    """A model that some run has made; `usable` is false while its parity check has not been passed."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    kind: str  # base | adapter | merged
    path: str
    base: str = ""
    run_id: int | None = Field(default=None, foreign_key="run.id")
    usable: bool = True
    note: str = ""
    created_at: float


class Bug(SQLModel, table=True):
    """One bug as a benchmark run met it."""

    __table_args__ = (UniqueConstraint("run_id", "bug_id"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    bug_id: str
    language: str
    path: str
    kind: str = ""
    cwe: str = ""
    start: int
    end: int
    buggy: str
    fixed: str
    skipped: str = ""
    prompt_tokens: int | None = None


class Patch(SQLModel, table=True):
    """One patch and its verdict; rank 0 is the known fix or the buggy code itself."""

    __table_args__ = (
        UniqueConstraint("run_id", "bug_id", "source", "rank"),
        Index("ix_patch_outcome", "run_id", "source", "outcome", "rank"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    bug_id: str
    source: str  # model | known_fix | buggy_code
    rank: int
    completion: str = ""
    text: str | None = None
    score: float | None = None
    same_as: int | None = None
    outcome: str
    reason: str = ""
    log: str = ""
    failed: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    duration_s: float = 0.0
    sandbox: str = ""


class Conversation(SQLModel, table=True):
    """A repair conversation about one bug with one model."""

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    bug_id: str
    model: str
    benchmark: dict[str, Any] = _json()
    strategy: str
    outcome: str = ""  # "plausible", or the last verdict's
    asked: int = 0  # questions put to the model
    answered: int = 0  # of these, dealt with; it is busy while fewer than were asked
    created_at: float


class Turn(SQLModel, table=True):
    """One message of a conversation."""

    __table_args__ = (UniqueConstraint("conversation_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    number: int
    role: str
    text: str
    patch: str | None = None
    patch_reason: str = ""
    prompt: str = ""  # what the model read before it wrote this
    outcome: str = ""
    reason: str = ""
    log: str = ""
    failed: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    duration_s: float = 0.0
    sandbox: str = ""
