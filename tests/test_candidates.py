"""Rows of patches: each way of giving one makes the file that is meant, and a row that makes no sense is named."""

from __future__ import annotations

import json

import pytest

from engine.candidates import by_bug, patch_of, read_candidates
from engine.domain import Bug, Span, span_of_change
from engine.errors import UserError

BUGGY = '''import math


class Circle:
    @staticmethod
    def area(r):
        """Of a circle."""
        return math.pi * r


def other():
    return 1
'''
FIXED = BUGGY.replace("* r\n", "* r * r\n")
BUG = Bug("b/circle", "python", "src/circle.py", BUGGY, FIXED, span_of_change(BUGGY, FIXED))
JAVA = "class A {\n    int half(int n) {\n        return n;\n    }\n    int x;\n}\n"
DIFF = "--- a/src/circle.py\n+++ b/src/circle.py\n@@ -8 +8 @@\n-        return math.pi * r\n+        return math.pi * r * r\n"
FUNCTION = '    @staticmethod\n    def area(r):\n        """Of a circle."""\n        return math.pi * r * r\n'


@pytest.fixture
def read(tmp_path):
    def rows(*rows):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path = tmp_path / "patches.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_candidates(path)

    return rows


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("file", FIXED),
        ("lines", "        return math.pi * r * r\n"),
        ("lines", "        return math.pi * r * r"),
        ("patch", DIFF),
        ("function", FUNCTION),
        ("function", FUNCTION.removeprefix("    @staticmethod\n")),
        ("function", FUNCTION.replace("    @", "@").replace("    def", "def").replace("        ", "    ")),
        ("function", 'def area(r):\n    """Of a circle."""\n    return math.pi * r * r'),
    ],
)
def test_every_way_of_giving_the_fix_gives_the_fixed_file(read, way, text):
    (candidate,) = read({"bug_id": "b/circle", way: text})
    assert patch_of(candidate, BUG).text == FIXED


def test_a_java_method_and_the_line_ends_of_its_file(read):
    bug = Bug("b/a", "java", "A.java", JAVA.replace("\n", "\r\n"), "", Span(3, 3))
    (candidate,) = read({"bug_id": "b/a", "function": "    int half(int n) {\n        return n / 2;\n    }"})
    assert patch_of(candidate, bug).text == JAVA.replace("return n", "return n / 2").replace("\n", "\r\n")
    field = Bug("b/a", "java", "A.java", JAVA, "", Span(5, 5))
    said = patch_of(candidate, field)
    assert (said.text, said.reason) == (None, "no function holds the faulty lines (5 to 5); give lines, file or patch")


def test_no_patch_and_a_diff_that_does_not_fit_say_why(read):
    none, wrong = read({"bug_id": "b/circle", "function": None}, {"bug_id": "b/circle", "patch": "nonsense"})
    assert patch_of(none, BUG) == patch_of(none, BUG).__class__("b/circle", None, "the row holds no patch")
    assert "no hunk" in patch_of(wrong, BUG).reason


def test_text_inside_a_string_is_not_moved(read):
    text = 'def area(r):\n    return """\nx\n"""\n'
    (candidate,) = read({"bug_id": "b/circle", "function": text})
    assert '        return """\nx\n"""\n' in patch_of(candidate, BUG).text


def test_rows_are_ranked_within_their_bug_and_keep_their_fields(read):
    rows = [{"bug_id": bug, "lines": "", **more} for bug, more in (("b", {}), ("a", {"rank": 2, "who": 1}), ("a", {"rank": 0}))]  # fmt: skip
    found = by_bug(read(*rows, ""))
    assert {bug: [each.line for each in of_bug] for bug, of_bug in found.items()} == {"b": [1], "a": [3, 2]}
    assert found["a"][1].row["who"] == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: expected an object with bug_id and a patch, got .1."),
        ({"lines": ""}, "line 2: bug_id should name a bug, got None"),
        ({"bug_id": 3, "lines": ""}, "bug_id should name a bug, got 3"),
        ({"bug_id": "a"}, "line 2: one of function, lines, file, patch, got none of them"),
        ({"bug_id": "a", "lines": "", "file": ""}, "one of .*, got lines, file"),
        ({"bug_id": "a", "lines": ["x"]}, "lines should be a text or null, got"),
        ({"bug_id": "a", "lines": "", "rank": "x"}, "rank should be a number, got 'x'"),
        ('{"bug_id": "a", "lines": "\\ud800"}', "line 2: not JSON"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(read, row, said):
    with pytest.raises(UserError, match=f"patches.jsonl, line 2: .*{said.removeprefix('line 2: ')}"):
        read({"bug_id": "a", "lines": ""}, row)


def test_an_empty_file_and_none_are_the_users_to_mend(read, tmp_path):
    with pytest.raises(UserError, match="holds no rows"):
        read("")
    with pytest.raises(UserError, match="cannot be read"):
        read_candidates(tmp_path)
