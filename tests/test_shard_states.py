"""What is written of the shards of a run is read as it was written, and nothing else is."""

from __future__ import annotations

import os

import pytest

from engine import shard_states
from engine.shard_states import ShardState, in_sight, summary

TWO = [ShardState(1, "done", 1.0, "SLURM job 7 on n1", "", 1), ShardState(2, "queued", 0.25, "", "Resources", 2)]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "shards").mkdir()
    return tmp_path


def test_what_is_written_is_read(run):
    shard_states.write(run, TWO)
    assert shard_states.read(str(run)) == TWO
    assert summary(TWO) == "2 shards: 1 done, 1 queued"


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"shards": 1}', '{"shards": [{"number": 1, "state": "<b>", "share": 0}]}',
     '{"shards": [{"number": 1, "state": "done", "share": NaN}]}',
     '{"shards": [{"number": 1, "state": "done", "share": 7}]}', "[" * 100_000],
)  # fmt: skip
def test_a_file_of_another_hand_is_no_shards(run, text):
    (run / "shards" / "states.json").write_text(text)
    assert shard_states.read(str(run)) == []


def test_neither_a_run_without_a_folder_nor_a_pipe_nor_a_link_is_read(run, tmp_path, monkeypatch):
    monkeypatch.chdir(run)
    shard_states.write(run, TWO)
    assert shard_states.read("") == []
    (run / "shards" / "states.json").rename(run / "mine.json")
    (run / "shards" / "states.json").symlink_to(run / "mine.json")
    assert shard_states.read(str(run)) == []
    (run / "shards" / "states.json").unlink()
    os.mkfifo(run / "shards" / "states.json")
    assert shard_states.read(str(run)) == []


def test_nothing_fails_where_it_cannot_be_written(tmp_path):
    shard_states.write(tmp_path / "nowhere", TWO)
    assert shard_states.read(str(tmp_path / "nowhere")) == []


def test_of_many_those_are_in_sight_that_failed_work_or_wait_for_a_reason():
    done = [ShardState(n, "done", 1.0) for n in range(1, 50)]
    others = [
        ShardState(50, "queued", 0.5, "", "Resources"),
        ShardState(51, "queued", 0.0),
        ShardState(52, "failed", 0.1),
    ]
    assert [each.number for each in in_sight([*done, *others], 3)] == [50, 52]
    assert [each.number for each in in_sight([*done, *others], 1)] == [52]
    assert summary([]) == ""
