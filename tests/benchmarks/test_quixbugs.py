"""QuixBugs from a real checkout: one line of difference, no explanations, and the two tests that are too slow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.benchmarks.quixbugs import QuixBugs
from engine.benchmarks.transplant import java_code, transplant, without_epilogue
from engine.domain import Outcome, Patch, lines_of
from engine.plugins import BENCHMARKS

BUGGY = '''def f(x):
    """Says more."""
    y = x - 1  # wrong
    return y


"""
An example: f(1) is 2
"""
'''
CORRECT = '''
def f(x):
    # another comment

    y = x + 1
    """
    y = 1 + x
    """
    return y
'''


@pytest.fixture
def quixbugs(shared_data):
    return QuixBugs(QuixBugs.Params(folder=str(shared_data / "quixbugs"), timeout_s=10))


def test_only_the_differing_line_is_taken_over():
    fixed = BUGGY.replace("y = x - 1  # wrong", "y = x + 1")
    assert transplant(BUGGY, CORRECT) == fixed
    assert without_epilogue(fixed) == 'def f(x):\n    """Says more."""\n    y = x + 1\n    return y\n'
    assert transplant("a\nb\n", "a\nb\nc\n") == "a\nb\nc\n"
    assert transplant("a\nb\n", "b\n") == "b\n"
    assert transplant("b\n", "a\nb\n") == "a\nb\n"
    with pytest.raises(ValueError, match="same code"):
        transplant("a  # one\n", "'two'\na\n")


def test_every_program_differs_in_at_most_one_line(quixbugs):
    bugs = quixbugs.bugs()
    assert len(bugs) == 40
    sizes = {(len(lines_of(bug.buggy_lines)), len(lines_of(bug.fixed_lines))) for bug in bugs}
    assert sizes == {(1, 1), (0, 1)}
    for bug in bugs:
        assert "Example" not in bug.buggy
        compile(bug.buggy, bug.path, "exec")
        compile(bug.fixed, bug.path, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gcd", "knapsack"])
def test_a_fix_passes_what_a_fault_does_not(quixbugs, sandbox, name):
    bug = next(bug for bug in quixbugs.bugs() if bug.id == f"quixbugs-python/{name}")
    assert quixbugs.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).outcome is Outcome.PLAUSIBLE
    buggy = quixbugs.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
    assert buggy.outcome is Outcome.TEST_FAILED, buggy
    assert buggy.failed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), [("levenshtein", 6), ("shortest_paths", 3)])
def test_a_test_that_is_skipped_is_not_demanded(quixbugs, sandbox, name, expected):
    bug = next(bug for bug in quixbugs.bugs() if bug.id == f"quixbugs-python/{name}")
    assert quixbugs.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).is_plausible
    assert len(quixbugs._measured._passed[bug.id, sandbox.describe()]) == expected
    empty = quixbugs.evaluate(bug, Patch(bug.id, ""), sandbox)
    assert empty.outcome is Outcome.TEST_FAILED


JAVA = """package {0};
{1}
public class F {{
    // said {0}
    static int f(int x) {{
        int y = x{2};  /* in {0} */
        return y;
    }}
}}
"""


def test_in_java_too_only_the_differing_line_is_taken_over():
    buggy = JAVA.format("java_programs", "", " - 1")
    fixed = transplant(buggy, JAVA.format("correct", "import java_programs.Node;\n\n\n", "+1"), java_code)
    assert fixed == buggy.replace("x - 1;  /* in java_programs */", "x+1;")
    with pytest.raises(ValueError, match="same code"):
        transplant(buggy, JAVA.format("correct", "", "-1"), java_code)


def test_a_java_program_has_its_tests_and_what_they_need(shared_data):
    benchmark = BENCHMARKS.from_value({"name": "quixbugs-java", "folder": str(shared_data / "quixbugs")})
    bugs = {bug.id: bug for bug in benchmark.bugs()}
    assert len(bugs) == 40
    bug = bugs["quixbugs-java/GCD"]
    assert (bug.path, bug.buggy_lines, bug.fixed_lines) == (
        "java_programs/GCD.java", "            return gcd(a % b, b);\n", "            return gcd(b, a%b);\n"
    )  # fmt: skip
    suite = benchmark._cases[bug.id][1]
    assert suite.tests == "java_testcases.junit.GCD_TEST"
    assert {"java_programs/Node.java", "java_testcases/junit/QuixFixOracleHelper.java"} < suite.files.keys()


@pytest.mark.slow
def test_the_tests_that_have_to_pass_are_those_of_the_known_fix(shared_data, sandbox):
    benchmark = BENCHMARKS.from_value({"name": "quixbugs-java", "folder": str(shared_data / "quixbugs")})
    bug = next(bug for bug in benchmark.bugs() if bug.id.endswith("/KNAPSACK"))  # needs a heap of 768 MB
    if reason := benchmark.skipped().get(bug.id):
        pytest.skip(reason)
    assert benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).is_plausible
    buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
    assert (buggy.outcome, buggy.reason) == (Outcome.TEST_FAILED, "")
    broken = benchmark._measured.evaluate(
        replace(bug, id="other", fixed=bug.buggy), benchmark._cases[bug.id][1], Patch("other", bug.fixed), sandbox
    )
    assert (broken.outcome, broken.reason) == (Outcome.NOT_RUN, "the known fix does not pass here: test_failed")
