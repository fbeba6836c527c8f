"""What the page of a run says of the workers that share it."""

from __future__ import annotations

from engine.shard_states import ShardState
from studio.html.run_facts import MOST_SHARDS, shards


def test_each_shard_has_a_row_with_its_state_and_its_place_and_no_markup_of_a_stranger():
    found = shards([ShardState(1, "running", 0.4, "<img src=x>", "", 3), ShardState(2, "queued", 0.0, "", "Resources")])
    assert "2 shards: 1 queued, 1 running" in found
    assert "40%" in found
    assert "&lt;img src=x&gt;; started 3 times" in found
    assert "Resources" in found
    assert "<img" not in found


def test_a_run_of_one_worker_has_none_and_of_a_thousand_those_at_work_have_rows():
    assert shards([]) == ""
    found = shards([ShardState(number, "running" if number > 500 else "queued", 0.0) for number in range(1, 1001)])
    assert found.count("<th scope=") == MOST_SHARDS
    assert found.count("<i class") - found.count("<i></i>") >= 1000 - MOST_SHARDS
    assert "shard 501<" in found
    assert "shard 500<" not in found
