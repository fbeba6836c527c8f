"""Samples from conversations: which turns are learned."""

from __future__ import annotations

import csv
import json

import pytest
from small_tables import jsonl, lost, read

TWO = [{"human": "a", "assistant": "b"}, {"human": "c", "assistant": "d"}]


def learned(sample):
    return [(each.role, each.text, each.is_learned) for each in sample.segments]


def test_all_answers_are_learned_or_the_last_one(tmp_path):
    rows = [{"conversation": TWO, "category": "repair", "system": "s"}]
    file = jsonl(tmp_path / "firefly.jsonl", rows)
    ((sample,), _), ((last,), _) = read("conversations", file, language="c"), read("conversations", file, learn="last")
    whole = [("system", "s", False), ("user", "a", False), ("assistant", "b", True), ("user", "c", False)]
    assert learned(sample) == [*whole, ("assistant", "d", True)]
    assert (sample.bug_id, sample.kind, sample.language) == ("firefly:1", "repair", "c")
    assert [text for _, text, is_learned in learned(last) if is_learned] == ["d"]
    assert learned(read("conversations", file, system="")[0][0])[0] == ("user", "a", False)


def test_losses_are_counted_and_the_others_are_read(tmp_path):
    rows = [{"id": "x", "messages": TWO}, {"id": "y", "messages": None}, {"id": "z", "messages": TWO}, {"id": "x"}]
    made, funnel = read("conversations", jsonl(tmp_path / "a.jsonl", rows), id="id")
    assert [each.bug_id for each in made] == ["x", "z"]
    assert funnel.examples == {"is no conversation": "row 2 (y)"}
    assert lost("conversations", tmp_path, {"messages": [{"human": "a\ud800", "assistant": "b"}]}) == [
        "not valid Unicode"
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_conversations_are_read_from_other_tables_too(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["conversations"], [json.dumps(TWO)]])
    else:
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"conversations": [TWO]}), path)
    ((sample,), _) = read("conversations", path)
    assert sample.target == "bd"
