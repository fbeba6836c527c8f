"""The queries for metrics: a curve reduced to few points that include every spike, and the last value of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Integer, cast, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col

from storage.tables import LastMetric, Metric

BUCKETS = 500  # of one curve; each gives its lowest and its highest point
Point = tuple[int, float, float]  # step, value, time
POINT = (col(Metric.step), col(Metric.value), col(Metric.time))
Along = Literal["step", "time"]
AXES = {"step": col(Metric.step), "time": col(Metric.time)}


def last_values(session: Session, run_id: int) -> Sequence[LastMetric]:
    """The last value of each metric of a run, by name."""
    query = select(LastMetric).where(col(LastMetric.run_id) == run_id).order_by(col(LastMetric.name))
    return session.scalars(query).all()


def names(session: Session, run_id: int) -> set[str]:
    """The names of a run's metrics."""
    return set(session.scalars(select(col(LastMetric.name)).where(col(LastMetric.run_id) == run_id)))


def curve(
    session: Session,
    run_id: int,
    name: str,
    first: float,
    last: float,
    buckets: int = BUCKETS,
    along: Along = "step",
) -> list[Point]:
    """One metric between two steps or times: every point, or the lowest and the highest of each of `buckets` parts.

    Two parts are as wide as each other in steps or in seconds, as `along` says.
    """
    here = _within(run_id, name, first, last, along)
    parts = _parts(session, here, buckets, along)
    axis = AXES[along]
    points = select(*POINT).where(*here)
    if parts is None:
        return [tuple(row) for row in session.execute(points.order_by(axis, col(Metric.seq)))]
    found: set[Point] = set()
    for extreme in (func.min, func.max):  # SQLite gives the other columns of the row that holds it
        lowest = select(col(Metric.step), extreme(col(Metric.value)), col(Metric.time)).where(*here)
        found |= {tuple(row) for row in session.execute(lowest.group_by(parts.number))}
    found |= {tuple(row) for row in session.execute(points.where(axis.in_((parts.start, parts.end))))}
    at = 2 if along == "time" else 0
    return sorted(found, key=lambda point: (point[at], point))


def averages(
    session: Session,
    run_id: int,
    name: str,
    first: float,
    last: float,
    buckets: int = BUCKETS,
    along: Along = "step",
) -> list[tuple[float, float, float, int]]:
    """As `curve`, but of each part its mean step, value and time, and its number of points; short ones as they are."""
    here = _within(run_id, name, first, last, along)
    parts = _parts(session, here, buckets, along)
    if parts is None:
        points = select(*POINT).where(*here).order_by(AXES[along], col(Metric.seq))
        return [(*row, 1) for row in session.execute(points)]
    mean = select(*map(func.avg, POINT), func.count()).where(*here)
    return [tuple(row) for row in session.execute(mean.group_by(parts.number).order_by(parts.number))]


@dataclass(frozen=True)
class _Parts:
    number: Any  # of the part in which a row is, in SQL
    start: float
    end: float


def _within(run_id: int, name: str, first: float, last: float, along: Along) -> tuple[Any, ...]:
    return (col(Metric.run_id) == run_id, col(Metric.name) == name, AXES[along].between(first, last))


def _parts(session: Session, here: tuple[Any, ...], buckets: int, along: Along) -> _Parts | None:
    """The parts into which these rows are divided; None where they are few."""
    axis = AXES[along]
    ends = select(func.count(), func.min(axis), func.max(axis)).where(*here)
    number, start, end = session.execute(ends).one()
    if number <= 2 * buckets:
        return None
    width = max((end - start) / buckets, 1e-9)
    return _Parts(cast((axis - start) / width, Integer), start, end)


def in_sight(
    session: Session,
    run_id: int,
    name: str,
    first: float,
    last: float,
    buckets: int = BUCKETS,
    along: Along = "step",
) -> list[Point]:
    """As `curve`, with the point before and the point after, so that a line goes on to the edges of what is shown."""
    points = select(*POINT).where(col(Metric.run_id) == run_id, col(Metric.name) == name)
    axis, seq = AXES[along], col(Metric.seq)
    before = session.execute(points.where(axis < first).order_by(axis.desc(), seq.desc()).limit(1))
    after = session.execute(points.where(axis > last).order_by(axis, seq).limit(1))
    shown = curve(session, run_id, name, first, last, buckets, along)
    return [*map(tuple, before), *shown, *map(tuple, after)]


def began(session: Session, run_id: int, names: Collection[str]) -> float | None:
    """The time of the earliest of the first points of these metrics; None if they have none."""
    first = select(col(Metric.time)).order_by(col(Metric.step), col(Metric.seq)).limit(1)
    found = [
        session.scalars(first.where(col(Metric.run_id) == run_id, col(Metric.name) == name)).first() for name in names
    ]
    return min((time for time in found if time is not None), default=None)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows of metrics, in the order of their events; rows that already exist are not changed."""
    if not rows:
        return
    session.execute(insert(Metric).on_conflict_do_nothing(), list(rows))
    newest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["name"] not in newest or row["step"] >= newest[row["name"]]["step"]:
            newest[row["name"]] = row
    kept = [{key: row[key] for key in ("run_id", "name", "step", "value", "time")} for row in newest.values()]
    statement = insert(LastMetric)
    new = statement.excluded
    changed = {"step": new.step, "value": new.value, "time": new.time}
    statement = statement.on_conflict_do_update(
        index_elements=["run_id", "name"], set_=changed, where=new.step >= LastMetric.step
    )
    session.execute(statement, kept)


def forget_after(session: Session, run_id: int, step: int) -> None:
    """Delete a run's metrics of steps after this one."""
    session.execute(delete(Metric).where(col(Metric.run_id) == run_id, col(Metric.step) > step))
    session.execute(delete(LastMetric).where(col(LastMetric.run_id) == run_id))
    newest = select(col(Metric.run_id), col(Metric.name), func.max(Metric.step), col(Metric.value), col(Metric.time))
    newest = newest.where(col(Metric.run_id) == run_id).group_by(col(Metric.name))
    session.execute(insert(LastMetric).from_select(["run_id", "name", "step", "value", "time"], newest))
