"""The queries for metrics: a curve reduced to few points that include every spike, and the last value of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col

from storage.tables import LastMetric, Metric

BUCKETS = 500  # of one curve; each gives its lowest and its highest point
Point = tuple[int, float, float]  # step, value, time


def last_values(session: Session, run_id: int) -> Sequence[LastMetric]:
    """The last value of each metric of a run, by name."""
    query = select(LastMetric).where(col(LastMetric.run_id) == run_id).order_by(col(LastMetric.name))
    return session.scalars(query).all()


def names(session: Session, run_id: int) -> set[str]:
    """The names of a run's metrics."""
    return set(session.scalars(select(col(LastMetric.name)).where(col(LastMetric.run_id) == run_id)))


def curve(session: Session, run_id: int, name: str, first: int, last: int, buckets: int = BUCKETS) -> list[Point]:
    """One metric from step `first` to `last`: every point, or the lowest and the highest of each of `buckets` parts."""
    here: tuple[Any, ...] = (col(Metric.run_id) == run_id, col(Metric.name) == name)
    here = (*here, col(Metric.step).between(first, last))
    points = select(col(Metric.step), col(Metric.value), col(Metric.time)).where(*here)
    step = col(Metric.step)
    number, start, end = session.execute(select(func.count(), func.min(step), func.max(step)).where(*here)).one()
    if number <= 2 * buckets:
        return [tuple(row) for row in session.execute(points.order_by(col(Metric.step), col(Metric.seq)))]
    width = (end - start + buckets) // buckets
    found: set[Point] = set()
    for extreme in (func.min, func.max):  # SQLite gives the other columns of the row that holds it
        lowest = select(col(Metric.step), extreme(col(Metric.value)), col(Metric.time)).where(*here)
        found |= {tuple(row) for row in session.execute(lowest.group_by((step - start) // width))}
    found |= {tuple(row) for row in session.execute(points.where(step.in_((start, end))))}
    return sorted(found)


def in_sight(session: Session, run_id: int, name: str, first: int, last: int) -> list[Point]:
    """As `curve`, with the point before and the point after, so that a line goes on to the edges of what is shown."""
    points = select(col(Metric.step), col(Metric.value), col(Metric.time))
    points = points.where(col(Metric.run_id) == run_id, col(Metric.name) == name)
    step, seq = col(Metric.step), col(Metric.seq)
    before = session.execute(points.where(step < first).order_by(step.desc(), seq.desc()).limit(1))
    after = session.execute(points.where(step > last).order_by(step, seq).limit(1))
    shown = curve(session, run_id, name, first, last)
    return [*map(tuple, before), *shown, *map(tuple, after)]


def means(session: Session, run_id: int, name: str, parts: int) -> list[tuple[int, float]]:
    """One metric as the mean of each of `parts` equal parts of its steps, with the last step of each."""
    here = (col(Metric.run_id) == run_id, col(Metric.name) == name)
    step = col(Metric.step)
    start, end = session.execute(select(func.min(step), func.max(step)).where(*here)).one()
    if start is None:
        return []
    width = (end - start + parts) // parts
    query = select(func.max(step), func.avg(col(Metric.value))).where(*here)
    rows = session.execute(query.group_by((step - start) // width).order_by(func.max(step)))
    return [(int(step), float(mean)) for step, mean in rows]


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
