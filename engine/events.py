"""The events of a worker: one frozen dataclass per kind, read from a line of JSON and checked field by field.

A line is an object with `seq` (from 1), `time` (seconds since the epoch), `event` (the kind) and the event's fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic_core import from_json

from engine.domain import Isolation, Outcome, Patch, Turn, Verdict, as_text

Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]  # the integers that fit into a column of SQLite
Number = Annotated[float, Field(allow_inf_nan=False)]
LATEST = 32_503_680_000.0  # of times: the year 3000
Name = Annotated[str, Field(max_length=1000)]  # an id, or one word
Sentence = Annotated[str, AfterValidator(lambda text: text[:10_000])]  # for people; a longer one is cut off
MOST_NAMES = 1000  # of metrics in one event; each becomes a row
MOST_STAGES = 20  # of an evaluation whose times are stored with its verdict
Ending = Literal["done", "failed", "stopped"]
Declared = TypeVar("Declared")


@dataclass(frozen=True)
class State:
    """The run began, or how it ended: `result` of a run that is done, `error` and `cause` of one that failed.

    `cause`: "user", "outside", "bug", "does_not_fit", "out_of_memory" or "disk_full".
    """

    state: Literal["running"] | Ending
    result: dict[str, Any] | None = None
    error: Sentence = ""
    cause: Name = ""
    cards: Whole | None = None  # GPUs of a run that began, of all its nodes together; None: not known
    workers: Whole | None = None  # of a run in shards, those that have a machine; None: it is not in shards


@dataclass(frozen=True)
class Progress:
    """How far the work is; `total` is None if it is not known."""

    done: Number
    total: Number | None = None
    text: Sentence = ""


@dataclass(frozen=True)
class Metric:
    """Numbers at one optimizer step, by name."""

    step: Whole
    values: Annotated[dict[Annotated[str, Field(max_length=200)], float], Field(max_length=MOST_NAMES)]


@dataclass(frozen=True)
class Checkpoint:
    """The state after this optimizer step is saved in the folder `path`."""

    step: Whole
    path: str = ""


@dataclass(frozen=True)
class Resumed:
    """The work continues from this optimizer step; earlier events of later steps are invalid."""

    step: Whole


@dataclass(frozen=True)
class BugEvent:
    """A bug of a benchmark run; `skipped` says why it is not evaluated.

    `whole_tokens`: length of the prompt that was shortened to `prompt_tokens`; None: it was not shortened.
    """

    id: Name
    language: Name
    path: Name
    start: Whole
    end: Whole
    buggy: str
    fixed: str
    kind: Name = ""
    cwe: Name = ""
    skipped: Sentence = ""
    prompt_tokens: Whole | None = None
    whole_tokens: Whole | None = None
    project: Name = ""  # empty: not known


@dataclass(frozen=True)
class VerdictFields:
    """The fields of an `engine.domain.Verdict`."""

    outcome: Outcome
    reason: Sentence = ""
    log: str = ""
    failed: tuple[Sentence, ...] = ()
    duration_s: Number = 0.0
    sandbox: Name = ""
    isolation: Isolation = Isolation.NONE
    stages: Annotated[dict[Name, Number], Field(max_length=MOST_STAGES)] = field(default_factory=dict)

    @classmethod
    def of(cls, verdict: Verdict) -> VerdictFields:
        """With times to a tenth of a millisecond."""
        stages = {stage: round(seconds, 4) for stage, seconds in verdict.stages.items()}
        return cls(**{**vars(verdict), "duration_s": round(verdict.duration_s, 4), "stages": stages})

    @property
    def verdict(self) -> Verdict:
        return Verdict(**vars(self))


Source = Literal["model", "known_fix", "buggy_code"]
MODEL: Source = "model"
KNOWN_FIX: Source = "known_fix"
BUGGY_CODE: Source = "buggy_code"


@dataclass(frozen=True)
class PatchEvent:
    """A patch and its verdict; `rank` counts from 1, and is 0 for the known fix and the buggy code."""

    bug_id: Name
    source: Source
    rank: Whole
    verdict: VerdictFields
    completion: str = ""
    text: str | None = None
    score: Number | None = None
    same_as: Whole | None = None  # rank of an equal patch
    # None in what follows: not known
    tokens_written: Whole | None = None
    tokens_read: Whole | None = None  # this completion's share of the prompt's
    tree: Name | None = None  # `engine.languages.trees.tree_digest` of the patched file
    is_known_tree: bool | None = None  # its tree is that of the known fix
    edit: Whole | None = None  # characters removed from the buggy file and added to it
    rule: Name = ""  # by which it was found in the completion (`engine.domain.Patch`)
    prompt: str = ""  # that it answers, where a bug has several; empty: the bug's one


@dataclass(frozen=True)
class Delta:
    """More text of the answer that is being written; with `restart`, the text so far is dropped.

    `doing` says what is done for the conversation from now on, such as "running the tests"; empty: as before.
    """

    conversation: Whole
    text: str
    restart: bool = False
    doing: Sentence = ""


@dataclass(frozen=True)
class Answered:
    """Question number `question` (from 1) of a conversation has been answered."""

    conversation: Whole
    question: Whole


@dataclass(frozen=True)
class TurnEvent:
    """A message of a conversation, `number` counted from 1; `prompt` is what the model read before it wrote this.

    `parent` is the number of the message that it follows, 0 where it begins the conversation; None: the one before.
    """

    conversation: Whole
    number: Whole
    role: Name
    text: str
    patch: str | None = None
    patch_reason: Sentence = ""
    prompt: str = ""
    verdict: VerdictFields | None = None
    parent: Whole | None = None
    rule: Name = ""  # by which the patch was found in the text
    model: Name = ""  # that was asked; empty: the one of the question that it answers, else not known
    settings: dict[str, Any] = field(default_factory=dict)  # of the spec, with which it was asked

    @classmethod
    def of(cls, conversation: int, turn: Turn) -> TurnEvent:
        """`turn` has its number."""
        patch = turn.patch or Patch("", None)
        verdict = VerdictFields.of(turn.verdict) if turn.verdict else None
        said = (turn.number, turn.role, turn.text, patch.text, patch.reason, as_text(turn.prompt))
        return cls(conversation, *said, verdict, turn.parent, patch.rule)

    def turn(self, bug_id: str) -> Turn:
        """As `of` was given it, but that its prompt is text."""
        verdict = self.verdict.verdict if self.verdict else None
        is_attempt = self.patch is not None or verdict is not None or bool(self.patch_reason)
        patch = Patch(bug_id, self.patch, self.patch_reason, self.rule) if is_attempt else None
        return Turn(self.role, self.text, patch, verdict, self.prompt, self.number, self.parent)


@dataclass(frozen=True)
class Spent:
    """What the answer to a question has taken so far, for a worker that continues it."""

    conversation: Whole
    question: Whole
    tokens_read: Whole
    tokens_written: Whole
    seconds: Number


Payload = (
    State | Progress | Metric | Checkpoint | Resumed | BugEvent | PatchEvent | Delta | Answered | TurnEvent | Spent
)
KINDS: dict[str, type[Any]] = {
    "state": State,
    "progress": Progress,
    "metric": Metric,
    "checkpoint": Checkpoint,
    "resumed": Resumed,
    "bug": BugEvent,
    "patch": PatchEvent,
    "delta": Delta,
    "answered": Answered,
    "turn": TurnEvent,
    "spent": Spent,
}
_NAMES = {declared: kind for kind, declared in KINDS.items()}


@dataclass(frozen=True)
class _Line:
    seq: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]
    time: Annotated[float, Field(ge=0, le=LATEST)]
    event: str


@dataclass(frozen=True)
class Event:
    """One checked line; `payload` is None for a kind that this version does not know: its number still counts."""

    seq: int
    time: float  # seconds since the epoch
    kind: str
    payload: Payload | None


def read(line: bytes) -> Event:
    """The event of one line. Raises ValueError if it is not a JSON object, or a field is missing or wrong."""
    values = from_json(line)  # refuses deep nesting and half surrogate pairs
    head: _Line = checked(_Line, values)
    payload = checked(KINDS[head.event], values) if head.event in KINDS else None
    return Event(head.seq, head.time, head.event, payload)


def checked(declared: type[Declared], values: Any) -> Declared:
    """The object of a class of this file with these values; others are left out.

    Raises pydantic's ValidationError, a ValueError, if a field is missing or wrong.
    """
    made: Declared = _adapters()[declared].validate_python(values)
    return made


def written(payload: Payload) -> tuple[str, dict[str, Any]]:
    """The kind of an event and its fields, as `read` reads them again."""
    return _NAMES[type(payload)], asdict(payload)


@cache
def _adapters() -> dict[type[Any], TypeAdapter[Any]]:
    return {declared: TypeAdapter(declared) for declared in (_Line, VerdictFields, *KINDS.values())}
