"""The bugs that a conversation can be about: those of a benchmark that can be tested on this machine."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from engine.benchmarks import BugEntry
from engine.control.lately import Lately
from engine.domain import Bug
from engine.errors import OutsideFailure, UserError
from engine.plugins import BENCHMARKS
from engine.specs import ChatSpec

DEFAULT_BENCHMARK = ChatSpec.model_fields["benchmark"].default


class ChatBugs:
    """Reads benchmarks, by name or with settings, each again only after some seconds."""

    def __init__(self) -> None:
        self._entries = Lately(_entries)
        self._bugs = Lately(_bugs)

    def entries(self, benchmark: object = DEFAULT_BENCHMARK) -> Sequence[BugEntry]:
        """Raises UserError if its settings are wrong or its bugs are missing."""
        return self._entries(benchmark)

    def bugs(self, benchmark: object = DEFAULT_BENCHMARK) -> Sequence[Bug]:
        """The same, with their code. Raises UserError."""
        return self._bugs(benchmark)

    def bug(self, bug_id: str, benchmark: object = DEFAULT_BENCHMARK) -> Bug:
        """Raises UserError naming what is wrong with the id."""
        bugs = {bug.id: bug for bug in self.bugs(benchmark)}
        if bug_id in bugs:
            return bugs[bug_id]
        near = difflib.get_close_matches(bug_id, bugs, n=3) or [*list(bugs)[:3], "..."]
        raise UserError(
            f"bug: there is no bug {bug_id!r} that can be tested here; similar: {', '.join(near)}", field="bug"
        )

    def known(self, bug_id: str, benchmark: object) -> Bug | None:
        """None where the benchmark's folder or plug-in, or the bug in it, is gone."""
        try:
            bugs = self.bugs(benchmark)
        except (UserError, OutsideFailure, OSError):
            return None
        wanted = BENCHMARKS.current(bug_id)
        return next((bug for bug in bugs if bug.id == wanted), None)


def _entries(benchmark: object) -> list[BugEntry]:
    made = BENCHMARKS.from_value(benchmark)
    made.check()
    skipped = made.skipped()
    return [bug for bug in made.entries() if bug.id not in skipped]


def _bugs(benchmark: object) -> list[Bug]:
    made = BENCHMARKS.from_value(benchmark)
    skipped = made.skipped()
    return [bug for bug in made.bugs() if bug.id not in skipped]
