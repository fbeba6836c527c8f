"""What every format is written from: the facts of one run, its patches in order, its bugs, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from engine.attempts import has_attempts
from engine.scoring import Costs, Figures, Share


class PatchRow(NamedTuple):
    """One patch with its verdict; the fields are the columns of our own exports. All texts are hostile."""

    run: int
    model: str
    bug_id: str
    language: str
    kind: str
    cwe: str
    project: str  # empty: not known
    not_scored: str  # why the bug is not; empty if it is
    source: str  # model | known_fix | buggy_code
    rank: int  # from 1; 0 of the known fix and the buggy code
    outcome: str
    is_known_fix: bool
    reason: str
    score: float | None
    duration_s: float
    sandbox: str
    isolation: str  # whether the patch shared a process with its tests: isolated | shared; empty if it was not run
    reviewed_correct: int  # people who reviewed it and say that it is correct
    reviewed_incorrect: int
    reviewed_unsure: int
    is_known_tree: bool | None  # whether its syntax tree is the known fix's; from here to `edit` None: not known
    tokens_written: int | None
    tokens_read: int | None  # its share of the prompt's
    edit: int | None  # characters removed from the buggy file and added to it
    failed: str  # names of failed tests, with a space between them
    completion: str
    diff: str  # of the buggy file and the patched one; empty if there is no patch, or nothing changed


class Candidate(NamedTuple):
    """One of the patches that a model made of a bug."""

    rank: int
    outcome: str
    is_known_fix: bool
    is_known_tree: bool | None  # None: not known
    reason: str
    completion: str
    text: str | None  # of the patched file; None: there is no patch


@dataclass(frozen=True)
class BugPatches:
    """One bug with the patches that a model made of it, the best first."""

    bug_id: str
    path: str
    start: int  # the first of the faulty lines, from 1
    buggy: str  # whole file
    fixed: str
    fix: str  # unified diff of both
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run beside its patches."""

    number: int
    name: str
    model: str  # or who made the patches
    benchmark: str
    representation: str
    candidates: int  # a bug, at most
    folder: Path
    spec: Mapping[str, Any]

    @property
    def has_attempts(self) -> bool:
        """Whether the candidates of a bug are attempts that depend on each other; the rank is the attempt's number."""
        return has_attempts(self.spec)


@dataclass(frozen=True)
class Matched:
    """k -> bugs with a plausible patch among their first k that is the known fix; empty where that is not known."""

    exact_at: Mapping[int, Share]  # by its text
    tree_at: Mapping[int, Share]  # by its syntax tree


@dataclass(frozen=True)
class Exported:
    """One run, read while it is written; each of the functions reads anew, in the order of the bugs' ids."""

    run: RunFacts
    rows: Callable[[], Iterator[PatchRow]]
    bugs: Callable[[], Iterator[BugPatches]]
    figures: Callable[[], Figures]
    costs: Callable[[], Costs]
    by_kind: Callable[[], Mapping[str, Figures]]  # kind of fault -> figures of its bugs, the largest kind first
    matched: Callable[[], Mapping[str | None, Matched]]  # by kind of fault, and under None in all


@dataclass(frozen=True)
class Form:
    """A format that a run can be written in."""

    name: str  # in a link and in the shell, "csv"
    ending: str  # of the file, ".csv"
    title: str  # on a page
    what: str  # in a sentence: what is in it, and who reads it
    write: Callable[[Exported, BinaryIO], None]  # raises UserError where the run cannot be written in it
    benchmarks: tuple[str, ...] = ()  # whose runs alone can be written in it; empty: those of any
    is_of_whole: bool = False  # only a run that has ended can be written in it
    is_of_draws: bool = False  # its readers estimate pass@k: attempts that depend on each other would mislead them
