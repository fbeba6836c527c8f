"""Preferences become pairs, or single answers, with exactly the tokens of the dataset."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.trainers.preference_rows import Pair, Single, lengths_of, read_pairs, singles, table_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import write_dataset, write_preferences


def test_prompt_and_answers_are_the_datasets_own_tokens(tmp_path):
    import pyarrow.parquet as pq

    folder = write_preferences(tmp_path / "set")
    pairs, left_out = read_pairs(folder / "train.parquet", 256, 8192)
    rows = pq.read_table(folder / "train.parquet").to_pylist()
    assert left_out == {}
    assert [pair.prompt_ids + pair.chosen_ids for pair in pairs] == [row["input_ids"] for row in rows]
    assert [len(pair.prompt_ids) for pair in pairs] == [row["n_prompt"] for row in rows]
    assert [pair.rejected_ids for pair in pairs] == [row["rejected_ids"] for row in rows]


def test_rows_that_are_too_long_are_left_out_and_counted(tmp_path):
    pairs, left_out = read_pairs(write_preferences(tmp_path / "set") / "train.parquet", 20, 8192)
    assert pairs
    assert all(pair.tokens <= 20 for pair in pairs)
    assert left_out == {"longer than the model's context": 24 - len(pairs)}


def test_samples_and_another_models_tokens_are_refused(tmp_path):
    with pytest.raises(UserError, match="no preferences"):
        read_pairs(write_dataset(tmp_path / "samples") / "train.parquet", 256, 8192)
    with pytest.raises(UserError, match="was built for another model"):
        read_pairs(write_preferences(tmp_path / "set") / "train.parquet", 256, 601)
    with pytest.raises(UserError, match="build it again"):
        read_pairs(tmp_path / "train.parquet", 256, 8192)


def test_of_each_pair_come_two_answers_and_one_that_is_in_several_comes_once():
    pairs = [Pair([1], [2], [3]), Pair([1], [2], [4]), Pair([5], [2], [3])]
    assert singles(pairs) == [
        Single([1], [2], True),
        Single([1], [3], False),
        Single([1], [4], False),
        Single([5], [2], True),
        Single([5], [3], False),
    ]


def test_mismatched_answers_are_those_of_the_row_before_in_the_same_batch():
    rows = [Single([n], [10 * n], bool(n % 2)) for n in range(1, 6)]
    table = table_of(rows, 2)
    assert table["KL_completion_ids"].to_pylist() == [[20], [10], [40], [30], [50]]
    assert table["label"].to_pylist() == [True, False, True, False, True]
    assert "KL_completion_ids" not in table_of(rows).schema.names


def test_a_pair_is_as_long_as_its_longer_text():
    assert lengths_of([Pair([1, 2], [3], [4, 5, 6])]).tolist() == [5]
