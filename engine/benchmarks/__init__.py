"""Bugs with tests: the interface of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from engine.domain import Bug, Patch, Verdict
from engine.sandboxes import Sandbox


@dataclass(frozen=True)
class BugEntry:
    """One bug in a list of bugs, without its code."""

    id: str
    language: str
    kind: str = ""
    cwe: str = ""


@runtime_checkable
class Versioned(Protocol):
    """A benchmark whose verdicts may be kept from one run to the next."""

    def version(self, bug: Bug) -> str:
        """What a verdict on a patch of this bug depends on besides the patch and the sandbox, as a hash."""


class Benchmark(Protocol):
    """A fixed set of bugs, each with tests that its known fix passes and its buggy code fails.

    One that only compares texts says so with `runs_code = False`. One that gives partial credit has a method
    `figures(verdicts)`: bug id -> verdict of its first candidate, to figures by kind of bug, as JSON.
    """

    name: ClassVar[str]

    def check(self) -> None:
        """A quick check before a run is queued. Raises UserError if the bugs are missing."""

    def entries(self) -> Sequence[BugEntry]:
        """Every bug in the order of `bugs`, if possible without reading its code."""

    def bugs(self) -> list[Bug]:
        """Every bug, in a fixed order, including those that cannot be tested here."""

    def skipped(self) -> Mapping[str, str]:
        """Bug id -> why it cannot be tested on this machine ("no JDK found: ...")."""

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        """Compile and test one patch. Safe to call from several threads at once.

        `plausible` needs a report from inside the sandbox, with this run's nonce, that every test of `bug.failing +
        bug.passing` has passed; exit code 0 alone is never enough. A sandbox that did not start gives `not_run`.
        """
