"""Curves along steps, time and epochs; smoothed ones are means of their surroundings, and no spike is lost."""

from __future__ import annotations

import pytest

from engine.control.curves import RunCurves, Sight, moving_mean
from storage import curves
from storage.database import Database
from storage.tables import Run

N, BEGAN = 20_000, 1_800_000_000.0


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    database = Database(tmp_path_factory.mktemp("curves") / "studio.db")

    def rows(run, name, points):
        return [
            {"run_id": run, "name": name, "step": step, "seq": seq, "value": value, "time": BEGAN + at}
            for seq, (step, value, at) in enumerate(points, 1)
        ]

    with database.write() as session:
        for name in ("long", "short", "plain"):
            session.add(Run(kind="train", name=name, state="done", created_at=0.0))
        session.flush()
        points = [(step, 1.0, 2.0 * step) for step in range(1, N + 1)]
        points[7000] = (7001, 99.0, 14_002.0)
        curves.add(
            session, rows(1, "loss", points) + rows(1, "epoch", [(step, step / 5000, at) for step, _, at in points])
        )
        sampled = [(0, float(second), float(second)) for second in range(3000)]
        curves.add(session, rows(2, "memory_bytes", sampled) + rows(2, "loss", [(1, 2.0, 3000.0), (2, 1.0, 3100.0)]))
        curves.add(session, rows(3, "loss", [(1, 2.0, 0.0)]))
    return RunCurves(database).read


def test_steps_stay_whole_and_time_and_epochs_begin_at_the_first_point(read):
    def ends(axis):
        points = read(1, Sight(axis), only=["loss"]).points["loss"]
        assert 99.0 in [value for _, value, _ in points], axis
        assert len(points) <= 2 * curves.BUCKETS + 2
        assert [x for x, _, _ in points] == sorted(x for x, _, _ in points)
        return points[0][0], points[-1][0]

    assert ends("steps") == (1, N)
    assert ends("time") == (0.0, 2.0 * (N - 1))
    assert ends("epochs") == pytest.approx((1 / 5000, 4.0))


def test_samples_within_one_step_are_all_there_along_the_time(read):
    along_time = read(2, Sight("time"), only=["memory_bytes"]).points["memory_bytes"]
    assert len(along_time) > curves.BUCKETS
    assert (along_time[0][0], along_time[-1][0]) == (0.0, 2999.0)
    loss = read(2, Sight("time"), only=["loss"]).points["loss"]
    assert [x for x, _, _ in loss] == [3000.0, 3100.0], "one zero for all curves of a run"


def test_a_smaller_range_of_any_axis_shows_every_point_and_its_neighbours(read):
    points = read(1, Sight("time", (1000.0, 1100.0)), only=["loss"]).points["loss"]
    assert [x for x, _, _ in points] == [998.0 + 2 * place for place in range(53)]
    points = read(1, Sight("epochs", (1.0, 1.01)), only=["loss"]).points["loss"]
    assert len(points) == 53


def test_a_run_that_does_not_tell_its_epochs_has_no_curves_along_them(read):
    assert read(3, Sight("epochs"), only=["loss"]).points == {}
    assert read(3, Sight("time"), only=["loss"]).points["loss"] == [(0.0, 2.0, BEGAN)]


def test_only_what_is_asked_for_is_smoothed(read):
    found = read(1, only=["loss", "epoch"], smoothed=["loss"], smoothing=0.1)
    assert set(found.smooth) == {"loss"}
    values = [value for _, value, _ in found.smooth["loss"]]
    assert max(values) < 1.2, "a spike is a small part of the mean around it"
    assert max(values) > 1.01
    assert read(1, only=["loss"], smoothed=["loss"]).smooth == {}


def test_a_moving_mean_has_equal_weights_and_shorter_ends():
    points = [(x, float(x == 4), 0.0) for x in range(9)]
    assert [value for _, value, _ in moving_mean(points, 0.25)] == pytest.approx(
        [0, 0, 0, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0]
    )
    assert moving_mean([(3, 5.0, 0.0)] * 3, 0.5) == [(3, 5.0, 0.0)] * 3


def test_a_run_whose_clock_was_set_back_has_curves_along_the_time(tmp_path):
    database = Database(tmp_path / "studio.db")
    with database.write() as session:
        session.add(Run(kind="train", name="one", state="done", created_at=0.0))
        session.flush()
        times = [(1, BEGAN), (2, BEGAN - 3600)]
        rows = [
            {"run_id": 1, "name": "loss", "step": step, "seq": step, "value": 1.0, "time": at} for step, at in times
        ]
        curves.add(session, rows)
    made = RunCurves(database)
    assert made.seconds(1) == 0.0, "a unit for the axis is chosen by it"
    assert [x for x, _, _ in made.read(1, Sight("time"), only=["loss"]).points["loss"]] == [-3600.0, 0.0]
