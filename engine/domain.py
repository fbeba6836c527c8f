"""The domain: a bug, the sample made from it, a model's completion, the patch read from that, and its verdict."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Literal

from engine.prompt import Message as Message
from engine.prompt import Prompt as Prompt
from engine.prompt import Role as Role
from engine.prompt import as_text as as_text
from engine.task import Task


class Outcome(StrEnum):
    """The result of evaluating one patch; stored as these words."""

    PLAUSIBLE = "plausible"  # passed every test
    TEST_FAILED = "test_failed"
    COMPILE_ERROR = "compile_error"
    TIMEOUT = "timeout"
    NO_PATCH = "no_patch"  # no usable patch could be read from the completion
    NOT_RUN = "not_run"  # the infrastructure failed; never counted for or against the model


class Isolation(StrEnum):
    """Where the patched code ran while its tests decided, stored as these words."""

    NONE = ""  # nothing ran, or it is not known: a verdict of an older version
    SHARED = "shared"  # in one process with them
    ISOLATED = "isolated"  # in a sandbox of its own, with plain values in between


def lines_of(text: str) -> list[str]:
    """Lines with their ends, split at newlines only (form feeds and U+2028 stay inside a line)."""
    return list(io.StringIO(text, newline="\n"))


@dataclass(frozen=True)
class Span:
    """Lines `start`..`end` of a file, 1-based and inclusive; `end == start - 1` is the gap before `start`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start < 1 or self.end < self.start - 1:
            raise ValueError(f"not a span of lines: {self.start}..{self.end}")


@dataclass(frozen=True)
class Bug:
    """One fault in one place of one file, with its known fix and tests that fail on the fault and pass on the fix."""

    id: str  # unique within its source, "pocket/py-gcd"
    language: str  # "python" | "java" | "c"
    path: str  # of the faulty file, relative to its project: "gcd.py"
    buggy: str  # whole text of the faulty file
    fixed: str  # the same file repaired; differs from `buggy` inside `span` only
    span: Span  # the faulty lines of `buggy`
    kind: str = ""  # of fault, "off_by_one"
    cwe: str = ""  # "CWE-369", if it is a known weakness
    project: str = ""  # a split never divides a project
    failing: tuple[str, ...] = ()  # tests that fail on `buggy` and pass on `fixed`
    passing: tuple[str, ...] = ()  # tests that pass on both
    task: Task | None = None  # of code that is still to be written; `buggy` then has an empty body
    date: str = ""  # ISO 8601 day of the fix, for a split by time
    is_function: bool = False  # the text is one function, with all that belongs to it, and no file that holds others
    notes: tuple[str, ...] = ()  # what is told about the fault beside the code, one line each
    tests: tuple[tuple[str, str], ...] = ()  # path and text of the files with its tests, where a benchmark has them

    def replace_span(self, lines: str) -> str:
        """The whole file with `lines` in place of the faulty ones."""
        before, _, after = self._divided
        return before + lines + after

    def patched(self, lines: str, span: Span | None = None) -> str:
        """The whole file with `lines` in place of the faulty ones, or of another span's, ended as the file's are."""
        span, old = span or self.span, lines_of(self.buggy)
        if lines and not lines.endswith("\n") and span.end < len(old):
            lines += "\n"  # lines follow, and these must not run into them
        if self.is_crlf:
            lines = lines.replace("\r\n", "\n").replace("\n", "\r\n")
        return "".join([*old[: span.start - 1], lines, *old[span.end :]])

    @property
    def is_crlf(self) -> bool:
        r"""Whether every ended line of the file ends with "\r\n" and there is one."""
        return 0 < self.buggy.count("\n") == self.buggy.count("\r\n")

    @property
    def buggy_lines(self) -> str:
        """The faulty lines; empty if the fix only inserts."""
        return self._divided[1]

    @property
    def fix_is_in_span(self) -> bool:
        """Whether `fixed` differs from `buggy` inside the span only."""
        before, _, after = self._divided
        fits = len(self.fixed) >= len(before) + len(after)
        return fits and self.fixed.startswith(before) and self.fixed.endswith(after)

    @property
    def fixed_lines(self) -> str:
        """The lines of `fixed` that replace the span of `buggy`; empty if the fix only deletes.

        Raises ValueError if `fixed` differs from `buggy` outside the span.
        """
        if not self.fix_is_in_span:
            raise ValueError(f"{self.id}: the fix changes lines outside {self.span}")
        before, _, after = self._divided
        return self.fixed[len(before) : len(self.fixed) - len(after)]

    @cached_property
    def _divided(self) -> tuple[str, str, str]:
        """The lines of `buggy` before its span, in it, and after it."""
        lines, first, last = lines_of(self.buggy), self.span.start - 1, self.span.end
        return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])


def span_of_change(buggy: str, fixed: str) -> Span:
    """The first to the last line of `buggy` that the fix changes. Raises ValueError if both texts are equal."""
    if buggy == fixed:
        raise ValueError("buggy and fixed code are the same")
    old, new = lines_of(buggy), lines_of(fixed)
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    return Span(head + 1, len(old) - tail)


# What the rows of a training set can be made from; answers: samples of which each is right or wrong.
Rows = Literal["bugs", "samples", "preferences", "answers"]


@dataclass(frozen=True)
class Segment:
    """A part of a sample's text; the model learns to write learned segments, and only reads the others."""

    text: str
    is_learned: bool = False
    role: Role | None = None  # of a message, to which the model's chat template adds its own text; None: as it stands


def segments_of(prompt: Prompt, target: str) -> tuple[Segment, ...]:
    """A prompt that is read and a target that is learned, as text or as messages."""
    if isinstance(prompt, str):
        return Segment(prompt), Segment(target, True)
    return *(Segment(each.text, role=each.role) for each in prompt), Segment(target, True, "assistant")


@dataclass(frozen=True)
class Sample:
    """What training sees of one bug, or of one conversation: segments in their order, none of them empty.

    Either all of them are messages, of which the assistant's may be learned, or none is; else raises ValueError.
    """

    bug_id: str
    segments: tuple[Segment, ...]
    kind: str = ""
    language: str = ""
    project: str = ""  # splits never tear a project apart
    is_ended: bool = False  # the last segment spells the token that ends it; else the end of text is added to it
    bug: Bug | None = None  # that it was made from, where a builder of samples knows it
    lines: tuple[tuple[str, tuple[int, ...]], ...] = ()  # category -> lines of that kind, from 0, in the whole text
    messages: tuple[Segment, ...] = ()  # of which a chat template made this text
    is_wrong: bool = False  # of single answers: one not to write

    def __post_init__(self) -> None:
        if len({segment.role is None for segment in self.segments}) > 1:
            raise ValueError(f"{self.bug_id}: some segments are messages and some are not")
        if any(segment.is_learned and segment.role not in (None, "assistant") for segment in self.segments):
            raise ValueError(f"{self.bug_id}: a message is learned that is not the assistant's")

    @classmethod
    def of(cls, bug: Bug, prompt: Prompt, target: str) -> Sample:
        """The usual one: a prompt that is read and a target that is learned, which may be empty."""
        return cls(bug.id, segments_of(prompt, target), bug.kind, bug.language, bug.project)

    @property
    def prompt(self) -> Prompt:
        """All that is read before the first learned segment."""
        read = tuple(takewhile(lambda each: not each.is_learned, self.segments))
        messages = tuple(Message(each.role, each.text) for each in read if each.role is not None)
        return messages or "".join(each.text for each in read)

    @property
    def target(self) -> str:
        """All learned text; in the usual sample, what the model should write after the prompt."""
        return "".join(segment.text for segment in self.segments if segment.is_learned)


@dataclass(frozen=True)
class Preference:
    """A prompt with an answer that is better and one that is worse (Rafailov et al. 2023, arXiv 2305.18290)."""

    bug_id: str
    prompt: Prompt
    chosen: str
    rejected: str
    kind: str = ""
    language: str = ""
    project: str = ""
    is_ended: bool = False  # both answers spell the token that ends them; else the end of text is added to them
    bug: Bug | None = None  # that it was made from, where a builder knows it
    messages: tuple[Segment, ...] = ()  # of which a chat template made these texts; the last two are the answers


@dataclass(frozen=True)
class Completion:
    """What a model wrote for one prompt."""

    text: str
    score: float | None = None  # mean log-probability of a token, in nats, if the generator computes one
    n_tokens: int | None = None  # written, with the one that ended it; None: not known
    prompt_tokens: int | None = None  # its share of the prompt's, which is read once for all completions of it
    is_finished: bool = True  # False: it was cut off at the token limit, before the model ended it


@dataclass(frozen=True)
class Patch:
    """The whole patched file that a representation read from a completion, or why there is none."""

    bug_id: str
    text: str | None  # None: no_patch
    reason: str = ""  # why there is no patch
    rule: str = ""  # how it was found in an answer that may hold other text; empty: the answer is nothing else


@dataclass(frozen=True)
class Verdict:
    """The result of running the tests on one patch."""

    outcome: Outcome
    reason: str = ""  # memory, disk, output_cap, invalid_output, infra_error, or a sentence
    log: str = ""  # trimmed output of compiler and tests; hostile text, escape when shown
    failed: tuple[str, ...] = ()  # names of failed tests
    duration_s: float = 0.0
    sandbox: str = ""  # level and version, "bubblewrap 0.8.0"; empty if nothing ran
    isolation: Isolation = Isolation.NONE
    stages: Mapping[str, float] = field(default_factory=dict)  # extract, compile, all_tests, accept -> seconds

    @property
    def is_plausible(self) -> bool:
        return self.outcome is Outcome.PLAUSIBLE


@dataclass(frozen=True)
class Model:
    """A base model or merged model with all its weights, an adapter beside its base, or a service's model by name."""

    name: str
    kind: str  # "base" | "adapter" | "merged" | "endpoint"; "": the hub could not be asked, so the worker finds out
    path: str  # absolute folder, or hub id until the worker has fetched it; empty for an endpoint
    base: str = ""  # the same of the base model, for an adapter

    @property
    def weights(self) -> str:
        """The folder that holds full weights and the tokenizer."""
        return self.base or self.path


@dataclass(frozen=True)
class Turn:
    """One message of a repair conversation.

    An assistant's turn carries its patch and the verdict on it; one without a patch explains something, as a cause.
    """

    role: str  # "user": a person; "assistant": the model; "tool": test results, or a message of the strategy
    text: str
    patch: Patch | None = None
    verdict: Verdict | None = field(default=None)
    prompt: Prompt = ""  # of an assistant's turn: exactly what the model read before it wrote this
    number: int = 0  # in its conversation, from 1; 0: it has none yet, and gets the next one
    parent: int | None = None  # number of the turn that it follows; None: the one before

    @property
    def is_attempt(self) -> bool:
        """Whether the model tried to repair something, be it without a usable patch."""
        return self.role == "assistant" and self.patch is not None

    @property
    def is_explanation(self) -> bool:
        """Whether the model explained something, and tried no patch."""
        return self.role == "assistant" and self.patch is None

    @property
    def is_plausible(self) -> bool:
        return self.verdict is not None and self.verdict.is_plausible
