"""Bugs in C: compiled by gcc, run a case at a time, and judged where no patched code is, so that nothing can be forged."""

from __future__ import annotations

import json
import shutil

import pytest
from c_forgeries import FORGED, HEAD
from small_bugs import write

from engine.benchmarks.folder import Folder
from engine.benchmarks.runners.c import Case, CRunner
from engine.domain import Isolation, Outcome, Patch
from engine.errors import UserError

TOLD = {
    "language": "c", "file": "larger.c", "kind": "wrong_comparison", "span": [2, 2],
    "failing": ["test_two", "test_line"], "passing": ["test_equal"],
}  # fmt: skip
CODE = "int larger(int a, int b) {{\n    return a {} b ? a : b;\n}}\n"
BUGGY, FIXED = CODE.format("<"), CODE.format(">")
DRIVER = """
#include <stdio.h>
#include <stdlib.h>
int larger(int a, int b);
int main(int argc, char **argv) {
    int a, b;
    if (argc == 3)
        printf("%d\\n", larger(atoi(argv[1]), atoi(argv[2])));
    else if (scanf("%d %d", &a, &b) == 2)
        printf("%d", larger(a, b));
    return 0;
}
"""
CASES = {
    "test_two": {"args": ["7", "2"], "stdout": "7"},
    "test_line": {"stdin": "-2 -1\n", "stdout": "-1\n"},
    "test_equal": {"args": ["3", "3"], "stdout": "3"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("c") / "larger"
    write(made, TOLD, BUGGY, FIXED, json.dumps(CASES), "cases.json")
    (made / "tests/driver.c").write_text(DRIVER)
    return made


def benchmark(folder, **more):
    return Folder(Folder.Params(folder=str(folder.parent), timeout_s=5, **more))


@pytest.fixture(scope="module")
def judged(folder):
    bugs = benchmark(folder)
    (bug,) = bugs.bugs()
    if reason := bugs.skipped().get(bug.id):
        pytest.skip(reason)
    return lambda text, sandbox: bugs.evaluate(bug, Patch(bug.id, text), sandbox)


@pytest.mark.slow
def test_the_known_fix_passes_isolated_and_the_buggy_code_fails(judged, sandbox):
    fixed = judged(FIXED, sandbox)
    assert (fixed.outcome, fixed.isolation) == (Outcome.PLAUSIBLE, Isolation.ISOLATED), fixed
    assert fixed.stages.keys() == {"compile", "all_tests", "accept"}
    failed = judged(BUGGY, sandbox)
    assert (failed.outcome, failed.failed) == (Outcome.TEST_FAILED, ("test_line", "test_two"))
    assert failed.isolation is Isolation.ISOLATED, "whatever the outcome"
    assert "test_two: ended with status 0 and wrote '2', expected '7'" in failed.log


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "outcome", "said"),
    [
        ("int larger(int a, int b) { return a }\n", Outcome.COMPILE_ERROR, "expected ';'"),
        ("int smaller(int a, int b) { return a; }\n", Outcome.COMPILE_ERROR, "undefined reference"),
        ('#include "/root/secret.h"\n' + FIXED, Outcome.COMPILE_ERROR, "secret.h"),
        ("int larger(int a, int b) { return *(volatile int *) 0; }\n", Outcome.TEST_FAILED, "status -11"),
        ("int larger(int a, int b) { for (;;); }\n", Outcome.TIMEOUT, ""),
    ],
)
def test_each_way_to_fail_is_told_apart(judged, sandbox, text, outcome, said):
    verdict = judged(text, sandbox)
    assert (verdict.outcome, verdict.isolation) == (outcome, Isolation.ISOLATED), verdict
    assert said in verdict.log


FLOODS = {
    "a gigabyte": """static char zero[1 << 20];
        int larger(int a, int b) { for (int n = 0; n < 1000; n++) write(1, zero, sizeof zero); return a > b ? a : b; }""",
    "without end": 'int larger(int a, int b) { for (;;) puts("7"); }',
    "blanks after the answer": """static char blanks[1 << 21];
        int larger(int a, int b) {
            memset(blanks, ' ', sizeof blanks);
            printf("%d", a > b ? a : b);
            fflush(stdout);
            write(1, blanks, sizeof blanks);
            _exit(0);
        }""",
}


@pytest.mark.slow
@pytest.mark.parametrize("flood", FLOODS)
def test_a_patch_that_writes_too_much_fails_for_that(judged, sandbox, flood):
    verdict = judged(HEAD + FLOODS[flood], sandbox)
    assert (verdict.outcome, verdict.reason) == (Outcome.TEST_FAILED, "output_cap"), verdict
    assert set(verdict.failed) == set(CASES)
    assert "ended with status output_cap" in verdict.log


@pytest.mark.slow
def test_a_long_input_is_read_to_its_end_and_need_not_be(tmp_path, sandbox):
    """Longer than a pipe holds; the driver reads all of it in one case, and none of it in the other."""
    numbers = f"{'0 ' * 200_000}5"
    driver = """
    #include <stdio.h>
    int larger(int a, int b);
    int main(int argc, char **argv) {
        int most = -1, next;
        while (argc == 1 && scanf("%d", &next) == 1) most = larger(most, next);
        printf("%d", most);
        return 0;
    }"""
    cases = {
        "test_all": {"stdin": numbers, "stdout": "5"},
        "test_none": {"args": ["x"], "stdin": numbers, "stdout": "-1"},
    }
    write(tmp_path / "bugs/larger", {**TOLD, "failing": ["test_all"], "passing": ["test_none"]}, BUGGY, FIXED,
          json.dumps(cases), "cases.json")  # fmt: skip
    (tmp_path / "bugs/larger/tests/driver.c").write_text(driver)
    bugs = benchmark(tmp_path / "bugs/larger")
    (bug,) = bugs.bugs()
    if reason := bugs.skipped().get(bug.id):
        pytest.skip(reason)
    assert bugs.evaluate(bug, Patch(bug.id, FIXED), sandbox).is_plausible
    assert bugs.evaluate(bug, Patch(bug.id, BUGGY), sandbox).failed == ("test_all",)


@pytest.mark.slow
@pytest.mark.parametrize("way", FORGED)
def test_no_patch_forges_its_verdict(judged, sandbox, way):
    body = FORGED[way]
    text = HEAD + body + ("" if "int larger(" in body else "\n" + BUGGY)
    verdict = judged(text, sandbox)
    assert verdict.outcome in (Outcome.TEST_FAILED, Outcome.TIMEOUT, Outcome.COMPILE_ERROR), verdict


@pytest.mark.slow
def test_what_is_expected_is_not_in_the_sandbox(judged, sandbox):
    text = HEAD + 'EARLY { system("cat *.json *.c *.py >&2; env >&2"); }\n' + BUGGY
    log = judged(text, sandbox).log
    seen = "\n".join(line for line in log.splitlines() if not line.startswith("test_"))  # the others are our words
    assert "-2 -1" in seen, "the patch saw its folder"
    assert '"stdout"' not in seen


def test_without_gcc_the_benchmark_says_what_is_missing(folder, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (reason,) = benchmark(folder).skipped().values()
    assert "no C compiler found: gcc" in reason
    assert "apt install gcc libc6-dev" in reason


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("[", "cases.json: not JSON"),
        ('{"test_a": {"args": ["1"]}}', "test_a.stdout"),
        ('{"a b": {"stdout": "1"}}', "a b"),
        (json.dumps({"test_a": {"stdout": "a", "args": ["1\0"]}, "test_b": {"stdout": "b"}}), "test_a.args.0"),
        (json.dumps({"test_a": {"stdout": "ok"}, "test_b": {"stdout": "ok\n"}}), "not all of them the same"),
        (json.dumps({"test_a": {"stdout": ""}, "test_b": {"stdout": " "}}), "not all of them the same"),
    ],
)
def test_cases_that_tell_nothing_are_refused(folder, tmp_path, cases, said):
    mine = shutil.copytree(folder, tmp_path / "mine/larger")
    (mine / "tests/cases.json").write_text(cases)
    with pytest.raises(UserError, match=said):
        benchmark(mine).bugs()


@pytest.mark.parametrize("end", ["\u00a0", "\x1c", "\u2028"])
def test_white_space_of_other_kinds_counts(end):
    assert Case(stdout=f"7{end} \n").written == f"7{end}".encode(), "as the harness takes it off what was written"


class OneCommand:
    """A sandbox that runs one command and cannot stay open."""

    def __init__(self, sandbox) -> None:
        self.name, self.run, self.describe, self.unavailable = (
            sandbox.name, sandbox.run, sandbox.describe, sandbox.unavailable
        )  # fmt: skip


@pytest.mark.slow
def test_a_sandbox_that_runs_one_command_is_enough_to_isolate(judged, sandbox):
    fixed = judged(FIXED.replace("larger(int a", "larger(int /* gc */ a"), OneCommand(sandbox))
    assert (fixed.outcome, fixed.isolation) == (Outcome.PLAUSIBLE, Isolation.ISOLATED), fixed


def test_a_driver_is_needed(folder, tmp_path):
    mine = shutil.copytree(folder, tmp_path / "mine/larger")
    (mine / "tests/driver.c").unlink()
    with pytest.raises(UserError, match="should hold a driver"):
        benchmark(mine).bugs()


def test_a_verdict_depends_on_the_limits():
    assert CRunner(1.0).version != CRunner(2.0).version
