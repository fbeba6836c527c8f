"""The curves of a training along its steps, its time or its epochs, as they are and smoothed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from storage import curves
from storage.curves import BUCKETS, Along, Point
from storage.database import Database

Axis = Literal["steps", "time", "epochs"]
Placed = tuple[float, float, float]  # place on the axis, value, seconds since the epoch
EPOCH = "epoch"  # the metric that tells how many epochs the steps so far are
FAR = float(1 << 62)  # beyond every step and time, and exact in SQLite


@dataclass(frozen=True)
class Sight:
    """The part of an axis that is shown: optimizer steps, seconds since the first point of a run, or epochs."""

    axis: Axis = "steps"
    ends: tuple[float, float] | None = None  # None: all of it


@dataclass(frozen=True)
class Curves:
    """Metric name -> its points; in `smooth` those that were asked for."""

    points: Mapping[str, Sequence[Placed]]
    smooth: Mapping[str, Sequence[Placed]]


@dataclass(frozen=True)
class _Scale:
    """A stored step or time `x` is at (x - zero) / unit on the axis."""

    along: Along
    zero: float = 0.0
    unit: float = 1.0

    def place(self, point: Sequence[float]) -> Placed:
        x = point[2] if self.along == "time" else point[0]
        return ((x - self.zero) / self.unit if (self.zero, self.unit) != (0.0, 1.0) else x, point[1], point[2])

    def stored(self, place: float) -> float:
        return min(max(0.0, place * self.unit + self.zero), FAR)


class RunCurves:
    """Reads the curves of runs; long ones are reduced so that no spike is lost (`storage.curves`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self,
        run_id: int,
        sight: Sight = Sight(),
        *,
        only: Collection[str],
        smoothed: Collection[str] = (),
        smoothing: float = 0.0,
        buckets: int = BUCKETS,
    ) -> Curves:
        """The curves in `only`; a smaller range shows more, and the points next to it come along.

        `smoothing`: the share of the range of which each point of the curves in `smoothed` is the mean; 0: none.
        A run that does not tell its epochs has no curves along them.
        """
        with self._database.read() as session:
            known = curves.names(session, run_id)
            scale = _scale(session, run_id, sight.axis, known)
            if scale is None:
                return Curves({}, {})
            names, along = sorted(known & set(only)), scale.along
            low, high = map(scale.stored, sight.ends or (-math.inf, math.inf))
            read = curves.in_sight if sight.ends else curves.curve
            points = {name: read(session, run_id, name, low, high, buckets, along) for name in names}
            means = {
                name: curves.averages(session, run_id, name, low, high, buckets, along)
                for name in (smoothed if smoothing else ())
                if name in names
            }
        return Curves(
            {name: [*map(scale.place, each)] for name, each in points.items() if each},
            {name: moving_mean([*map(scale.place, each)], smoothing) for name, each in means.items() if len(each) > 2},
        )

    def seconds(self, run_id: int) -> float:
        """From the first to the last point of a run's curves; 0 without any, or where a clock was set back."""
        with self._database.read() as session:
            last = {each.name: each.time for each in curves.last_values(session, run_id)}
            return max(0.0, max(last.values()) - (curves.began(session, run_id, last) or 0.0)) if last else 0.0


def _scale(session: Session, run_id: int, axis: Axis, names: Collection[str]) -> _Scale | None:
    """How a run's points are put on this axis; None if that is not known."""
    if axis == "steps":
        return _Scale("step")
    if axis == "time":
        zero = curves.began(session, run_id, names)
        return None if zero is None else _Scale("time", zero)
    told = next((each for each in curves.last_values(session, run_id) if each.name == EPOCH), None)
    return _Scale("step", 0.0, told.step / told.value) if told and told.step and told.value > 0 else None


def moving_mean(points: Sequence[Point] | Sequence[Placed], share: float) -> list[Placed]:
    """At each point the mean of those not further away than half of `share` of the range, with equal weights."""
    half = share * (points[-1][0] - points[0][0]) / 2
    found: list[Placed] = []
    total, first, end = 0.0, 0, 0
    for x, _, time in points:
        while end < len(points) and points[end][0] <= x + half:
            total += points[end][1]
            end += 1
        while points[first][0] < x - half:
            total -= points[first][1]
            first += 1
        found.append((x, total / (end - first), time))
    return found
