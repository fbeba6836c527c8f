"""Curves: reduced ones include every spike, a smaller range shows more points, and the last value is stored."""

from __future__ import annotations

import random

import pytest

from storage import curves
from storage.database import Database
from storage.queries import LARGEST_ID
from storage.tables import Run

N = 20_000


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    database = Database(tmp_path_factory.mktemp("curves") / "studio.db")
    drawn = random.Random(0)
    with database.write() as session:
        session.add(Run(kind="train", name="x", state="running", created_at=0.0))
        session.flush()
        rows = [
            {"run_id": 1, "name": name, "step": step, "seq": step, "value": drawn.random(), "time": float(step)}
            for step in range(1, N + 1)
            for name in ("loss", "learning_rate")
        ]
        rows[2 * 7000]["value"], rows[2 * 12_345]["value"] = 99.0, -99.0
        curves.add(session, rows)
    return database


def drawn(database, first=0, last=N, buckets=curves.BUCKETS):
    with database.read() as session:
        return curves.curve(session, 1, "loss", first, last, buckets)


def test_the_ends_of_each_part_are_kept_and_so_is_every_spike(database):
    points = drawn(database)
    assert curves.BUCKETS < len(points) <= 2 * curves.BUCKETS + 2
    assert (7001, 99.0, 7001.0) in points
    assert (12_346, -99.0, 12_346.0) in points
    assert (points[0][0], points[-1][0]) == (1, N)
    assert points == sorted(points)


def test_the_averages_of_equal_parts_are_those_of_all_their_points(database):
    with database.read() as session:
        parts = curves.averages(session, 1, "loss", 0, N, 10)
        points = curves.curve(session, 1, "loss", 0, N, N)
        assert curves.averages(session, 1, "no such", 0, N, 10) == []
    assert sum(number for _, _, _, number in parts) == len(points)
    whole = sum(value for _, value, _ in points) / len(points)
    assert sum(mean * number for _, mean, _, number in parts) / len(points) == pytest.approx(whole)
    start = 0
    for step, mean, _, number in parts:
        here = points[start : start + number]
        assert step == pytest.approx(sum(each[0] for each in here) / number)
        assert mean == pytest.approx(sum(each[1] for each in here) / number)
        start += number
    assert len(parts) in (10, 11)


def test_each_part_of_the_range_has_its_own_points(database):
    steps = [step for step, _, _ in drawn(database, buckets=10)]
    assert all(any(start < step <= start + 2000 for step in steps) for start in range(0, N, 2000))


def test_a_smaller_range_shows_more(database):
    few = [point for point in drawn(database) if 5000 <= point[0] <= 5500]
    all_of_it = drawn(database, 5000, 5500)
    assert [step for step, _, _ in all_of_it] == list(range(5000, 5501))
    assert len(few) < 60
    assert drawn(database, N + 1, N + 9) == []


def test_the_points_next_to_a_range_come_along_where_there_are_any(database):
    def steps(first, last):
        with database.read() as session:
            return [step for step, _, _ in curves.in_sight(session, 1, "loss", first, last)]

    assert steps(5000, 5003) == [4999, 5000, 5001, 5002, 5003, 5004]
    assert steps(0, 2) == [1, 2, 3]
    assert steps(N - 1, LARGEST_ID) == [N - 2, N - 1, N]
    assert steps(N + 5, N + 9) == [N]
    assert 1000 < len(steps(2, N - 1)) <= 2 * curves.BUCKETS + 4


def test_the_last_value_of_each_metric_follows_what_is_added_and_taken_back(database):
    def last():
        with database.read() as session:
            return {row.name: (row.step, row.value) for row in curves.last_values(session, 2)}

    def add(step, **values):
        rows = [
            {"run_id": 2, "name": name, "step": step, "seq": step, "value": value, "time": 0.0}
            for name, value in values.items()
        ]
        with database.write() as session:
            curves.add(session, rows)

    with database.write() as session:
        session.add(Run(kind="train", name="y", state="running", created_at=0.0))
    add(1, loss=3.0, eval_loss=2.0)
    add(2, loss=1.0)
    assert last() == {"loss": (2, 1.0), "eval_loss": (1, 2.0)}
    with database.write() as session:
        curves.forget_after(session, 2, 1)
    assert last() == {"loss": (1, 3.0), "eval_loss": (1, 2.0)}
    add(2, loss=0.5)
    assert last()["loss"] == (2, 0.5)
    with database.write() as session:
        curves.forget_after(session, 2, -1)
    assert last() == {}
