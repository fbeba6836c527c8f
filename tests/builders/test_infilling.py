"""Bugs from holes: lines put together with and without line ends."""

from __future__ import annotations

from small_tables import jsonl, lost, read

from engine.domain import Span

ROW = {"prefix": "int f() {", "suffix": "  return s;\n}", "buggy_chunk": "  s = 1;", "fixed_chunk": "  s = 2;"}
BUGGY, FIXED = "int f() {\n  s = 1;\n  return s;\n}\n", "int f() {\n  s = 2;\n  return s;\n}\n"


def bug(tmp_path, row, **settings):
    ((made,), _) = read("infilling", jsonl(tmp_path / "a.jsonl", [row]), language="java", **settings)
    return made


def test_the_parts_are_lines_with_or_without_their_ends(tmp_path):
    made = bug(tmp_path, ROW)
    assert (made.buggy, made.fixed, made.span, made.is_function) == (BUGGY, FIXED, Span(2, 2), True)
    assert bug(tmp_path, {name: text + "\n" for name, text in ROW.items()}).buggy == BUGGY
    crlf = bug(tmp_path, {name: text.replace("\n", "\r\n") for name, text in ROW.items()})
    assert crlf.fixed == FIXED.replace("\n", "\r\n")


def test_a_part_may_have_no_lines(tmp_path):
    inserted = bug(tmp_path, {**ROW, "buggy_chunk": ""})
    assert (inserted.span, inserted.fixed_lines) == (Span(2, 1), "  s = 2;\n")
    assert bug(tmp_path, {**ROW, "fixed_chunk": ""}).fixed_lines == ""


def test_a_hole_may_be_within_a_line(tmp_path):
    row = {"prefix": "int f() { s = ", "suffix": "; }\n", "buggy_chunk": "1", "fixed_chunk": "2"}
    made = bug(tmp_path, {**row, "cwe": "CWE476_NULL", "id": "x"}, parts="characters", id="id")
    assert (made.id, made.buggy, made.fixed) == ("x", "int f() { s = 1; }\n", "int f() { s = 2; }\n")
    assert made.cwe == "CWE-476"


def test_what_is_no_bug_is_counted_with_its_reason(tmp_path):
    rows = [{"prefix": None}, {"fixed_chunk": 3}, {"suffix": ["x"]}, {"fixed_chunk": "  s = 1;"}]
    assert lost("infilling", tmp_path, *({**ROW, **row} for row in rows)) == [
        "empty", "a cell is not text", "a cell is not text", "buggy and fixed are the same",
    ]  # fmt: skip
