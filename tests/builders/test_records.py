"""Rows of any length: rows that are too long are counted and skipped, the others are read."""

from __future__ import annotations

import csv
import json
import os
import random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.builders import Funnel, rows
from engine.builders.records import Records, TooLong, lines_within
from engine.builders.rows import rows_of
from engine.errors import UserError

GOOD = [{"old": f"x = {n}", "new": f"x = {n + 1}"} for n in range(3)]


def read(path, monkeypatch, longest=200):
    monkeypatch.setattr(rows, "LONGEST", longest)
    funnel = Funnel()
    return [row.cells for row in rows_of(path, ["old", "new"], funnel)], funnel


def test_a_line_that_is_too_long_is_counted_with_its_number(tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    long = [json.dumps({"old": "x" * 1000, "new": ""}), '{"a": ' + "[" * 5000]
    path.write_text("\n".join([json.dumps(GOOD[0]), *long, *map(json.dumps, GOOD[1:])]))
    found, funnel = read(path, monkeypatch)
    assert found == GOOD
    assert (funnel.source, funnel.lost) == (5, {rows.TOO_LONG: 2})
    assert funnel.examples == {rows.TOO_LONG: "line 2"}


def test_a_file_of_one_endless_line_has_no_rows(tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"x" * 3_000_000)
    with pytest.raises(UserError, match="contains no line with a JSON object; line 1 is not one"):
        read(path, monkeypatch)


def test_lines_are_cut_at_the_very_byte(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"1234\n12345\n\n1234")
    assert list(lines_within(path, 5)) == [(1, b"1234\n"), (2, None), (3, b"\n"), (4, b"1234")]


@pytest.mark.parametrize(
    "long",
    [
        "x" * 1000 + ",y",
        '"' + "x\n" * 500 + '",y',
        '"' + "x""\n" * 500 + '","' + "y\n" * 500 + '"',
        '"a\n",' * 100 + "b",
        'a"b' * 400 + ",c",
    ],
    ids=["one line", "a cell of many lines", "escaped quotes", "many cells", "quotes inside a cell"],
)  # fmt: skip
def test_a_csv_record_that_is_too_long_is_passed_over_to_its_end(tmp_path, monkeypatch, long):
    path = tmp_path / "x.csv"
    path.write_text(f"old,new\nx = 0,x = 1\n{long}\nx = 1,x = 2\nx = 2,x = 3\n")
    found, funnel = read(path, monkeypatch)
    assert found == GOOD
    assert (funnel.source, funnel.lost) == (4, {rows.TOO_LONG: 1})
    assert funnel.examples == {rows.TOO_LONG: "line 3"}


def test_a_quote_that_is_never_closed_is_named_however_much_follows(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text('old,new\na,b\n"c,d\n' + "e,f\n" * 1000)
    with pytest.raises(UserError, match=r"line 3 of x\.csv is not CSV: a quote is opened and never closed"):
        read(path, monkeypatch)


def test_a_header_that_is_too_long_is_reported(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text("x," * 1000)
    with pytest.raises(UserError, match=r"the first line of x\.csv is longer than .*; it should name the columns"):
        read(path, monkeypatch)


def test_a_parquet_row_that_is_too_long_is_passed_over(tmp_path, monkeypatch):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    table = pyarrow.Table.from_pylist([GOOD[0], {"old": "x" * 1000, "new": "y"}, *GOOD[1:]])
    parquet.write_table(table, path)
    found, funnel = read(path, monkeypatch)
    assert found == GOOD
    assert (funnel.source, funnel.examples) == (4, {rows.TOO_LONG: "row 2"})


@settings(max_examples=400)
@given(text=st.text(alphabet='",\nxé', max_size=40), longest=st.integers(1, 12))
def test_skipping_ends_where_the_reader_would_end(tmp_path_factory, text, longest):
    path = tmp_path_factory.mktemp("records") / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    whole, _ = taken(path, 1000)
    if whole is None:
        return  # not CSV
    short, skipped = taken(path, longest)
    assert short is not None
    assert [record for record in whole if record[1] not in skipped] == short
    assert all(size > longest for _, start, size in whole if start in skipped)


def taken(path, longest):
    """([(cells, first line, bytes)], first lines of those passed over); None for what is not CSV."""
    found, skipped = [], []
    with patch("engine.builders.records._CHUNK", 3), Records(path, longest) as records:
        try:
            while True:
                start = records.begin()
                try:
                    cells = next(records.reader, None)
                except TooLong:
                    skipped.append(start)
                    records.skip()
                    continue
                if cells is None:
                    return found, skipped
                found.append((cells, start, records._size))
        except csv.Error:
            return None, skipped


def test_a_parquet_file_that_unpacks_to_far_more_is_not_read(tmp_path):
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"a": ["x", "x" * (80 << 20)]})
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(UserError, match="column 'a' unpacks to more than 200 times its size"):
        list(rows_of(tmp_path / "a.parquet", ["a"], Funnel()))


def test_a_parquet_file_that_becomes_shorter_while_it_is_read(tmp_path):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    table = pyarrow.table({"a": [random.Random(each).randbytes(500).hex() for each in range(20_000)]})
    parquet.write_table(table, path, row_group_size=5000)
    reading = rows_of(path, ["a"], Funnel())
    next(reading)
    os.truncate(path, 1000)  # one that was mapped would end this process
    with pytest.raises(UserError, match="a.parquet is broken after row"):
        list(reading)


def test_a_parquet_file_of_very_many_columns_is_not_opened(tmp_path, monkeypatch):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({f"c{number}": [1] for number in range(300)}), tmp_path / "a.parquet")
    monkeypatch.setattr(rows, "_MOST_PARTS", 200)
    with pytest.raises(UserError, match="a.parquet is not a readable Parquet file"):
        rows.columns_of(tmp_path / "a.parquet")
