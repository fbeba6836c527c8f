"""The curves of one training and of several, on one axis of optimizer steps."""

from __future__ import annotations

import json

import pytest

from studio import charts
from studio.training_curves import CHARTS, METRICS

LOSS, LEARNING_RATE, SPEED, MEMORY = CHARTS[:4]


def test_charts_contain_all_points_and_keep_their_zoom():
    curves = {"loss": [(1, 2.0, 0.0), (2, 1.5, 1.0)], "eval_loss": [(2, 1.6, 1.0)]}
    figure = json.loads(LOSS.draw({"": curves}))
    assert [trace["x"] for trace in figure["data"]] == [[1, 2], [2]]
    assert figure["layout"]["uirevision"] == "keep"
    assert all(json.loads(each.draw({"": {}}))["data"] == [] for each in CHARTS if not each.is_rare)


def test_the_step_axis_has_whole_steps_and_ends_at_the_last():
    one = json.loads(LOSS.draw({"": {"loss": [(1, 2.0, 0.0)]}}))["layout"]["xaxis"]
    assert one["dtick"] == 1
    assert one["autorangeoptions"] == {"minallowed": 0, "maxallowed": 1}
    many = json.loads(LOSS.draw({"": {"loss": [(step, 2.0, 0.0) for step in (1, 5, 97)]}}))["layout"]["xaxis"]
    assert many["autorangeoptions"]["maxallowed"] == 97
    assert "dtick" not in many


def test_what_is_in_sight_is_the_same_range_in_every_figure():
    view = charts.View.read("run 3", "run 3:2.5:7.25")
    assert view == charts.View("run 3", (2.5, 7.25))
    points = [(step, 1.0, 0.0) for step in range(1, 101)]
    metrics = dict.fromkeys(METRICS, points)
    for chart in CHARTS:
        whole, zoomed = (json.loads(chart.draw({"": metrics}, each))["layout"] for each in (charts.View("run 3"), view))
        assert whole["uirevision"] == zoomed["uirevision"] == "run 3"
        assert whole["xaxis"]["uirevision"] != zoomed["xaxis"]["uirevision"], "or plotly would keep its own range"
        assert "range" not in whole["xaxis"]
        assert zoomed["xaxis"]["range"] == [2.5, 7.25]
        assert ("dtick" in whole["xaxis"], zoomed["xaxis"]["dtick"]) == (False, 1)


@pytest.mark.parametrize("chart", [LEARNING_RATE, SPEED, MEMORY])
def test_what_has_a_zero_starts_there(chart):
    metrics = {name: [(1, 5.0, 0.0), (2, 6.0, 0.0)] for name in ("learning_rate", "tokens_per_s", "memory_bytes")}
    assert json.loads(chart.draw({"": metrics}))["layout"]["yaxis"]["rangemode"] == "tozero"


def test_several_runs_have_a_colour_each_and_their_evaluations_are_dashed():
    one = {"loss": [(1, 2.0, 0.0)], "eval_loss": [(1, 2.5, 0.0)]}
    figure = json.loads(LOSS.draw({"3 <b>": one, "4 other": {"loss": [(1, 1.0, 0.0)]}}))
    first, evaluation, other = figure["data"]
    assert first["line"]["color"] == evaluation["line"]["color"] == charts.SERIES[0]
    assert (evaluation["line"]["dash"], "dash" in first["line"]) == ("dash", False)
    assert other["line"]["color"] == charts.SERIES[1]
    assert first["name"] == "3 &lt;b&gt;", "plotly reads tags in names"
    assert figure["layout"]["title"]["text"] == "Loss (evaluation: dashed)"


def test_memory_is_in_one_unit_for_all_runs():
    runs = {"a": {"memory_bytes": [(1, float(8 << 30), 0.0)]}, "b": {"memory_bytes": [(1, float(1 << 30), 0.0)]}}
    figure = json.loads(MEMORY.draw(runs))
    assert [trace["y"] for trace in figure["data"]] == [[8.0], [1.0]]
    assert figure["layout"]["title"]["text"] == "Memory (GiB)"


def test_rewards_are_drawn_where_there_are_some():
    rewards = CHARTS[-1]
    assert rewards.draw({"": {"loss": [(1, 1.0, 0.0)]}}) == ""
    points = [(1, 0.5, 0.0)]
    one = json.loads(rewards.draw({"": {"reward": points, "reward_tests": points}}))
    assert [trace["name"] for trace in one["data"]] == ["all parts together", "tests"]
    several = json.loads(rewards.draw({"a": {"reward": points, "reward_tests": points}, "b": {"reward": points}}))
    assert [trace["name"] for trace in several["data"]] == ["a", "b"]
