"""Pairs of functions from files: which rows become bugs, and the message for the others."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest

from engine.builders import Funnel
from engine.builders.columns import Columns
from engine.builders.pairs import EMPTY, cleaned
from engine.builders.previews import preview
from engine.builders.rows import columns_of
from engine.domain import Span
from engine.errors import UserError

BUGGY, FIXED = "def f(a):\n    # add\n    return a - 1\n", "def f(a):\n    # add\n    return a + 1\n"


def jsonl(path, rows):
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs(*rows):
    return [{"buggy_function": buggy, "fixed_function": fixed} for buggy, fixed in rows]


def read(path, **settings):
    funnel = Funnel()
    builder = Columns(Columns.Params(file=str(path), **settings))
    return list(builder.stream(0, funnel)), funnel


def write(path, rows):
    """The same rows in the format the name asks for."""
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        jsonl(path, rows)
    return path


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet"])
def test_every_format_gives_the_same_bugs(tmp_path, ending):
    rows = [
        {"old": BUGGY, "new": FIXED, "name": "one", "repo": "r/é"},
        {"old": BUGGY, "new": "", "name": "two", "repo": "r"},
        {"old": BUGGY, "new": BUGGY, "name": "three", "repo": "r"},
    ]
    path = write(tmp_path / f"x.{ending}", rows)
    settings = {"buggy": "old", "fixed": "new", "id": "name", "project": "repo", "strip": True}
    bugs, funnel = read(path, **settings)
    assert [(bug.id, bug.project, bug.span) for bug in bugs] == [("one", "r/é", Span(2, 2))]
    assert bugs[0].buggy == "def f(a):\n    return a - 1\n"
    assert bugs[0].fixed_lines == "    return a + 1\n"
    assert funnel.source == 3
    assert funnel.lost == {"empty": 1, "buggy and fixed are the same": 1}
    assert columns_of(path) == ["old", "new", "name", "repo"]
    shown = preview(path, 1)
    assert shown.rows == [{"old": BUGGY, "new": FIXED, "name": "one", "repo": "r/é"}]
    assert (shown.columns, shown.funnel.source, shown.funnel.lost, shown.trouble) == (columns_of(path), 3, {}, "")
    assert Columns(Columns.Params(file=str(path))).total() == (3 if ending == "parquet" else None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", bytes(range(128))),
        ("x.csv", b"before,af\x07ter\n"),
        ("x.csv", b"x" * 1000 + b",after\n"),
        ("x.jsonl", b'{"a\\u0000": "x"}\n'),
        ("x.jsonl", b'{"\\ud800": "x"}\n'),
    ],
)
def test_a_file_that_is_no_table_of_text_is_refused_by_its_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{name} is not a table of text: '.* stands where a column is named; choose"):
        Columns(Columns.Params(file=str(path))).choices()


def test_a_preview_says_which_of_the_rows_cannot_be_read(tmp_path):
    cut_off = jsonl(tmp_path / "x.jsonl", [{"a": "1"}, '{"a": "x", \n', {"a": "2"}])
    found = preview(cut_off, 1)
    assert [row["a"] for row in found.rows] == ["1"]
    assert (found.funnel.source, found.funnel.lost) == (3, {"not valid JSON": 1})
    assert found.funnel.examples == {"not valid JSON": "line 2"}


@pytest.mark.parametrize(("text", "shown"), [('"def f(:\n', 0), ('x,y\n"unclosed\n', 1), ('x,y\n"a"b,c\n', 1)])
def test_a_preview_shows_the_rows_before_a_broken_one_and_says_what_is_wrong_there(tmp_path, text, shown):
    path = tmp_path / "x.csv"
    path.write_text(f"before,after\n{text}")
    found = preview(path)
    assert len(found.rows) == shown
    assert found.trouble.startswith(f"line {shown + 2} of x.csv is not CSV: ")
    assert "a quote in it is doubled" in found.trouble


def test_a_column_with_the_name_of_a_setting_is_proposed_for_it(tmp_path):
    rows = [{"before": BUGGY, "after": FIXED, "Project": "p", "ident": "1"}]
    offered = Columns(Columns.Params(file=str(jsonl(tmp_path / "x.jsonl", rows)))).choices()
    assert offered["project"] == ["Project", "", "before", "after", "ident"]
    assert offered["id"][0] == "", "a column with another name may hold anything"


def test_code_is_kept_whole_unless_asked(tmp_path):
    bugs, _ = read(jsonl(tmp_path / "x.jsonl", pairs((BUGGY, FIXED))))
    assert (bugs[0].buggy, bugs[0].fixed) == (BUGGY, FIXED)
    assert bugs[0].is_function
    assert bugs[0].id == "x:1"


def test_java_is_read_as_java(tmp_path):
    rows = pairs(("int f() { /* a */\n  return 1;\n}", "int f() { /* b */\n  return 2; // two\n}"))
    bugs, _ = read(jsonl(tmp_path / "x.jsonl", rows), language="java", strip=True)
    assert bugs[0].fixed == "int f() {\n  return 2;\n}\n"
    assert bugs[0].language == "java"
    assert bugs[0].path.endswith(".java")


def test_losses_are_counted_with_their_reason(tmp_path):
    rows = [
        *pairs(
            (BUGGY, FIXED), (BUGGY, BUGGY.replace("# add", "# plus")), ("# a\n", "# b\n"), (BUGGY, BUGGY.rstrip("\n"))
        ),
        {"buggy_function": 3, "fixed_function": "x"},
        {"buggy_function": "a\ud800", "fixed_function": "b"},
        {"buggy_function": "x"},
        "{broken\n",
        "[1]\n",
        "\n",
    ]
    bugs, funnel = read(jsonl(tmp_path / "x.jsonl", rows))
    assert len(bugs) == 1
    assert funnel.lost == {
        "only comments or blank lines differ": 2,
        "buggy and fixed are the same": 1,
        "a cell is not text": 1,
        "not valid Unicode": 1,
        "empty": 1,
        "not valid JSON": 1,
        "not a JSON object": 1,
    }
    assert funnel.examples["not valid JSON"] == "line 8"
    assert funnel.examples["empty"] == "row 7"
    assert funnel.source == 9


def test_ids_are_unique(tmp_path):
    rows = [{"i": name, **pairs((BUGGY, FIXED))[0]} for name in ("a", "b", "a", None)]
    bugs, funnel = read(jsonl(tmp_path / "x.jsonl", rows), id="i")
    assert [bug.id for bug in bugs] == ["a", "b"]
    assert funnel.lost == {"id seen before": 1, "empty id": 1}


def test_a_line_that_is_not_utf8_is_counted_in_jsonl(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(json.dumps(pairs((BUGGY, FIXED))[0]).encode() + b'\n{"buggy_function": "\xe9"}\n')
    bugs, funnel = read(path)
    assert len(bugs) == 1
    assert funnel.examples == {"not UTF-8": "line 2, byte 0xe9 at 21"}


def test_a_line_that_is_not_utf8_ends_a_csv(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"buggy_function,fixed_function\na,b\nc,\xe9\n")
    with pytest.raises(UserError, match=r"line 3 of x\.csv is not UTF-8 \(byte 0xe9 at 3\); save the file as UTF-8"):
        read(path)


def test_a_csv_with_long_and_broken_rows(tmp_path):
    path = tmp_path / "x.csv"
    long = "def f(a):\n" + "    a += 1\n" * 20_000 + "    return a\n"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerows([["buggy_function", "fixed_function"], [long, long + "    pass\n"], ["a"], ["a", "b", "c"]])
    bugs, funnel = read(path)
    assert len(bugs) == 1
    assert funnel.lost == {"with other than 2 cells": 2}
    assert funnel.examples == {"with other than 2 cells": "line 40008 with 1"}


def test_a_quote_that_never_ends_is_found(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('buggy_function,fixed_function\na,b\n"c,d\n')
    with pytest.raises(UserError, match=r"line 3 of x\.csv is not CSV: unexpected end of data"):
        read(path)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_missing_column_is_named_with_those_there_are(tmp_path, ending):
    path = write(tmp_path / f"x.{ending}", [{"old": "a", "new": "b"}])
    with pytest.raises(UserError, match=r"x\.\w+ has no column 'buggy_function'; its columns are: old, new") as error:
        read(path)
    assert error.value.field == "builder.file"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.jsonl", b"{broken\n{too\n", r"x\.jsonl contains no line with a JSON object; line 1 is not one"),
        ("x.json", b"[1, 2]", r"x\.json contains no element with a JSON object; element 1 is not one"),
        ("x.json", b"1\n", r"x\.json contains no line with a JSON object; line 1 is not one"),
        ("x.jsonl", b"", r"x\.jsonl contains no line with a JSON object"),
        ("x.csv", b"", r"x\.csv is empty; its first line should name the columns"),
        ("x.parquet", b"PAR1 no", r"x\.parquet is not a readable Parquet file"),
        (
            "x.txt",
            b"a",
            r"x\.txt is not a \.jsonl, \.json \(a list, named objects, or an object per line\), \.csv or \.parquet file",
        ),
    ],
)
def test_an_unusable_file_gives_one_sentence(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        read(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"the file '.*none\.csv' does not exist"):
        read(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"there is no .* file in the folder"):
        read(tmp_path)
    with pytest.raises(UserError, match="no file is named"):
        read("")


def test_deep_nesting_is_only_a_broken_line(tmp_path):
    bugs, funnel = read(jsonl(tmp_path / "x.jsonl", [*pairs((BUGGY, FIXED)), "[" * 100_000 + "\n"]))
    assert len(bugs) == 1
    assert funnel.lost == {"not valid JSON": 1}


def test_code_that_is_too_long_for_a_function_is_counted(tmp_path):
    long = "x = 1\n" * 50_000
    bugs, funnel = read(jsonl(tmp_path / "x.jsonl", pairs((BUGGY, FIXED), (long, long + "y\n"), (BUGGY, long))))
    assert len(bugs) == 1
    assert funnel.lost == {"code longer than 262,144 characters": 2}
    assert funnel.examples == {"code longer than 262,144 characters": "row 2"}


def test_a_pair_is_cleaned_as_that_of_any_other_builder(tmp_path):
    bad = [(BUGGY, fixed) for fixed in ("", " \n", "# so\n", BUGGY.rstrip(), BUGGY.replace("add", "sum"))]
    rows = pairs(*bad, (None, FIXED))
    _, funnel = read(jsonl(tmp_path / "x.jsonl", rows))
    reasons = [cleaned(buggy, fixed, "python", strip=False) for buggy, fixed in bad]
    assert funnel.lost == Counter([*reasons, EMPTY])
