"""The curves of one training and of several, on one axis of optimizer steps."""

from __future__ import annotations

import json

import pytest

from studio import charts
from studio.curve_choices import CurveChoices
from studio.training_curves import CHARTS, METRICS, wanted

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


def test_a_smoothed_curve_stands_before_the_faint_one_and_evaluations_stay():
    run = {"loss": [(step, float(step % 2), 0.0) for step in range(1, 9)], "eval_loss": [(4, 1.0, 0.0)]}
    mean = {"": {"loss": [(step, 0.5, 0.0) for step in range(1, 9)]}}
    raw, smooth, evaluation = json.loads(LOSS.draw({"": run}, charts.ALL, mean))["data"]
    assert (raw["opacity"], raw["showlegend"], set(raw["y"])) == (0.35, False, {0.0, 1.0})
    assert (smooth["name"], set(smooth["y"])) == ("training", {0.5})
    assert evaluation["name"] == "evaluation"


def test_only_the_loss_has_a_log_scale():
    points = [(1, 0.5, 0.0), (2, 0.25, 0.0)]
    for chart in CHARTS:
        axis = json.loads(chart.draw({"": dict.fromkeys(METRICS, points)}, is_log=True))["layout"]["yaxis"]
        assert (axis.get("type") == "log") == (chart is LOSS)


def test_plausible_shares_have_an_axis_of_their_own_from_0_to_1_and_checkpoints_are_marked():
    points = [(10, 0.25, 0.0), (20, 0.5, 0.0)]
    run = {"loss": points, "plausible_at_1": points, "plausible_at_4": points, "checkpoint": [(20, 1.0, 0.0)]}
    figure = json.loads(LOSS.draw({"": run}))
    sides = {trace["name"]: trace.get("yaxis") for trace in figure["data"]}
    assert sides == {"training": None, "plausible@1": "y2", "plausible@4": "y2", "checkpoint": "y3"}
    assert (figure["layout"]["yaxis2"]["range"], figure["layout"]["yaxis2"]["side"]) == ([0, 1], "right")


def test_the_memory_of_each_card_is_drawn_where_it_was_sampled():
    points = [(1, float(1 << 30), 0.0)]
    machine = {"memory_bytes": points, "process_bytes": points, "machine_used_bytes": points, "eval_loss": points}
    cards = {f"gpu{card}_{what}_bytes": points for card in (0, 1) for what in ("process", "used")}

    def names(run):
        return [trace["name"] for trace in json.loads(MEMORY.draw({"": run}))["data"]]

    assert names({"memory_bytes": points}) == ["this run"]
    assert names(machine) == ["this run", "whole machine", "evaluation"]
    assert names(machine | cards) == [
        "this run, card 0", "all, card 0", "this run, card 1", "all, card 1", "evaluation",
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["process_bytes", "utilisation", "temperature", "power"])
def test_each_of_sixteen_cards_is_drawn(what):
    run = {f"gpu{card}_{what}": [(1, 50.0, 0.0)] for card in range(16)}
    chart = next(each for each in CHARTS if f"gpu15_{what}" in each.all_metrics)
    assert len([trace for trace in json.loads(chart.draw({"": run}))["data"] if trace["y"]]) == 16


def test_all_curves_together_have_so_many_parts_that_they_go_over_the_wire():
    few, parts = wanted([["loss", "eval_loss", "memory_bytes", "other"]])
    assert (few & {"loss", "memory_bytes", "other"}, parts) == ({"loss", "memory_bytes"}, 500)
    several, parts = wanted([METRICS] * 8)
    assert "token_accuracy" in several
    assert "reward_tests" not in several, "of several runs the first metric of a chart is drawn"
    assert parts == 30
    assert "memory_bytes" not in wanted([["memory_bytes", "process_bytes"]])[0]


def test_what_is_chosen_is_a_few_words_and_unknown_ones_change_nothing():
    assert str(CurveChoices()) == ""
    chosen = CurveChoices.read("log,time,medium")
    assert str(chosen) == "time,medium,log"
    assert str(chosen.with_word("steps").with_word("raw").with_word("<b>")) == "log"
    assert CurveChoices.read("x,y,z,log") == CurveChoices()
    view, sight, unit = CurveChoices.read("time").view("run 3", "run 3 minutes:1:2", 600.0)
    assert (view.sight, view.measure, sight.ends, unit) == ((1.0, 2.0), "minutes", (60.0, 120.0), 60.0)
    assert 'aria-pressed="true">Log' in chosen.html()
