"""A diff does to a file what diff and patch say of it, finds lines that moved, and changes no other file."""

from __future__ import annotations

import difflib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.unified import DoesNotFit, applied

OLD = "a\nb\nc\nd\ne\nf\ng\n"
LINES = st.lists(st.sampled_from(["a", "b", "", "-- x", "++ y", " z"]), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


def diff(old, new, path="x.py", context=3):
    made = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}", n=context)
    return "".join(made)


@given(LINES, LINES, st.integers(0, 3))
def test_what_difflib_says_of_two_texts_makes_one_into_the_other(old, new, context):
    if old != new:
        assert applied(old, diff(old, new, context=context), "x.py") == new


@pytest.mark.parametrize("new", ["b\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\nd\ne\nf\ng\nY\n", "", "a\nb\nc\nd\ne\nf\nG"])
def test_git_and_we_agree(tmp_path, new):
    for name, text in (("old", OLD), ("new", new)):
        (tmp_path / name).write_text(text)
    made = subprocess.run(["git", "diff", "--no-index", "old", "new"], cwd=tmp_path, capture_output=True, text=True)
    text = made.stdout.replace("b/new", "b/old")
    assert applied(OLD, text, "old") == (new if new.endswith("\n") or not new else new + "\n")


def test_lines_that_moved_are_found_and_the_nearest_are_taken():
    change = "@@ -2,2 +2,2 @@\n b\n-c\n+C\n"
    assert applied("new\nnew\n" + OLD, change, "x.py") == "new\nnew\na\nb\nC\nd\ne\nf\ng\n"
    assert applied("b\nc\n" * 3, "@@ -5,2 +5,2 @@\n b\n-c\n+C\n", "x.py") == "b\nc\nb\nc\nb\nC\n"


def test_wrong_numbers_blank_context_and_a_mails_signature_do_no_harm():
    said = "Here it is:\n\ndiff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,{0} +1,{0} @@\n a\n\n-b\n+B\n"
    assert applied("a\n\nb\n", said.format(9), "x.py") == "a\n\nB\n"
    assert applied("a\n\nb\n", said.format(3) + "-- \n2.39\n\n", "x.py") == "a\n\nB\n"
    assert applied("a\n\nb\n", said.format(2) + "\n\n", "x.py") == "a\n\nB\n"


def test_line_ends_stay_as_the_file_has_them():
    assert applied("a\r\nb\r\n", "@@ -1,2 +1,3 @@\n a\n-b\n+B\n+C\n", "x.py") == "a\r\nB\r\nC\r\n"
    assert applied("a\nb", "@@ -2 +2,2 @@\n-b\n\\ No newline at end of file\n+B\n+C\n", "x.py") == "a\nB\nC"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no hunk"),
        ("not a diff", "no hunk"),
        (diff(OLD, "a\n", "y.py"), "it changes a/y.py, and only x.py"),
        (diff(OLD, OLD + "h\n") + diff("", "x\n", "conftest.py"), "it changes a/conftest.py"),
        ("--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+x\n", "it changes /dev/null"),
        ("@@ -1 +1 @@\n-q\n+r\n", "hunk 1 of the diff does not fit"),
        ("@@ -1 +1 @@\n-a\n+A\n@@ -1 +1 @@\n-a\n+A\n", "hunk 2 of the diff does not fit"),
        ("@@ -99,0 +99 @@\n+x\n", "hunk 1"),
    ],
)
def test_what_does_not_fit_says_why(text, reason):
    with pytest.raises(DoesNotFit, match=reason):
        applied(OLD, text, "x.py")


def test_a_file_may_be_named_from_further_in_or_out():
    for named in ("x.py", "src/x.py", "b/src/x.py", "project/src/x.py"):
        assert applied("a\n", f"--- {named}\t2024\n+++ {named}\n@@ -1 +1 @@\n-a\n+b\n", "src/x.py") == "b\n"
