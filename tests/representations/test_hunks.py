"""Diffs without heads are written for every change, and placed by their lines though a model wrote them badly."""

from __future__ import annotations

import pytest

from engine.domain import lines_of
from engine.representations.hunks import DoesNotFit, placed, read, written

OLD = "a\nb\nc\nd\ne\nf\ng\nh\ni\n"


def applied(diff: str, old: str = OLD, fault: tuple[int, int] = (0, 0)) -> str:
    lines = lines_of(old)
    edits = placed(read(diff), [line.removesuffix("\n") for line in lines], fault)
    for start, end, text in reversed(edits):
        lines[start:end] = [text]
    return "".join(lines)


def test_hunks_stay_apart_and_share_no_changed_line():
    new = OLD.replace("c\n", "C\n").replace("e\n", "E\n").replace("i\n", "")
    assert written(lines_of(OLD), lines_of(new), 1) == " b\n-c\n+C\n d\n\n d\n-e\n+E\n f\n\n h\n-i\n"
    assert written(lines_of(OLD), lines_of(new), 3) == (
        " a\n b\n-c\n+C\n d\n\n d\n-e\n+E\n f\n g\n h\n\n f\n g\n h\n-i\n"
    )
    for context in (1, 3):
        assert applied(written(lines_of(OLD), lines_of(new), context), fault=(2, 9)) == new


def test_a_last_line_without_an_end_is_told_as_diff_tells_it():
    old, new = lines_of("a\nb"), lines_of("a\nc")
    diff = written(old, new, 3)
    assert diff == " a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    assert applied(diff, "a\nb") == "a\nc"
    assert applied(written(old, lines_of("a\nb\n"), 3), "a\nb") == "a\nb\n"


@pytest.mark.parametrize(
    "diff",
    [
        " c\n-d\n+D\n e\n",
        "-d\n+D",  # no context, and no end
        "@@ -4 +4 @@\n-d\n+D\n",
        "--- a/x\n+++ b/x\n@@ -9,1 +9,1 @@ f\n c\n-d\n+D\n",
        "Here it is:\n\n```diff\n c\n-d\n+D\n e\n```\n\nI hope it helps.\n",
        " c  \n-d\t\n+D\n",  # white space differs
        "c\n-d\n+D\ne\n",  # context without its sign
        " x\n-d\n+D\n y\n",  # context that is not there
        "+D\n-d\n e\n",
    ],
)
def test_a_hunk_is_placed_by_its_lines(diff):
    assert applied(diff) == OLD.replace("d", "D")


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ("-x\n+y\n", "hunk 1"),
        ("+y\n", "hunk 1"),  # added anywhere
        ("-d\n+D\n\n-b\n+B\n", "hunk 2"),  # above the first one
        (" x\n+y\n z\n", "hunk 1"),
    ],
)
def test_what_fits_nowhere_is_no_patch(diff, said):
    with pytest.raises(DoesNotFit, match=f"{said} of the diff fits nowhere"):
        applied(diff)


@pytest.mark.parametrize("at", range(4))
def test_of_several_places_it_is_the_one_that_is_nearest_to_the_fault(at):
    old = "{\n}\n" * 4
    new = lines_of(old)
    new.insert(2 * at + 1, "x\n")
    assert applied(" {\n+x\n }\n", old, (2 * at + 1, 2 * at + 1)) == "".join(new)


def test_lines_that_look_like_heads_are_code_without_hunk_heads():
    old, new = lines_of("-- a\nb\n"), lines_of("++ a\nb\n")
    diff = written(old, new, 1)
    assert diff == "--- a\n+++ a\n b\n"
    assert applied(diff, "-- a\nb\n") == "++ a\nb\n"


def test_a_hunk_that_changes_nothing_is_none():
    assert read(" a\n b\n\nprose\n") == []
