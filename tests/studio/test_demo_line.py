"""The guide's line compares models on all bugs or not at all, and says what it counts."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.control.demo import Row
from engine.machine import Machine
from studio.html import guide


def row(model, state, scored, plausible=0):
    return Row(model, 7, state, 46, scored, 0, plausible, 0, None)


def line(*table):
    text = guide.about(["a stage"], table, Machine, under_way=False)
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text))


def test_a_model_that_has_not_tested_all_bugs_has_no_figure():
    said = line(row("starter", "done", 46, 2), row("mine", "running", 4), row("starter-adapter", "queued", 0))
    assert "2 base model of 46 bugs with a patch that passes all tests, best of 10" in said
    assert "your adapter: testing 4 of 46" in said
    assert "shipped adapter" not in said
    assert "your adapter: stopped at 4 of 46" in line(row("starter", "done", 46, 2), row("mine", "stopped", 4))


def test_models_that_have_tested_all_bugs_are_compared():
    said = line(row("starter", "done", 46, 2), row("mine", "done", 46, 9))
    assert "2 base model → 9 your adapter of 46 bugs with a patch that passes all tests, best of 10" in said
    assert "repaired" not in said


def test_before_the_first_is_done_the_line_says_how_far_it_is():
    said = line(row("starter", "running", 4, 1), row("mine", "queued", 0))
    assert "base model: testing 4 of 46" in said
    assert "passes all tests" not in said


def test_a_repair_is_tried_with_the_best_model_on_a_bug_that_it_has_repaired():
    rows = [replace(row(model, "done", 46, hits), example=f"pocket/{model}") for model, hits in (("a", 2), ("b", 9))]
    text = guide.about(["a stage"], rows, Machine, under_way=False)
    assert 'href="?tab=chat&amp;bug=pocket/b&amp;use=model:b"' in text
