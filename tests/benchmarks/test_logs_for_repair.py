"""The logs that verdicts carry hold what a repair needs: values whole, the lines of the user's file, causes."""

from __future__ import annotations

import json

import pytest

from engine.benchmarks.runners import defects4j_harness
from engine.benchmarks.runners.c import CRunner
from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.project import Project, ProjectRunner
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite, trimmed
from engine.benchmarks.shown_tests import with_tests
from engine.failures.reading import read
from engine.strategies.contract import BUG

CART = """
def total(prices):
    return sum(price(prices, at) for at in range(len(prices) + 1))


def price(prices, at):
    return prices[at]


def names():
    return ["a name that is not short", "and another one of them", "and a third"]


def numbers(most):
    return list(range(most))
"""
TESTS = """
import pytest
from cart import names, numbers, total


@pytest.mark.parametrize(("prices", "wanted"), [([1, 2], 3)])
def test_total(prices, wanted):
    assert total(prices) == wanted


def test_names():
    assert names() == ["a name that is not short", "and another one of them", "and the third"]


def test_numbers():
    assert numbers(9) == [1]
"""
JAVA = """public class Cart {
    static int load(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException problem) {
            throw new IllegalStateException("cannot load", problem);
        }
    }
}
"""
JAVA_TESTS = """import static org.junit.Assert.*;
import org.junit.Test;

public class CartTest {
    @Test
    public void loads() {
        assertEquals(1, Cart.load("x"));
    }

    @Test
    public void arrays() {
        assertArrayEquals(new int[] {1}, new int[] {2});
    }
}
"""


def told_of(runner, text, suite, sandbox):
    found = read(trimmed(runner.run(text, suite, sandbox).ran.stderr))
    return {each.test: each for each in found.failed}


@pytest.mark.parametrize("way", ["run", "trial"])
def test_python_values_are_whole_and_parameters_are_told(sandbox, way):
    runner = PythonRunner(20.0)
    suite = Suite("cart.py", "test_cart.py", {"test_cart.py": TESTS.encode()})
    report = getattr(runner, way)(CART, suite, sandbox)
    failed = {each.test.partition("[")[0]: each for each in read(trimmed(report.ran.stderr)).failed}
    assert failed["test_names"].expected == "['a name that is not short', 'and another one of them', 'and the third']"
    assert failed["test_names"].actual == "['a name that is not short', 'and another one of them', 'and a third']"
    assert failed["test_numbers"].actual == "[0, 1, 2, 3, 4, 5, 6, 7, 8]"
    assert failed["test_total"].given == "prices=[1, 2], wanted=3"
    assert failed["test_total"].message == "list index out of range"
    assert [place.function for place in failed["test_total"].places if place.is_in("cart.py")][:1] == ["price"]


def test_a_projects_log_has_its_own_frames_and_none_of_pytest(sandbox):
    files = {"cart.py": CART.encode(), "tests/test_cart.py": TESTS.encode()}
    named = "tests/test_cart.py::test_total[prices0-3]\ntests/test_cart.py::test_names"
    report = ProjectRunner(Project(files), 20.0).run(CART, Suite("cart.py", named, {}), sandbox)
    log = trimmed(report.ran.stderr)
    assert "pluggy" not in log
    failed = {each.test.partition("[")[0]: each for each in read(log).failed}
    assert [place.line for place in failed["test_total"].places if place.is_in("cart.py")] == [7, 3, 3]
    assert failed["test_total"].given == "prices=[1, 2], wanted=3"


def test_java_logs_have_the_cause_and_the_exception_of_every_test(sandbox):
    runner = JavaRunner(20.0)
    if reason := runner.unavailable():
        pytest.skip(reason)
    failed = told_of(runner, JAVA, Suite("Cart.java", "CartTest", {"CartTest.java": JAVA_TESTS.encode()}), sandbox)
    assert failed["loads"].cause == 'NumberFormatException: For input string: "x"'
    assert {place.line for place in failed["loads"].places if place.is_in("Cart.java")} == {4, 6}
    assert (failed["arrays"].error, failed["arrays"].expected, failed["arrays"].actual) == (
        "ArrayComparisonFailure", "1", "2",
    )  # fmt: skip


def test_the_cases_of_a_c_program_are_in_the_log_however_much_it_writes(sandbox):
    runner = CRunner(20.0)
    if reason := runner.unavailable():
        pytest.skip(reason)
    text = '#include <stdio.h>\nint main(void) { for (int i = 0; i < 9000; i++) fputs("noise ", stderr); puts("1"); }\n'
    cases = {"one": {"stdout": "2"}, "two": {"stdout": "1"}}
    failed = told_of(runner, text, Suite("main.c", "cases.json", {"cases.json": json.dumps(cases).encode()}), sandbox)
    assert [(each.expected, each.actual) for each in failed.values()] == [("'2'", "'1'")]


def test_what_defects4j_writes_about_failing_tests_is_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert defects4j_harness.stacks() == ""
    (tmp_path / "failing_tests").write_text(
        "--- shop.CartTest::adds\njava.lang.AssertionError: expected:<1> but was:<2>\n"
    )
    assert read(defects4j_harness.stacks()).failed[0].expected == "1"
    assert defects4j_harness.stacks() == ""
    (tmp_path / "failing_tests").symlink_to("/etc/passwd")
    assert defects4j_harness.stacks() == ""


@pytest.mark.parametrize(
    ("suite", "project", "paths"),
    [
        (Suite("a.py", "test_a.py", {"test_a.py": b"1", "conftest.py": b"2"}), None, ["test_a.py"]),
        (
            Suite("A.java", "shop.ATest", {"test/shop/ATest.java": b"1", "BTest.java": b""}),
            None,
            ["test/shop/ATest.java"],
        ),
        (Suite("a.py", "t/test_a.py::test_x\nt/test_a.py::test_y", {}), {"t/test_a.py": b"1"}, ["t/test_a.py"]),
        (Suite("a.py", "test_a.py", {"test_a.py": b"x" * 400_000}), None, []),
    ],
)
def test_a_bug_has_the_text_of_the_files_with_its_tests(suite, project, paths):
    assert [path for path, _ in with_tests(BUG, suite, project).tests] == paths
