"""Code is shown escaped, in colours, with its line numbers, and what a patch changes is marked word by word."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import lines_of
from studio.html.diff import diff, lines, marks_of
from studio.html.patch import first_failure
from studio.html.syntax import coloured

CODE = 'def f(a):  # why\n    """Text\n    for all"""\n    return "x" + str(1)\n'


def test_each_piece_has_its_kind():
    kinds = {(piece.kind, piece.text) for line in coloured(CODE, "a.py") for piece in line if piece.kind}
    assert kinds == {("keyword", "def"), ("comment", "# why"), ("string", '"""Text'), ("string", '    for all"""'),
                     ("keyword", "return"), ("string", '"x"'), ("number", "1")}  # fmt: skip
    java = {(piece.kind, piece.text) for line in coloured("/* a\nb */ int x = 'c'; // d", "A.java") for piece in line}
    assert {
        ("comment", "/* a"),
        ("comment", "b */"),
        ("keyword", "int"),
        ("string", "'c'"),
        ("comment", "// d"),
    } <= java


@given(st.text(alphabet="ab1 \n\r\"'\\#/*_é", max_size=80), st.sampled_from(["a.py", "A.java"]))
def test_no_character_is_lost(text, path):
    shown = ["".join(piece.text for piece in line) for line in coloured(text, path)]
    assert shown == [line.removesuffix("\n") for line in lines_of(text)]


@pytest.mark.parametrize("text", ['"' * 199_999, "'\\" * 99_999, "/*" * 99_999, '"""' + '""x' * 60_000, "a" * 199_999])
def test_hostile_code_takes_time_in_proportion_to_its_length(text):
    began = time.process_time()
    coloured(text, "a.py")
    coloured(text, "a.java")
    assert time.process_time() - began < 5


def test_a_diff_has_both_numbers_and_marks_the_words_that_differ():
    shown = diff(CODE, CODE.replace("str(1)", "repr(12)"), "a.py")
    assert shown.count('class="removed"') == shown.count('class="added"') == 1
    assert re.findall("<mark>(.*?)</mark>", shown) == ["str", "1", "repr", "12"]
    numbers = [(line.kind, line.before, line.after) for line in lines(CODE, CODE.replace("1", "2"), "a.py")]
    assert numbers[-2:] == [("removed", 4, None), ("added", None, 4)]
    assert numbers[0] == ("same", 1, 1)


def test_lines_without_much_in_common_have_no_marks():
    assert marks_of("return alpha", "x = [beta]\n") == ((), ())
    assert marks_of("a b\n", "a c\n") == ([(2, 3)], [(2, 3)])


def test_distant_changes_have_a_gap_between_them():
    before = "".join(f"line {number}\n" for number in range(40))
    after = before.replace("line 2\n", "").replace("line 30\n", "line x\n")
    assert [line.kind for line in lines(before, after, "a.py")].count("gap") == 1


def test_lines_that_look_like_headers_of_a_diff_stay():
    shown = diff("-- sql\n++ i\n", "-- SQL\n++ i\n", "a.py")
    assert (shown.count('class="removed"'), shown.count('class="added"'), shown.count('class="same"')) == (1, 1, 1)


def test_hostile_code_is_escaped_also_where_it_is_marked():
    shown = diff("<script>1</script>\n", "<script>2</script>\n", "a.py")
    assert "<script" not in shown
    assert "&lt;" in shown


def test_the_first_assertion_that_failed_is_found():
    log = "F.\n    def test_a():\n>       assert f(1) == 2\nE       assert 3 == 2\nE        +  where\n\n>  later\nE  other\n"
    assert first_failure(log) == ">       assert f(1) == 2\nE       assert 3 == 2\nE        +  where"
    assert first_failure("3 passed") == ""
    assert first_failure("> alone\n") == ""
