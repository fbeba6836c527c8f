"""Unified diffs are read as they were written: names, hunks, line ends, and what has no form of a diff."""

from __future__ import annotations

from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.builders.file_diffs import Broken, read
from engine.changed_lines import Change
from engine.domain import lines_of

GIT = """diff --git a/src/A.java b/src/A.java
index 70b8d64..1e6ccdc 100644
--- a/src/A.java
+++ b/src/A.java
@@ -3,4 +3,5 @@ class A {
 one
-two
+TWO
+2
 three
 four
"""


def test_a_diff_of_git():
    (file,) = read(GIT)
    (hunk,) = file.hunks
    assert (file.old, file.new, hunk.old_start, hunk.new_start) == ("src/A.java", "src/A.java", 2, 2)
    assert (hunk.heading, hunk.runs) == ("class A {", (1, 1))
    assert hunk.old == ["one\n", "two\n", "three\n", "four\n"]
    assert hunk.new == ["one\n", "TWO\n", "2\n", "three\n", "four\n"]
    assert hunk.changes == [Change(1, 2, 1, 3)]


def test_the_heads_of_other_programs():
    svn = GIT.replace(
        "diff --git a/src/A.java b/src/A.java\nindex 70b8d64..1e6ccdc 100644\n", "Index: src/A.java\n===\n"
    )
    svn = svn.replace("--- a/src/A.java", "--- src/A.java\t(revision 1)").replace(
        "+++ b/src/A.java", "+++ src/A.java\t2"
    )
    assert [each.old for each in read(svn)] == ["src/A.java"]
    quoted = GIT.replace("--- a/src/A.java", r'--- "a/src/\303\244 \"A.java"')
    assert read(quoted)[0].old == 'src/ä "A.java'
    assert [(each.old, each.new) for each in read(GIT.replace("--- a/src/A.java", "--- /dev/null"))] == [
        ("", "src/A.java")
    ]
    assert [each.old for each in read("From: a mail\n\n" + GIT + GIT.replace("A.java", "B.java") + "-- \n2.39\n")] == [
        "src/A.java",
        "src/B.java",
    ]
    bare = GIT[GIT.index("@@") :]
    assert read(bare, "x.py")[0].old == "x.py"


def test_what_looks_like_a_head_inside_a_hunk_is_a_line():
    text = "--- a/q.py\n+++ b/q.py\n@@ -1,2 +1,2 @@\n-- two dashes\n+++ two pluses\n same\n"
    (file,) = read(text)
    assert (file.hunks[0].old, file.hunks[0].new) == (["- two dashes\n", "same\n"], ["++ two pluses\n", "same\n"])


def test_line_ends_are_kept():
    text = "--- a/q.py\n+++ b/q.py\n@@ -1,2 +1,2 @@\n-old\r\n+new\n last\n\\ No newline at end of file\n"
    hunk = read(text)[0].hunks[0]
    assert (hunk.old, hunk.new) == (["old\r\n", "last"], ["new\n", "last"])
    one_side = "--- a/q.py\n+++ b/q.py\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n"
    hunk = read(one_side)[0].hunks[0]
    assert (hunk.old, hunk.new) == (["x"], ["x\n"])


def test_runs_are_counted_for_each_sign():
    body = "@@ -1,5 +1,5 @@\n-a\n b\n+c\n d\n e\n-f\n+g\n"
    hunk = read("--- a/q.py\n+++ b/q.py\n" + body)[0].hunks[0]
    assert hunk.runs == (2, 2)
    assert hunk.changes == [Change(0, 1, 0, 0), Change(2, 2, 1, 2), Change(4, 5, 4, 5)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no unified diff in it"),
        ("only words\n", "no unified diff in it"),
        (GIT[GIT.index("@@") :], "no file is named before a hunk"),
        (GIT[: GIT.index(" three")], "a hunk has not as many lines as its header says"),
        (GIT.replace("-two", "*two"), "a hunk has not as many lines as its header says"),
        (GIT.replace("@@ -3,4", f"@@ -{'3' * 5000},4"), "a hunk's header is not readable"),
        (GIT + "@@ -3,4 3,5 @@\n-a\n", "a hunk's header is not readable"),
        (GIT.replace("@@ -3,4 +3,5 @@", "@@@ -3,4 -3,4 +3,5 @@@"), "the diff of a merge, against several parents"),
    ],
)
def test_what_is_no_whole_diff(text, reason):
    with pytest.raises(Broken, match=reason):
        read(text)


@given(*[st.lists(st.sampled_from(["a", "b", "- c", "+ d", "", "@@ -1 +1 @@", "--- x", "+++ y"]), max_size=12)] * 2)
def test_any_diff_of_two_texts_is_read_back(old, new):
    before, after = ([f"{line}\n" for line in each] for each in (old, new))
    text = "".join(unified_diff(before, after, "a/q.py", "b/q.py", n=100))
    if before == after:
        return
    (file,) = read(text)
    (hunk,) = file.hunks
    assert (hunk.old, hunk.new) == (before, after)
    rebuilt, done = [], 0
    for each in hunk.changes:
        rebuilt += [*before[done : each.old_first], *after[each.new_first : each.new_after]]
        done = each.old_after
    assert [*rebuilt, *before[done:]] == after
    assert lines_of("".join(before)) == before
