"""Attempts on a page: the curve of bugs repaired by attempt, labels, and what the model was told before each."""

from __future__ import annotations

import json
from dataclasses import replace

from test_patch_html import PATCH

from engine.control.patches import Totals
from engine.control.reviews import ReviewTotals
from engine.scoring import Costs, Mean, Share
from studio.charts import plausible_by_rank
from studio.html import figures, patch, patch_table

SHARES = {k: Share(hits, 4) for k, hits in {1: 1, 2: 1, 3: 2}.items()}
TOTALS = Totals(
    bugs=4, scored=4, skipped={}, outcomes={"plausible": 2}, plausible_at={1: SHARES[1], 3: SHARES[3]},
    control_failures=0, pass_at={1: Mean(0.25, 0.1, 0.4, 4)}, known_fixes=0, exact_at={}, tree_at={}, orders={},
    costs=Costs(), costs_of_each=Costs(), reviewed={}, review_totals=ReviewTotals(0, 0, 0, 0), sandbox="",
)  # fmt: skip
TOLD = replace(TOTALS, pass_at={}, strategy="test_feedback", by_attempt=SHARES)
PROMPTS = {"first_prompt": "def f():\n    <hole>\n", "prompt": "def f():\n    # tried: <b>\n    <hole>\n"}


def test_the_curve_of_attempts_has_whole_numbers_and_one_color_a_run():
    shown = json.loads(plausible_by_rank({"test_feedback": SHARES}, [True]))
    (trace,) = shown["data"]
    assert (trace["x"], trace["y"], trace["line"]["shape"]) == ([1, 2, 3], [25.0, 25.0, 50.0], "hv")
    assert trace["customdata"][-1] == "2 of 4"
    assert shown["layout"]["title"]["text"] == "Bugs repaired by attempt"
    assert shown["layout"]["xaxis"]["dtick"] == 1


def test_candidates_and_attempts_in_one_chart_are_told_apart():
    once, told = json.loads(plausible_by_rank({"A": SHARES, "B": SHARES}, [False, True]))["data"]
    assert ("shape" in once["line"], "shape" in told["line"]) == (False, True)
    assert once["line"]["color"] != told["line"]["color"]
    titles = [
        json.loads(plausible_by_rank({"A": SHARES, "B": SHARES}, which))["layout"]["xaxis"]["title"]["text"]
        for which in ([False, True], [False, False], [True, True])
    ]
    assert len(set(titles)) == 3
    assert "attempts" not in titles[1]


def test_figures_of_attempts_are_called_so():
    told, drawn = patch_table.strip(TOLD), patch_table.strip(TOTALS)
    assert "repaired by attempt 3" in told
    assert "none follows a plausible one" in told
    assert "plausible@" not in told
    assert "plausible@3" in drawn
    assert "attempt" not in drawn
    menu = figures.figures_menu(TOLD)
    assert "Bugs by attempt" in menu
    assert "pass@k" not in menu
    assert "pass@k" in figures.figures_menu(TOTALS)


def test_an_attempt_shows_what_the_model_was_told_before_it():
    shown = patch.detail(replace(PATCH, rank=2, **PROMPTS))
    assert "<h3>attempt 2</h3>" in shown
    assert "What the model was told before" in shown
    assert "# tried: &lt;b&gt;" in shown
    assert "<b>\n" not in shown
    first = patch.detail(replace(PATCH, first_prompt=PROMPTS["first_prompt"], prompt=PROMPTS["first_prompt"]))
    assert "Nothing but the code." in first


def test_a_candidate_of_a_bugs_one_prompt_shows_no_prompt():
    shown = patch.detail(PATCH)
    assert "<h3>candidate 1</h3>" in shown
    assert "told before" not in shown
