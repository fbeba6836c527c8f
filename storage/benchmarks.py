"""The queries for benchmark runs, one small function each; filtering, sorting and paging happen in SQLite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, func, or_, select, type_coerce, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from storage import reviews
from storage.queries import holds
from storage.tables import Bug, OutcomeCount, Patch, Text
from storage.texts import AT_ONCE

SUMMARY_COLUMNS = (
    "known_fix",
    "buggy_code",
    "first_plausible",
    "first_unjudged",
    "plausible",
    "judged",
    "has_known_fix",
)

TOPS = ("top_mean", "top_total", "top_agreement", "top_edit")  # of each order, whether its first candidate is plausible


@dataclass(frozen=True)
class BugQuery:
    """Which bugs of a benchmark run to show, in which order, and which page of them (from 1)."""

    search: str = ""
    show: str = "all"  # all | plausible | unreviewed | none_plausible | skipped
    language: str = ""
    sort: str = "bug"  # bug | first | count | kind
    descending: bool = False
    page: int = 1
    size: int = 20
    reviewer: str = ""  # who has not reviewed the bugs that are "unreviewed"; empty: nobody has


def bug_page(session: Session, run_id: int, asked: BugQuery) -> tuple[Sequence[Bug], int]:
    """One page of bugs (the last one if there are fewer pages), and how many match in all."""
    wanted = [col(Bug.run_id) == run_id]
    if asked.search:
        places = (Bug.bug_id, Bug.kind, Bug.cwe, Bug.path, Bug.project)
        wanted.append(or_(*(holds(col(place), asked.search) for place in places)))
    if asked.language:
        wanted.append(col(Bug.language) == asked.language)
    if asked.show == "plausible":
        wanted += [col(Bug.plausible) > 0, col(Bug.skipped) == ""]
    elif asked.show == "unreviewed":
        wanted += [col(Bug.plausible) > 0, col(Bug.skipped) == "", reviews.has_unreviewed(run_id, asked.reviewer)]
    elif asked.show == "none_plausible":
        wanted += [col(Bug.plausible) == 0, col(Bug.skipped) == ""]
    elif asked.show == "skipped":
        wanted.append(col(Bug.skipped) != "")
    first, count = col(Bug.first_plausible), col(Bug.plausible)
    orders: dict[str, list[ColumnElement[Any]]] = {
        "first": [first.is_(None), first.desc() if asked.descending else first.asc()],
        "count": [count.asc() if asked.descending else count.desc()],
        "kind": [col(Bug.kind).desc() if asked.descending else col(Bug.kind).asc()],
        "bug": [col(Bug.bug_id).desc() if asked.descending else col(Bug.bug_id).asc()],
    }
    total = session.scalar(select(func.count()).select_from(Bug).where(*wanted)) or 0
    if not total:
        return [], 0
    query = select(Bug).where(*wanted).order_by(*orders.get(asked.sort, orders["bug"]), col(Bug.bug_id))
    page = min(max(asked.page, 1), -(-total // asked.size))
    return session.scalars(query.limit(asked.size).offset((page - 1) * asked.size)).all(), total


def candidate_summaries(session: Session, run_id: int, *, set_aside: bool = False) -> Sequence[Row[Any]]:
    """The columns named in SUMMARY_COLUMNS, and as `bugs` how many bugs of the run have these values.

    Beside them `trees`: of how many bugs the trees are known, and for each of TOPS how many bugs have a plausible
    candidate first, and as `top_..._known` of how many that is known. Of all bugs, for which the index is enough; or
    only of those `set_aside`, which a resumed run may have judged before.
    """
    columns = [getattr(Bug, name) for name in SUMMARY_COLUMNS]
    wanted = [col(Bug.run_id) == run_id, *([col(Bug.skipped) != ""] if set_aside else [])]
    sums: list[Any] = [func.sum(type_coerce(Bug.trees_known, Integer)).label("trees")]
    for name in TOPS:
        sums += [
            func.sum(type_coerce(getattr(Bug, name), Integer)).label(name),
            func.count(getattr(Bug, name)).label(f"{name}_known"),
        ]
    query = select(*columns, func.count().label("bugs"), *sums).where(*wanted).group_by(*columns)
    return session.execute(query).all()


def tokens(session: Session, run_id: int) -> tuple[int | None, int | None]:
    """Tokens written and prompt tokens read in a run, those for bugs that are not scored too; None: not known."""
    sums = [each for name in ("tokens_written", "tokens_read") for each in _sum(getattr(Bug, name))]
    written, unwritten, read, unread = session.execute(select(*sums).where(col(Bug.run_id) == run_id)).one()
    return None if unwritten else written, None if unread else read


def _sum(column: Any) -> tuple[Any, Any]:
    """A sum, and how many rows have no value."""
    return func.sum(column), func.count() - func.count(column)


def known_fixes(session: Session, run_id: int) -> Sequence[Row[Any]]:
    """(first_known_fix, known_fix, buggy_code, bugs that have these) of bugs with such a candidate, none set aside."""
    return _first(session, run_id, col(Bug.first_known_fix))


def known_trees(session: Session, run_id: int) -> Sequence[Row[Any]]:
    """The same of first_known_tree."""
    return _first(session, run_id, col(Bug.first_known_tree))


def _first(session: Session, run_id: int, first: Any) -> Sequence[Row[Any]]:
    columns = (first, col(Bug.known_fix), col(Bug.buggy_code))
    query = select(*columns, func.count()).where(col(Bug.run_id) == run_id, first.is_not(None), col(Bug.skipped) == "")
    return session.execute(query.group_by(*columns)).all()


def summaries_by_kind(session: Session, run_id: int) -> Sequence[Row[Any]]:
    """(kind of fault, SUMMARY_COLUMNS but the last, number of bugs that have these), of bugs that are not set aside."""
    columns = [col(Bug.kind), *(getattr(Bug, name) for name in SUMMARY_COLUMNS[:-1])]
    query = select(*columns, func.count()).where(col(Bug.run_id) == run_id, col(Bug.skipped) == "")
    return session.execute(query.group_by(*columns)).all()


def matches_by_kind(session: Session, run_id: int) -> Sequence[Row[Any]]:
    """(kind of fault, known_fix, buggy_code, first_known_fix, first_known_tree, trees_known, bugs that have these).

    Of bugs that have a candidate with a verdict and are not set aside.
    """
    columns = (Bug.kind, Bug.known_fix, Bug.buggy_code, Bug.first_known_fix, Bug.first_known_tree, Bug.trees_known)
    found = [col(column) for column in columns]
    query = select(*found, func.count()).where(col(Bug.run_id) == run_id, col(Bug.skipped) == "", col(Bug.judged) > 0)
    return session.execute(query.group_by(*found)).all()


def repaired(session: Session, run_id: int) -> dict[str, int]:
    """Bug -> rank of its first plausible patch, of the bugs that count, the smallest rank first."""
    wanted = (col(Bug.run_id) == run_id, col(Bug.first_plausible).is_not(None), col(Bug.skipped) == "")
    passes = (col(Bug.known_fix) == "plausible", col(Bug.buggy_code) != "plausible")
    query = select(col(Bug.bug_id), col(Bug.first_plausible)).where(*wanted, *passes)
    return {row[0]: row[1] for row in session.execute(query.order_by(col(Bug.first_plausible), col(Bug.bug_id)))}


def skipped(session: Session, run_id: int) -> dict[str, int]:
    """Reason -> how many bugs were skipped for it."""
    query = select(col(Bug.skipped), func.count()).where(col(Bug.run_id) == run_id, col(Bug.skipped) != "")
    return {row[0]: row[1] for row in session.execute(query.group_by(col(Bug.skipped)))}


def outcomes(session: Session, run_id: int) -> dict[str, int]:
    """Outcome -> how many of the model's candidates have it, without those of bugs that were set aside."""
    query = select(OutcomeCount).where(col(OutcomeCount.run_id) == run_id, col(OutcomeCount.candidates) > 0)
    found = Counter({row.outcome: row.candidates for row in session.scalars(query)})
    aside = select(col(Patch.outcome), func.count()).join(Bug, col(Patch.bug) == Bug.id)
    aside = aside.where(col(Bug.run_id) == run_id, col(Bug.skipped) != "", col(Patch.source) == "model")
    found.subtract({row[0]: row[1] for row in session.execute(aside.group_by(col(Patch.outcome)))})
    return dict(+found)


def end_candidates(session: Session, run_id: int, no_rank: int) -> None:
    """Of a run that writes no more: the first rank without a verdict is `no_rank` where it is no candidate's."""
    there = select(col(Patch.id)).where(
        col(Patch.bug) == Bug.id, col(Patch.source) == "model", col(Patch.rank) == Bug.first_unjudged
    )
    wanted = (col(Bug.run_id) == run_id, col(Bug.first_unjudged) < no_rank, ~there.exists())
    session.execute(
        update(Bug).where(*wanted).values(first_unjudged=no_rank), execution_options={"synchronize_session": False}
    )


def bug(session: Session, run_id: int, bug_id: str) -> Bug | None:
    """One bug of a benchmark run."""
    return session.scalars(select(Bug).where(col(Bug.run_id) == run_id, col(Bug.bug_id) == bug_id)).first()


def patch(session: Session, run_id: int, bug_id: str, source: str, rank: int) -> tuple[Bug, Patch] | None:
    """One patch and its bug, by run, bug id, source and rank."""
    chosen = (
        col(Bug.run_id) == run_id,
        col(Bug.bug_id) == bug_id,
        col(Patch.source) == source,
        col(Patch.rank) == rank,
    )
    row = session.execute(select(Bug, Patch).join(Patch, col(Patch.bug) == Bug.id).where(*chosen)).first()
    return (row[0], row[1]) if row else None


def has_patches(session: Session, run_id: int) -> bool:
    """Whether a run has any patch."""
    query = select(col(Patch.id)).join(Bug, col(Patch.bug) == Bug.id).where(col(Bug.run_id) == run_id)
    return session.execute(query.limit(1)).first() is not None


def with_texts(session: Session, run_id: int) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Every bug of a run that has patches, ordered by its id, and these by source and rank; read while it is iterated.

    Columns in the order of this function: of the bug, and the text of its file; after a number, of the patch, its
    reviews, and three texts (the last is JSON).
    """
    named = (Bug.bug_id, Bug.path, Bug.language, Bug.kind, Bug.cwe, Bug.project)
    buggy, completion, patch, failed = (aliased(Text) for _ in range(4))
    of_bug = _of_bugs(run_id, *named, Bug.skipped, Bug.known_fix, Bug.buggy_code, buggy.text)
    said = reviews.counted(run_id)
    reviewed = [func.coalesce(said.c[verdict], 0) for verdict in ("correct", "incorrect", "unsure")]
    judged = (Patch.source, Patch.rank, Patch.outcome, Patch.is_known_fix, Patch.reason, Patch.score, Patch.duration_s)
    more = (Patch.is_known_tree, Patch.tokens_written, Patch.tokens_read, Patch.edit, Patch.patch_text)
    texts = (completion.text, patch.text, failed.text)
    of_patch = _of_patches(run_id, *judged, Patch.sandbox, Patch.isolation, *reviewed, *more, *texts)
    return _together(
        session,
        of_bug.join(buggy, col(buggy.id) == Bug.buggy_text),
        of_patch.outerjoin(said, said.c.patch_id == Patch.id)
        .join(completion, col(completion.id) == Patch.completion_text)
        .outerjoin(patch, col(patch.id) == Patch.patch_text)
        .join(failed, col(failed.id) == Patch.failed_text),
    )


def candidates_with_texts(session: Session, run_id: int) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Every bug of a run for which a model made patches, and these, in the same order and read the same way.

    Columns in the order of this function: five of the bug, with its two texts; after a number, seven of the patch,
    with two texts.
    """
    buggy, fixed, completion, patch = (aliased(Text) for _ in range(4))
    of_bug = _of_bugs(run_id, Bug.bug_id, Bug.path, Bug.start, buggy.text, fixed.text)
    judged = (Patch.rank, Patch.outcome, Patch.is_known_fix, Patch.is_known_tree, Patch.reason)
    of_patch = _of_patches(run_id, *judged, completion.text, patch.text)
    return _together(
        session,
        of_bug.join(buggy, col(buggy.id) == Bug.buggy_text).join(fixed, col(fixed.id) == Bug.fixed_text),
        of_patch.where(col(Patch.source) == "model")
        .join(completion, col(completion.id) == Patch.completion_text)
        .outerjoin(patch, col(patch.id) == Patch.patch_text),
    )


def _of_bugs(run_id: int, *columns: Any) -> Select[Any]:
    query = select(col(Bug.id), *columns).select_from(Bug).where(col(Bug.run_id) == run_id)
    return query.order_by(col(Bug.bug_id))


def _of_patches(run_id: int, *columns: Any) -> Select[Any]:
    query = select(col(Patch.bug), *columns).select_from(Bug).join(Patch, col(Patch.bug) == Bug.id)
    return query.where(col(Bug.run_id) == run_id).order_by(col(Bug.bug_id), col(Patch.source), col(Patch.rank))


def _together(session: Session, of_bug: Select[Any], of_patch: Select[Any]) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Each bug with its patches, by the row of the bug, which is the first column of both: its texts are read once."""
    bugs = _in_parts(session, of_bug)
    for row, patches in groupby(_in_parts(session, of_patch), key=itemgetter(0)):
        yield next(bug for bug in bugs if bug[0] == row)[1:], patches


def _in_parts(session: Session, query: Select[Any]) -> Iterator[Any]:
    for part in session.connection().execution_options(yield_per=AT_ONCE).execute(query).partitions():
        yield from part
