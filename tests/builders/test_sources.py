"""Tables that are several files, what `datasets` saves, and what others have put into such folders."""

from __future__ import annotations

import json

import datasets
import pyarrow
import pytest
from pyarrow import parquet
from small_tables import jsonl, read

from engine.builders import Funnel
from engine.builders.rows import LONGEST
from engine.builders.sources import TableParams, Tables, source_of, splits_of, tables_of
from engine.errors import UserError

datasets.disable_progress_bars()


def rows(n, first=0):
    return [{"input": f"in {each}", "output": f"out {each}"} for each in range(first, first + n)]


def made(place, **settings):
    return [(each.bug_id, each.prompt) for each in read("texts", place, **settings)[0]]


def test_the_shards_of_a_folder_are_one_table(tmp_path):
    jsonl(tmp_path / "b.jsonl", [*rows(1, 2), "broken\n"])
    jsonl(tmp_path / "a.jsonl", rows(2))
    (tmp_path / "notes.csv").write_text("x\n")
    found, funnel = read("texts", tmp_path)
    assert [each.bug_id for each in found] == ["a:1", "a:2", "b:1"]
    assert (funnel.source, funnel.lost, funnel.examples) == (4, {"not valid JSON": 1}, {"not valid JSON": "b, line 2"})
    jsonl(tmp_path / "c.jsonl", [{"input": "x"}])
    with pytest.raises(UserError, match=r"c\.jsonl has no column 'output'; its columns are: input"):
        read("texts", tmp_path)


def test_of_a_folder_with_splits_one_is_read(tmp_path):
    for name, each in {"data/train-00000-of-00001": rows(2), "data/validation-00000-of-00001": rows(1)}.items():
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(pyarrow.Table.from_pylist(each), path)
    assert splits_of(tmp_path) == ["train", "validation"]
    assert len(made(tmp_path)) == 2
    assert len(made(tmp_path, split="validation")) == 1
    assert len(made(tmp_path, split="")) == 3
    assert source_of(TableParams(name="x", file=str(tmp_path))).total() == 2
    with pytest.raises(UserError, match="has no split 'test'; its splits: train, validation") as error:
        made(tmp_path, split="test")
    assert error.value.field == "builder.split"


def test_a_folder_whose_names_only_begin_like_a_split_has_none(tmp_path):
    jsonl(tmp_path / "trains.jsonl", rows(1))
    jsonl(tmp_path / "latest.jsonl", rows(1))
    assert splits_of(tmp_path) == []
    assert len(made(tmp_path)) == 2


def test_what_datasets_saved_is_read_row_by_row(tmp_path):
    whole = datasets.Dataset.from_list(rows(7))
    whole.save_to_disk(tmp_path / "one", num_shards=2)
    assert [name for name, _ in made(tmp_path / "one")][::4] == ["data-00000-of-00002:1", "data-00001-of-00002:1"]
    datasets.DatasetDict(train=whole, test=whole.select([3])).save_to_disk(tmp_path / "two")
    assert len(made(tmp_path / "two")) == 7
    assert made(tmp_path / "two", split="test")[0][1] == "in 3"
    with pytest.raises(UserError, match="its splits: train, test"):
        made(tmp_path / "two", split="dev")


def test_a_filtered_dataset_is_saved_as_it_is_shown(tmp_path):
    datasets.Dataset.from_list(rows(5)).filter(lambda row: row["input"] == "in 3").save_to_disk(tmp_path / "kept")
    assert [prompt for _, prompt in made(tmp_path / "kept")] == ["in 3"]


@pytest.mark.parametrize(
    "listed",
    ["{", "[]", "{}", '{"_data_files": []}', '{"_data_files": [3]}', '{"_data_files": "abc"}',
     '{"_data_files": [{"filename": "../a.arrow"}]}', '{"_data_files": [{"filename": "/etc/passwd"}]}',
     '{"_data_files": [{"filename": ".."}]}', '{"_data_files": [{}]}', "[" * 100_000],
)  # fmt: skip
def test_a_folder_that_lists_something_else_is_refused(tmp_path, listed):
    (tmp_path / "state.json").write_text(listed)
    with pytest.raises(UserError, match="lists nothing that datasets has saved|which is no file or folder beside it"):
        read("texts", tmp_path)


def test_a_broken_arrow_file_is_one_sentence(tmp_path):
    datasets.Dataset.from_list(rows(50)).save_to_disk(tmp_path / "x")
    (path,) = (tmp_path / "x").glob("*.arrow")
    whole = path.read_bytes()
    for content in (b"", b"words" * 100, whole[: len(whole) // 2], whole[:100], whole[:200] + b"\xff" * 400):
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=r"arrow (is not a readable Arrow stream|is broken after row|has no column)"
        ):
            read("texts", tmp_path / "x")


def test_a_huge_row_is_counted_in_every_kind_of_file(tmp_path):
    long = [*rows(1), {"input": "x" * LONGEST, "output": "y"}, *rows(1, 1)]
    datasets.Dataset.from_list(long).save_to_disk(tmp_path / "saved")
    jsonl(tmp_path / "long.jsonl", long)
    for place in (tmp_path / "saved", tmp_path / "long.jsonl"):
        found, funnel = read("texts", place)
        assert (len(found), funnel.source, funnel.lost) == (2, 3, {"rows longer than 4 MiB": 1})


def test_cells_that_are_not_utf8_are_counted(tmp_path):
    text = pyarrow.array([b"in", b"\xff"], pyarrow.binary()).view(pyarrow.string())
    table = pyarrow.table({"input": text, "output": ["a", "b"]})
    with pyarrow.ipc.new_stream(tmp_path / "a.arrow", table.schema) as file:
        file.write_table(table)
    with pytest.raises(UserError, match="is broken after row 0: .*Invalid UTF8"):
        read("texts", tmp_path / "a.arrow")


def test_a_folder_without_tables_and_none_at_all_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"there is no \.jsonl, \.csv or \.parquet file in the folder"):
        tables_of(tmp_path, "train")
    with pytest.raises(UserError, match="no file is named"):
        source_of(TableParams(name="x"))
    with pytest.raises(UserError, match="a file is named too; leave one of the two empty"):
        source_of(TableParams(name="x", file=str(tmp_path), hub="a/b"))


def test_a_reader_that_stops_early_has_counted_what_it_read(tmp_path):
    paths = [jsonl(tmp_path / f"{name}.jsonl", rows(5)) for name in "ab"]
    funnel = Funnel()
    stream = Tables(paths).rows(["input"], funnel)
    assert [next(stream).id for _ in range(6)][-1] == "b:1"
    assert funnel.source == 6


def test_the_names_in_a_list_may_be_hostile(tmp_path):
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train\0", "x"]}))
    with pytest.raises(UserError, match="which is no file or folder beside it"):
        splits_of(tmp_path)
