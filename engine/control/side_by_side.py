"""Reads the bugs of several benchmark runs beside each other, and counts what their candidates came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlmodel import Session

from engine.scoring import CandidateSummary, control_trouble
from storage import comparison

LENGTHS = ((1, "1 line"), (5, "2 to 5 lines"), (20, "6 to 20 lines"))  # of the faulty span, up to and including


class ComparedBug(NamedTuple):  # a dataclass takes three times as long to make, and there are many thousand
    """One bug as each run met it; the tuples are in the order of the runs."""

    bug_id: str
    language: str
    kind: str
    cwe: str
    project: str  # empty: not known
    lines: str  # how long the faulty span is, in words
    repaired: tuple[bool | None, ...]  # a plausible patch among the first k; None: this run does not score the bug
    first: tuple[int | None, ...]  # rank of the first plausible patch

    @property
    def is_common(self) -> bool:
        """Whether every run scores it."""
        return None not in self.repaired


class SideBySide(NamedTuple):
    """What is read of several runs."""

    bugs: list[ComparedBug]
    own: list[RunStandings]  # of each run: all its bugs
    common: list[RunStandings]  # the same of the bugs that all of them score; empty if there are none


def side_by_side(session: Session, run_ids: Sequence[int], k: int) -> SideBySide:
    """Every bug of the runs, and the summaries of those that all of them score.

    Of ten thousand bugs of a run most have outcomes that another one has too, so what follows from outcomes is found
    once for each; of a bug it is only looked up.
    """
    facts: dict[str, tuple[str, str, str, str, int]] = {}
    met: list[dict[str, _Standing]] = []
    known: dict[tuple[Any, ...], _Standing] = {}
    for place, run_id in enumerate(run_ids):
        facts.update((row[0], row[1:]) for row in comparison.facts(session, run_id, run_ids[:place]))
        here: dict[str, _Standing] = {}
        for row in comparison.scored(session, run_id):
            if (standing := known.get(outcomes := row[1:])) is None:
                standing = known[outcomes] = _standing(k, *outcomes)
            here[row[0]] = standing
        met.append(here)
    projects = dict(comparison.projects(session, run_ids))
    bugs: list[ComparedBug] = []
    same: dict[tuple[Any, Any], tuple[Any, Any]] = {}  # few differ, and what is held once is collected faster
    common: list[list[_Standing]] = [[] for _ in run_ids]
    for bug_id in sorted(facts):
        language, kind, cwe, project, lines = facts[bug_id]
        each = [run.get(bug_id, UNMET) for run in met]
        repaired, first = tuple([one.repaired for one in each]), tuple([one.first for one in each])
        alike = same.setdefault((repaired, first), (repaired, first))
        bug = ComparedBug(bug_id, language, kind, cwe, project or projects.get(bug_id, ""), _length(lines), *alike)
        bugs.append(bug)
        if bug.is_common:
            for place, one in enumerate(each):  # a list kept for each bug would slow the collector
                common[place].append(one)
    own = [RunStandings.of(list(run.values())) for run in met]
    return SideBySide(bugs, own, [RunStandings.of(of_run) for of_run in common if of_run])


@dataclass(frozen=True)
class RunStandings:
    """Some bugs of one run, counted if it scores them."""

    summaries: Mapping[CandidateSummary, int]  # how many bugs have this summary
    first_fixes: Mapping[int, int]  # rank -> bugs whose first plausible candidate with the known fix's text has it
    first_trees: Mapping[int, int]  # with its syntax tree
    trees_known: bool  # of all of them

    @classmethod
    def of(cls, standings: Sequence[_Standing]) -> RunStandings:
        """By identity: bugs with the same outcomes share one standing, and hashing it would take longer."""
        times = Counter(map(id, standings))
        one_of = {id(each): each for each in standings}
        summaries: Counter[CandidateSummary] = Counter()
        fixes: Counter[int] = Counter()
        trees: Counter[int] = Counter()
        for number, bugs in times.items():
            here = one_of[number]
            if here.summary is not None:
                summaries[here.summary] += bugs
            if here.first_fix is not None:
                fixes[here.first_fix] += bugs
            if here.first_tree is not None:
                trees[here.first_tree] += bugs
        return cls(summaries, fixes, trees, all(each.trees_known for each in one_of.values() if each.summary))


class _Standing(NamedTuple):
    """What follows from the outcomes of one bug in one run."""

    summary: CandidateSummary | None  # None: the run does not score the bug
    repaired: bool | None  # a plausible patch among the first k; None: that is not known
    first: int | None
    first_fix: int | None  # rank of the first plausible candidate with the text of the known fix
    first_tree: int | None  # with its syntax tree
    trees_known: bool


UNMET = _Standing(None, None, None, None, None, False)


def _standing(
    k: int, known_fix: str | None, buggy_code: str | None, first_fix: int | None, first_tree: int | None, *more: Any
) -> _Standing:
    """From the columns of `comparison.scored`."""
    if control_trouble(known_fix, buggy_code):
        return UNMET
    trees_known, *counts = more
    summary = CandidateSummary(*counts)
    is_repaired = summary.is_plausible_at(k) if summary.judged else None
    return _Standing(summary, is_repaired, summary.first_plausible, first_fix, first_tree, bool(trees_known))


@lru_cache(maxsize=1000)
def _length(lines: int) -> str:
    if lines < 1:
        return "nothing, code is missing"
    return next((words for most, words in LENGTHS if lines <= most), "more than 20 lines")
