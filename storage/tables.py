"""The tables; they know columns and keys, not what a run or a verdict means."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Run(SQLModel, table=True):
    """One run. Times are seconds since the epoch; `offset` is the byte up to which its events were read."""

    __table_args__ = {"sqlite_autoincrement": True}  # the number of a deleted run is not given again

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    name: str
    note: str = ""  # of a user
    state: str = Field(index=True)
    spec: dict[str, Any] = _json()
    folder: str = ""
    group: str = Field(default="", index=True)  # runs that belong together, "demo-1"
    after: int | None = Field(default=None, foreign_key="run.id")  # starts when that run is done
    place: int = 0  # in the queue: of two waiting runs, the one with the smaller place starts first
    launcher: str = "local"
    handle: str = ""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    stop_asked_at: float | None = None
    stop_now: bool = False  # asked to end at once, and not after saving
    stop_sent_at: float | None = None  # when the worker was signalled
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
    """One value of a metric at one optimizer step of a run; stored in the order in which a curve is read."""

    __table_args__ = {"sqlite_with_rowid": False}

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    name: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    seq: int = Field(primary_key=True)  # of the event
    value: float
    time: float


class LastMetric(SQLModel, table=True):
    """The last value of a metric of a run."""

    __table_args__ = (Index("ix_last_metric_value", "name", "value"),)

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    name: str = Field(primary_key=True)
    step: int
    value: float
    time: float


class Dataset(SQLModel, table=True):
    """A dataset built by a run."""

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
    """A model made by a run; `usable` is false if it did not pass its parity check."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    kind: str  # base | adapter | merged
    path: str
    base: str = ""
    run_id: int | None = Field(default=None, foreign_key="run.id")
    usable: bool = True
    note: str = ""
    created_at: float


class Text(SQLModel, table=True):
    """One text, stored once for all rows that have it: a file, a patch, a completion, a prompt, a log."""

    id: int | None = Field(default=None, primary_key=True)
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))  # `storage.texts.content_hash`
    text: str


class Bug(SQLModel, table=True):
    """One bug of a benchmark run with a summary of its patches; columns called `*_text` are ids of texts.

    The columns from `known_fix` on are computed from the bug's patches, in the transaction that changes these.
    """

    __table_args__ = (
        UniqueConstraint("run_id", "bug_id"),
        Index(
            "ix_bug_standing",
            *("run_id", "known_fix", "buggy_code", "first_plausible", "first_unjudged", "plausible", "judged"),
            *("has_known_fix", "trees_known", "tokens_written", "tokens_read"),
            *("top_mean", "top_total", "top_agreement", "top_edit"),
        ),
        *(
            Index(
                f"ix_bug_{first}",
                *("run_id", first, "known_fix", "buggy_code", "skipped"),
                sqlite_where=text(f"{first} IS NOT NULL"),
            )
            for first in ("first_known_fix", "first_known_tree")
        ),
        Index("ix_bug_skipped", "run_id", "skipped", sqlite_where=text("skipped != ''")),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    bug_id: str
    language: str = ""
    path: str = ""
    kind: str = ""
    cwe: str = ""
    project: str = ""  # empty: not known
    start: int = 1
    end: int = 0
    buggy_text: int = Field(foreign_key="text.id")
    fixed_text: int = Field(foreign_key="text.id")
    skipped: str = ""
    prompt_tokens: int | None = None
    whole_tokens: int | None = None  # of the prompt before it was shortened; None: it was not
    known_fix: str | None = None  # outcome
    buggy_code: str | None = None  # outcome
    first_plausible: int | None = None  # rank
    first_unjudged: int = 1  # smallest rank whose verdict is missing or may still come
    plausible: int = 0  # number of plausible candidates
    judged: int = 0  # number of candidates with a verdict
    has_known_fix: bool = False  # the text of a plausible candidate is identical to the known fix
    first_known_fix: int | None = None  # smallest rank of such a candidate
    first_known_tree: int | None = None  # the same of a plausible candidate with the known fix's syntax tree
    trees_known: bool = False  # the trees of all candidates that have a patch were compared
    tokens_written: int | None = None  # by all candidates; None: not known of each
    tokens_read: int | None = None  # prompt tokens, as above
    # Is the candidate plausible that comes first in this order (`engine.ranking`)? None: not known.
    top_mean: bool | None = None
    top_total: bool | None = None
    top_agreement: bool | None = None
    top_edit: bool | None = None


class Patch(SQLModel, table=True):
    """One patch and its verdict; rank 0 is the known fix or the buggy code itself. `*_text` are ids of texts."""

    __table_args__ = (UniqueConstraint("bug", "source", "rank"),)

    id: int | None = Field(default=None, primary_key=True)
    bug: int = Field(foreign_key="bug.id")
    source: str  # model | known_fix | buggy_code
    rank: int
    completion_text: int = Field(foreign_key="text.id")
    patch_text: int | None = Field(default=None, foreign_key="text.id")  # None: no usable patch
    score: float | None = None
    same_as: int | None = None
    outcome: str
    reason: str = ""
    log_text: int = Field(foreign_key="text.id")
    failed_text: int = Field(foreign_key="text.id")  # a JSON list of names
    duration_s: float = 0.0
    sandbox: str = ""
    isolation: str = ""  # shared | isolated; empty: nothing ran, or judged before this was kept
    stages: dict[str, float] = _json()  # of judging it -> seconds
    is_known_fix: bool = False  # its text is identical to the known fix
    # None in what follows: not known
    tokens_written: int | None = None
    tokens_read: int | None = None  # its share of the prompt's
    tree: str | None = None  # digest of its syntax tree; empty: it does not parse
    is_known_tree: bool | None = None  # its tree is that of the known fix
    edit: int | None = None  # characters removed and added
    prompt_text: int | None = None  # that it answers, where a bug has several; None: the bug's one, which is not kept


class OutcomeCount(SQLModel, table=True):
    """How many of the model's candidates in a run have one outcome."""

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    outcome: str = Field(primary_key=True)
    candidates: int


class Review(SQLModel, table=True):
    """One person's review of one patch; a second review by the same person replaces the first."""

    __table_args__ = (
        UniqueConstraint("patch_id", "reviewer"),
        Index("ix_review_run", "run_id", "verdict", "patch_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")  # the patch's
    patch_id: int = Field(foreign_key="patch.id")
    reviewer: str
    verdict: str  # correct | incorrect | unsure
    note: str = ""
    created_at: float


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
    answered: int = 0  # questions answered; the model is busy while these are fewer than `asked`
    has_left: bool = False  # the shell that held it has ended, so no model stays loaded for it
    created_at: float
    settings: dict[str, Any] = _json()  # of the spec: how it is answered; empty: as its worker's spec says
    title: str = ""  # as a user named it
    beside_id: int | None = None  # the conversation with another model that gets the same messages
    deleted_at: float | None = None  # its turns are gone; the row keeps its questions from being taken in again


class ConversationNumber(SQLModel, table=True):
    """The number of a conversation in the folder of a run, where it is not its id: the folder is from another home."""

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    number: int = Field(primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")


class Turn(SQLModel, table=True):
    """One message of a conversation, numbered from 1 in order of time; `parent_id` is the message it follows."""

    __table_args__ = (UniqueConstraint("conversation_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    parent_id: int | None = Field(default=None, foreign_key="turn.id")
    run_id: int | None = Field(
        default=None, foreign_key="run.id"
    )  # that made it; None: made by the first version, which did not store it
    number: int
    role: str
    message_text: int = Field(foreign_key="text.id")
    patch_text: int | None = Field(default=None, foreign_key="text.id")
    patch_reason: str = ""
    rule: str = ""  # by which its patch was found in it (`engine.representations.answers`)
    model: str = ""  # with which the conversation went on then; empty: not known
    settings: dict[str, Any] = _json()  # of the spec, as above
    prompt_text: int = Field(foreign_key="text.id")  # what the model read before it wrote this
    outcome: str = ""
    reason: str = ""
    log_text: int = Field(foreign_key="text.id")
    failed_text: int = Field(foreign_key="text.id")  # a JSON list of names
    duration_s: float = 0.0
    sandbox: str = ""
    isolation: str = ""
    stages: dict[str, float] = _json()
