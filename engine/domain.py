"""The vocabulary: a bug, the sample made of it, what a model wrote, the patch read from that, its verdict."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import Literal


class Outcome(StrEnum):
    """What judging one patch came to; the field's names, stored as these words."""

    PLAUSIBLE = "plausible"  # passed every test
    TEST_FAILED = "test_failed"
    COMPILE_ERROR = "compile_error"
    TIMEOUT = "timeout"
    NO_PATCH = "no_patch"  # nothing usable could be read from the answer
    NOT_RUN = "not_run"  # the machinery failed; never counted for or against the model


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
    """One fault in one place of one file, with its known fix and the tests that tell them apart."""

    id: str  # unique within its source, "pocket/py-gcd"
    language: str  # "python" | "java"
    path: str  # of the faulty file, relative to its project, "gcd.py"
    buggy: str  # whole text of the faulty file
    fixed: str  # the same file repaired; differs from `buggy` inside `span` only
    span: Span  # the faulty lines of `buggy`
    kind: str = ""  # of fault, "off_by_one"
    cwe: str = ""  # "CWE-369", where it is a known weakness
    project: str = ""  # splits never tear a project apart
    failing: tuple[str, ...] = ()  # tests that fail on `buggy` and pass on `fixed`
    passing: tuple[str, ...] = ()  # tests that pass on both

    def replace_span(self, lines: str) -> str:
        """The whole file with `lines` in place of the faulty ones."""
        before, after = self._around
        return before + lines + after

    @property
    def buggy_lines(self) -> str:
        """The faulty lines; empty where the fix only inserts."""
        return "".join(lines_of(self.buggy)[self.span.start - 1 : self.span.end])

    @property
    def fix_is_in_span(self) -> bool:
        """Whether `fixed` differs from `buggy` inside the span only."""
        before, after = self._around
        fits = len(self.fixed) >= len(before) + len(after)
        return fits and self.fixed.startswith(before) and self.fixed.endswith(after)

    @property
    def fixed_lines(self) -> str:
        """What stands in `fixed` where `buggy` has its span; empty where the fix only deletes.

        Raises ValueError where `fixed` differs from `buggy` outside the span.
        """
        if not self.fix_is_in_span:
            raise ValueError(f"{self.id}: the fix changes lines outside {self.span}")
        before, after = self._around
        return self.fixed[len(before) : len(self.fixed) - len(after)]

    @property
    def _around(self) -> tuple[str, str]:
        """The lines of `buggy` before its span and those after it."""
        old = lines_of(self.buggy)
        return "".join(old[: self.span.start - 1]), "".join(old[self.span.end :])


def span_of_change(buggy: str, fixed: str) -> Span:
    """The first to the last line of `buggy` that the fix touches; equal texts raise ValueError."""
    if buggy == fixed:
        raise ValueError("buggy and fixed code are the same")
    old, new = lines_of(buggy), lines_of(fixed)
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    return Span(head + 1, len(old) - tail)


Rows = Literal["bugs", "samples", "preferences"]  # what a training set can be made of


@dataclass(frozen=True)
class Segment:
    """A stretch of a sample's text; a learned one is what the model should write, the others it only reads."""

    text: str
    is_learned: bool = False


@dataclass(frozen=True)
class Sample:
    """What training sees of one bug, or of one conversation: segments in their order, none of them empty."""

    bug_id: str
    segments: tuple[Segment, ...]
    kind: str = ""
    language: str = ""
    project: str = ""  # splits never tear a project apart

    @classmethod
    def of(cls, bug: Bug, prompt: str, target: str) -> Sample:
        """The usual one: a prompt that is read and a target that is learned, which may be empty."""
        return cls(bug.id, (Segment(prompt), Segment(target, True)), bug.kind, bug.language, bug.project)

    @property
    def prompt(self) -> str:
        """All that is read before the first learned segment."""
        return "".join(segment.text for segment in takewhile(lambda each: not each.is_learned, self.segments))

    @property
    def target(self) -> str:
        """All that is learned; of the usual sample, what the model should write after the prompt."""
        return "".join(segment.text for segment in self.segments if segment.is_learned)


@dataclass(frozen=True)
class Preference:
    """A prompt with an answer that is better and one that is worse (Rafailov et al. 2023, arXiv 2305.18290)."""

    bug_id: str
    prompt: str
    chosen: str
    rejected: str
    kind: str = ""
    language: str = ""
    project: str = ""


@dataclass(frozen=True)
class Completion:
    """What a model wrote for one prompt."""

    text: str
    score: float | None = None  # mean log-probability a token, in nats, where the method has one
    n_tokens: int = 0
    is_finished: bool = True  # False: it ran into its token limit, so its end is not where the model meant to stop


@dataclass(frozen=True)
class Patch:
    """The whole patched file that a representation read from a completion, or why there is none."""

    bug_id: str
    text: str | None  # None: no_patch
    reason: str = ""  # why there is no patch


# Of judging a patch: reading it from the answer and putting it into the file, compiling, the tests that the buggy code
# fails where they are run by themselves, all tests, and the same once more in a fresh place.
STAGES = ("extract", "compile", "failing_tests", "all_tests", "accept")


@dataclass(frozen=True)
class Verdict:
    """What came of running the tests on one patch."""

    outcome: Outcome
    reason: str = ""  # memory, disk, output_cap, invalid_output, infra_error, or a sentence
    log: str = ""  # trimmed output of compiler and tests; hostile text, escape when shown
    failed: tuple[str, ...] = ()  # names of failed tests
    duration_s: float = 0.0
    sandbox: str = ""  # level and version, "bubblewrap 0.8.0"; empty where nothing ran
    isolation: Isolation = Isolation.NONE
    stages: Mapping[str, float] = field(default_factory=dict)  # as in STAGES, those that were gone through -> seconds

    @property
    def is_plausible(self) -> bool:
        return self.outcome is Outcome.PLAUSIBLE


@dataclass(frozen=True)
class Model:
    """A base model or merged model with all its weights, an adapter beside its base, or a service's model by name."""

    name: str
    kind: str  # "base" | "adapter" | "merged" | "endpoint"; "": of the hub, which could not be asked: the worker looks
    path: str  # absolute folder, or hub id until the worker has fetched it; empty for an endpoint
    base: str = ""  # the same of the base model, for an adapter

    @property
    def weights(self) -> str:
        """The folder that holds full weights and the tokenizer."""
        return self.base or self.path


@dataclass(frozen=True)
class Turn:
    """One message of a repair conversation; an assistant's turn carries its patch and the verdict on it."""

    role: str  # "user": a person; "assistant": the model; "tool": what came of the tests, or what the strategy says
    text: str
    patch: Patch | None = None
    verdict: Verdict | None = field(default=None)
    prompt: str = ""  # of an assistant's turn: exactly what the model read before it wrote this
    number: int = 0  # in its conversation, from 1; 0: it has none yet, and gets the next one
    parent: int | None = None  # number of the turn that it follows; None: the one before
