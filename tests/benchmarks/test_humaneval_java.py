"""HumanEval-Java from a small checkout: a program's tests, its fix, and the classes of other files that it uses."""

from __future__ import annotations

import pytest
from human_eval_java import write

from engine.domain import Outcome, Patch
from engine.plugins import BENCHMARKS


@pytest.fixture
def benchmark(tmp_path):
    return BENCHMARKS.from_value({"name": "humaneval-java", "folder": str(write(tmp_path))})


def test_a_bug_is_the_buggy_file_and_its_fix_the_correct_one_in_its_package(benchmark):
    bugs = {bug.id: bug for bug in benchmark.bugs()}
    assert list(bugs) == [f"humaneval-java/{name}" for name in ("ADD_ONE", "AGAIN", "NEXT", "SAME")]
    bug = bugs["humaneval-java/NEXT"]
    assert (bug.path, bug.buggy_lines.strip(), bug.fixed_lines.strip()) == (
        "src/main/java/humaneval/buggy/NEXT.java", "return x - 1;", "return x + 1;"
    )  # fmt: skip
    assert "correct" not in bug.fixed


def test_only_what_a_program_or_its_patch_uses_is_compiled_with_it(benchmark):
    bugs = {bug.id.partition("/")[2]: bug for bug in benchmark.bugs()}

    def names(name, patched=""):
        return {path.rpartition("/")[2] for path in benchmark._suite(bugs[name], patched).files}

    assert names("NEXT") == {"TEST_NEXT.java", "Pair.java"}, "its second class uses Pair"
    assert names("ADD_ONE") == {"TEST_ADD_ONE.java", "Pair.java"}
    assert names("AGAIN") == {"TEST_AGAIN.java", "NEXT.java", "Pair.java"}
    assert names("ADD_ONE", "return new Counter(x).next;") >= {"NEXT.java", "Pair.java"}
    assert b"timeout = 30000" in benchmark._suite(bugs["NEXT"], "").files["src/test/java/humaneval/TEST_NEXT.java"]


def test_verdicts_are_of_the_programs_that_a_patch_may_use(benchmark, tmp_path):
    bug = benchmark.bugs()[0]
    if reason := benchmark.skipped().get(bug.id):
        pytest.skip(reason)
    before = benchmark.version(bug)
    (other,) = tmp_path.rglob("buggy/NEXT.java")
    other.write_text(other.read_text().replace("x - 1", "x - 2"))
    again = BENCHMARKS.from_value({"name": "humaneval-java", "folder": str(tmp_path)})
    assert again.version(bug) != before


@pytest.mark.slow
def test_every_fix_passes_and_no_fault_does(benchmark, sandbox):
    if len(skipped := benchmark.skipped()) > 1:
        pytest.skip(next(iter(skipped.values())))
    assert list(skipped) == ["humaneval-java/SAME"]
    for bug in benchmark.bugs():
        if bug.id not in skipped:
            assert benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox).is_plausible, bug.id
            buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
            assert (buggy.outcome, buggy.failed[0][:5]) == (Outcome.TEST_FAILED, "test_"), buggy
