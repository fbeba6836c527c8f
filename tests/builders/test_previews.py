"""Cells as text for people, whatever is in them."""

from __future__ import annotations

import json

from small_tables import jsonl

from engine.builders.previews import preview, text_of


def test_lists_and_objects_are_shown_as_json(tmp_path):
    (row,) = preview(jsonl(tmp_path / "a.jsonl", [{"a": [{"b": "é"}, None], "c": None, "d": True}])).rows
    assert row == {"a": '[{"b": "é"}, null]', "c": "", "d": "True"}


def test_a_cell_of_any_depth_or_size_is_shown_somehow():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert text_of(deep) == ""
    assert text_of(10**5000) == ""
    assert text_of("a\ud800") == "a?"


def test_a_preview_of_a_deep_row_does_not_end_in_an_error(tmp_path):
    for depth in (100, 500, 900, 990, 5000):
        row = f'{{"a": {"[" * depth}{"]" * depth}}}\n'
        found = preview(jsonl(tmp_path / "a.jsonl", [json.dumps({"a": 1}) + "\n", row]))
        assert found.funnel.source == 2
