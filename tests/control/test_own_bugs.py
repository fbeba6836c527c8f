"""Code and tests that a user pastes become a bug, or a sentence says what is wrong with them."""

from __future__ import annotations

import pytest

from engine.control.own_bugs import Pasted
from engine.errors import UserError
from engine.plugins import BENCHMARKS

CODE = "def last(items):\n    at = len(items)\n    return items[at]\n"
FIXED = CODE.replace("len(items)", "len(items) - 1")
TESTS = (
    "from tail import last\n\n\ndef test_two():\n    assert last([1, 2]) == 2\n\n\ndef test_true():\n    assert True\n"
)


def test_pasted_code_is_a_bug_that_a_chat_can_be_about(workspace):
    kept = workspace.own_bugs.add(Pasted(CODE, TESTS, FIXED))
    assert (kept.failing, kept.passing) == (("test_two",), ("test_true",))
    assert [each.id for each in workspace.chats.bug_entries(kept.benchmark)] == [kept.bug_id]
    bug = workspace.chats.bug(kept.bug_id, kept.benchmark)
    assert (bug.path, bug.buggy, bug.fixed, (bug.span.start, bug.span.end)) == ("tail.py", CODE, FIXED, (2, 2))


def test_the_repair_need_not_be_known_and_a_second_bug_has_a_benchmark_of_its_own(workspace):
    known = workspace.own_bugs.add(Pasted(CODE, TESTS, FIXED))
    kept = workspace.own_bugs.add(Pasted(CODE, TESTS, lines="2-3"))
    assert known.benchmark != kept.benchmark
    benchmark = BENCHMARKS.from_value(kept.benchmark)
    benchmark.check()
    (bug,) = benchmark.bugs()
    assert (bug.fixed, (bug.span.start, bug.span.end)) == (bug.buggy, (2, 3))


def test_a_test_that_never_ends_fails_where_the_repair_is_known(workspace):
    kept = workspace.own_bugs.add(Pasted(CODE.replace("at =", "while True: at ="), TESTS, FIXED))
    assert "test_two" in kept.failing


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Pasted("", TESTS), "Faulty code: is empty"),
        (Pasted(CODE, " "), "Tests: is empty"),
        (Pasted(CODE, TESTS), "Faulty lines: say which lines"),
        (Pasted(CODE, TESTS, lines="9"), r"such as 4 or 4-6, at most 3 \(got '9'\)"),
        (Pasted(CODE, TESTS, lines="two"), r"Faulty lines: should be a line .*got 'two'"),
        (Pasted(CODE, TESTS, CODE), "the same as the faulty code"),
        (Pasted(CODE, TESTS, FIXED, file="../tail.py"), "File name: should be a name such as"),
        (Pasted(CODE, "def test_it():\n    assert 0\n", FIXED), "File name: should be a name"),
        (Pasted(CODE, TESTS, FIXED, file="head.py"), "Tests: they do not import head"),
        (Pasted("x" * 200_000, TESTS), "at most 100,000 characters"),
        (Pasted(FIXED, TESTS, lines="2"), "all 2 tests pass on this code, so there is nothing to repair"),
        (Pasted(CODE, TESTS, CODE.replace("at]", "0]")), "Fixed code: 'test_two' does not pass on it"),
        (Pasted(CODE, "from tail import last\n\n\ndef test_a(:\n", lines="2"), "Tests: they cannot be read: SyntaxErr"),
        (Pasted(CODE, "import nowhere\n" + TESTS, lines="2", file="tail.py"), "No module named 'nowhere'"),
        (Pasted(CODE, TESTS.replace(" last\n", " first\n"), lines="2"), "cannot import name 'first'"),
        (
            Pasted(CODE, TESTS.replace("tail", "os"), lines="2", file="os.py"),
            "os.py would stand in the place of a module",
        ),
        (Pasted(CODE.replace("at =", "while True: at ="), TESTS, lines="2"), "did not end within 5 s .* give fewer"),
        (Pasted("def last(:\n", TESTS, lines="1"), "cannot be compiled with its tests: .*SyntaxError"),
    ],
)
def test_what_is_wrong_is_said_with_its_value(workspace, home, given, said):
    with pytest.raises(UserError, match=said):
        workspace.own_bugs.add(given)
    assert not [*home.rglob("bug.json")]
