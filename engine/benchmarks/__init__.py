"""Bugs with tests: the contract of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from engine.domain import Bug, Patch, Verdict
from engine.sandboxes import Sandbox


@dataclass(frozen=True)
class Listed:
    """A bug as a list shows it."""

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
    """A fixed set of bugs, each with tests that its known fix passes and its buggy code does not."""

    name: ClassVar[str]

    def check(self) -> None:
        """A quick look before a run is queued. Raises UserError where the bugs are plainly not there."""

    def listed(self) -> Sequence[Listed]:
        """Every bug in the order of `bugs`, as far as possible without reading its code."""

    def bugs(self) -> list[Bug]:
        """Every bug, in a fixed order, those that cannot run here included."""

    def skipped(self) -> Mapping[str, str]:
        """Bug id -> why it cannot be judged on this machine ("no JDK found: ...")."""

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        """Compile and test one patch. Safe to call from several threads at once.

        `plausible` needs a report from inside that names every test of `bug.failing + bug.passing` as passed, with
        this run's nonce; exit code 0 alone is never a pass. A sandbox that did not start gives `not_run`.
        """
