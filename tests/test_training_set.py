"""Datasets are read a group of rows at a time: any row by its number, and all rows that contain a text."""

from __future__ import annotations

from dataclasses import replace

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from engine.stored import Stored
from engine.training_set import ROWS_A_GROUP, Row, Shard

N = 2 * ROWS_A_GROUP + 500


def row(number):
    code = f"def f{number}(): return {'ÄÖ' if number == 2100 else number}\n"
    return Row(
        f"f.py:{number}", "Off_By_One" if number % 700 == 0 else "", "p", "python", code, "t\n", [1, 2], 1, 2, "b", "f"
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "train.parquet"
    shard = Shard(path)
    for number in range(N):
        shard.add(row(number))
    shard.close()
    return Stored(path)


@pytest.mark.parametrize("index", [0, ROWS_A_GROUP - 1, ROWS_A_GROUP, N - 1])
def test_any_row_is_found_by_its_number(stored, index):
    assert len(stored) == N
    assert stored.row(index, ("bug_id", "input_ids")) == {"bug_id": f"f.py:{index}", "input_ids": [1, 2]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("off_by", list(range(0, N, 700))),
        ("DEF F1999(", [1999]),
        ("ÄÖ", [2100]),
        ("nowhere", []),
        ("\ndef", []),  # from the end of one row into the next
        ("f.py:17", [17, *range(170, 180), *range(1700, 1800)]),
    ],
)
def test_a_search_finds_rows_whatever_the_case(stored, text, found):
    groups = range(len(stored.starts) - 1)
    assert [each for group in groups for each in stored.matches(group, text, ("bug_id", "kind", "prompt"))] == found


def test_one_group_is_read_for_one_row(stored, monkeypatch):
    read = []
    file = stored._file
    monkeypatch.setattr(
        stored,
        "_file",
        type(
            "Counting",
            (),
            {"read_row_group": lambda self, group, **more: read.append(group) or file.read_row_group(group, **more)},
        )(),
    )
    stored.row(ROWS_A_GROUP + 3, ("bug_id",))
    assert read == [1]


def test_rows_are_read_back_a_group_at_a_time_and_only_the_columns_that_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.training_set.BYTES_A_GROUP", 2 << 20)
    shard = Shard(tmp_path / "long.parquet")
    rows = [replace(row(number), buggy=f"{number % 10}" * (1 << 20)) for number in range(40)]
    for each in rows:
        shard.add(each)
    shard.close()
    before, most = pyarrow.total_allocated_bytes(), 0
    for number, each in enumerate(shard.rows()):
        assert each == rows[number]
        most = max(most, pyarrow.total_allocated_bytes() - before)
    assert 0 < most < 16 << 20
    assert list(shard.values(("project", "bug_id")))[7] == {"project": "p", "bug_id": "f.py:7"}


@given(st.lists(st.text("abAB", max_size=5), max_size=12), st.text("abAB", min_size=1, max_size=3))
def test_it_is_the_search_that_python_has(tmp_path_factory, texts, wanted):
    path = tmp_path_factory.mktemp("random") / "x.parquet"
    parquet.write_table(pyarrow.table({"prompt": pyarrow.array(texts, pyarrow.string())}), path, row_group_size=5)
    stored = Stored(path)
    found = [row for group in range(len(stored.starts) - 1) for row in stored.matches(group, wanted, ("prompt",))]
    assert found == [number for number, text in enumerate(texts) if wanted.lower() in text.lower()]
