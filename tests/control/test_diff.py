"""Diffs: what `git apply` makes of each is the other text, whatever the two are, and large files cost little."""

from __future__ import annotations

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.control.diff import unified

LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "  c\n", "d\x0ce\n", "f\u2028g\n", "\r\n"]), max_size=20).map(
    "".join
)
ENDS = st.sampled_from(["", "", "last", "\n"])


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("applied")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def applied(folder, diff, before):
    (folder / "f").write_bytes(before.encode())
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"], cwd=folder, input=diff.encode(), check=True
    )
    return (folder / "f").read_bytes().decode() if (folder / "f").exists() else ""


@given(LINES, ENDS, LINES, ENDS, LINES, LINES)
def test_git_applies_every_diff(repository, shared, end, old, other_end, new, tail):
    before, after = shared + old + tail + end, shared + new + tail + other_end
    diff = unified(before, after, "f")
    assert (diff == "") is (before == after)
    if diff:
        assert applied(repository, diff, before) == after


def test_a_change_is_shown_with_three_lines_around_it():
    before = "".join(f"{n}\n" for n in range(1, 21))
    after = before.replace("10\n", "ten\n")
    assert unified(before, after, "a.py") == (
        "--- a/a.py\n+++ b/a.py\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
    )


def test_two_changes_far_apart_are_two_hunks():
    before = "".join(f"{n}\n" for n in range(1, 41))
    diff = unified(before, before.replace("5\n", "five\n", 1).replace("35\n", "x\n"), "a.py")
    assert [line for line in diff.splitlines() if line.startswith("@@")] == ["@@ -2,7 +2,7 @@", "@@ -32,7 +32,7 @@"]


def test_a_file_of_a_million_lines_is_compared_in_a_moment():
    before = "".join(f"line {n}\n" for n in range(1_000_000))
    started = time.process_time()
    assert unified(before, before.replace("line 500000\n", "other\n"), "a.py").count("\n") == 11
    assert time.process_time() - started < 2
