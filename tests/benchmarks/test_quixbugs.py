"""QuixBugs from a real checkout: one line of difference, no explanations, and the two tests that are too slow."""

from __future__ import annotations

import pytest

from engine.benchmarks.quixbugs import QuixBugs
from engine.benchmarks.transplant import transplant, without_epilogue
from engine.domain import Outcome, Patch, lines_of

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
    bug = next(bug for bug in quixbugs.bugs() if bug.id == f"quixbugs/{name}")
    assert quixbugs.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).outcome is Outcome.PLAUSIBLE
    buggy = quixbugs.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
    assert buggy.outcome is Outcome.TEST_FAILED, buggy
    assert buggy.failed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), [("levenshtein", 6), ("shortest_paths", 3)])
def test_a_test_that_is_skipped_is_not_demanded(quixbugs, sandbox, name, expected):
    bug = next(bug for bug in quixbugs.bugs() if bug.id == f"quixbugs/{name}")
    assert quixbugs.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).is_plausible
    assert len(quixbugs._expected[bug.id]) == expected
    empty = quixbugs.evaluate(bug, Patch(bug.id, ""), sandbox)
    assert empty.outcome is Outcome.TEST_FAILED
