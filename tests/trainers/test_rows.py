from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import UserError
from engine.trainers.rows import IGNORED, check_same_tokenizer, order, read_rows


def test_only_target_tokens_are_in_the_loss(dataset):
    rows = read_rows(dataset / "train.parquet", 256, 8192)
    written = pq.read_table(dataset / "train.parquet").to_pylist()
    for row, source in zip(rows.table.to_pylist(), written, strict=True):
        assert row["input_ids"] == source["input_ids"]
        assert row["labels"][: source["n_prompt"]] == [IGNORED] * source["n_prompt"]
        assert row["labels"][source["n_prompt"] :] == source["input_ids"][source["n_prompt"] :]


def test_only_learned_segments_are_in_the_loss(dataset):
    path = dataset / "train.parquet"
    table = pq.read_table(path)
    lengths = table["n_tokens"].to_pylist()
    learned = [[2, 4, length - 1, length] for length in lengths]
    table = table.append_column("learned", pa.array(learned, pa.list_(pa.int32())))
    table = table.set_column(table.schema.get_field_index("n_prompt"), "n_prompt", pa.array([2] * len(table)))
    pq.write_table(table, path)
    for row, length in zip(read_rows(path, 256, 8192).table.to_pylist(), lengths, strict=True):
        assert [at for at, label in enumerate(row["labels"]) if label != IGNORED] == [2, 3, length - 1]
        assert [row["labels"][at] for at in (2, 3)] == row["input_ids"][2:4]


def test_a_set_with_more_tokens_than_one_array_of_lists_holds_is_read_in_pieces(dataset, monkeypatch):
    path = dataset / "train.parquet"
    whole = read_rows(path, 60, 8192)
    monkeypatch.setattr("engine.trainers.rows.ROWS_AT_ONCE", 7)
    pieces = read_rows(path, 60, 8192)
    assert whole.table["labels"].num_chunks == 1 < pieces.table["labels"].num_chunks
    assert pieces.table.to_pylist() == whole.table.to_pylist()
    assert (pieces.lengths.tolist(), pieces.left_out) == (whole.lengths.tolist(), whole.left_out)


def test_rows_that_cannot_be_trained_on_are_counted(dataset):
    path = dataset / "train.parquet"
    table = pq.read_table(path)
    blank = table.slice(0, 1).set_column(2, "n_prompt", pa.array([table["n_tokens"][0].as_py()]))
    pq.write_table(pa.concat_tables([table, blank]), path)
    rows = read_rows(path, 30, 8192)
    longer = sum(length > 30 for length in table["n_tokens"].to_pylist())
    assert rows.left_out == {"longer than the model's context": longer, "no target": 1}
    assert len(rows) == len(table) - longer
    assert [len(ids) for ids in rows.table["input_ids"].to_pylist()] == rows.lengths.tolist()


def test_tokens_that_the_model_does_not_have_are_refused(dataset):
    with pytest.raises(UserError, match="the model has 200 tokens"):
        read_rows(dataset / "train.parquet", 256, 200)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "train.parquet").write_text("not parquet")
    with pytest.raises(UserError, match="not a training set"):
        read_rows(tmp_path / "train.parquet", 256, 8192)
    with pytest.raises(UserError, match="has no valid.parquet"):
        read_rows(tmp_path / "valid.parquet", 256, 8192)


def test_an_empty_file_has_no_rows(dataset):
    path = dataset / "valid.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert len(read_rows(path, 256, 8192)) == 0


def test_a_set_of_another_tokenizer_is_refused(dataset):
    vocabulary = json.loads((dataset / "tokenizer" / "tokenizer.json").read_text())
    known = {**vocabulary["model"]["vocab"], **{a["content"]: a["id"] for a in vocabulary["added_tokens"]}}
    check_same_tokenizer(dataset, SimpleNamespace(get_vocab=lambda: known))
    other = {**known, "def": 1}
    with pytest.raises(UserError, match="another tokenizer.*build it again"):
        check_same_tokenizer(dataset, SimpleNamespace(get_vocab=lambda: other))


LENGTHS = np.random.default_rng(3).integers(8, 400, 1000)


@pytest.mark.parametrize("by_length", [False, True])
def test_every_epoch_has_every_row_once(by_length):
    places = order(LENGTHS, 2000, 0, 10, by_length)
    if not by_length:
        assert sorted(places[:1000]) == list(range(1000))
    assert sorted(places) == sorted([*range(1000), *range(1000)])


@pytest.mark.parametrize("by_length", [False, True])
def test_the_order_is_a_function_of_the_seed(by_length):
    assert order(LENGTHS, 1600, 7, 16, by_length) == order(LENGTHS, 1600, 7, 16, by_length)
    assert order(LENGTHS, 1600, 7, 16, by_length) != order(LENGTHS, 1600, 8, 16, by_length)


def test_grouping_by_length_leaves_little_padding():
    def computed(by_length):
        batches = LENGTHS[order(LENGTHS, 4000, 0, 16, by_length)].reshape(-1, 16)
        return batches.max(axis=1).sum() * 16 / batches.sum()

    assert computed(True) < 1.06 < 1.6 < computed(False)
