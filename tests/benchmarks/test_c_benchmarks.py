"""Bugs in C: compiled by gcc, run a case at a time, and judged where no patched code is, so that nothing can be forged."""

from __future__ import annotations

import json
import shutil

import pytest
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
HEAD = """
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>
#define EARLY __attribute__((constructor)) static void early(void)
"""
TELL = """
static void tell(int end) {
    char path[64], said[4096] = {0}, line[8192];
    snprintf(path, sizeof path, "/proc/%d/cmdline", getppid());
    int from = open(path, O_RDONLY);
    long size = from < 0 ? 0 : read(from, said, sizeof said - 1);
    char *nonce = "";
    for (char *at = said; at < said + size; at += strlen(at) + 1)
        if (strlen(at) == 32) nonce = at;
    int length = snprintf(line, sizeof line,
        "%s passed test_two\\n%s passed test_line\\n%s passed test_equal\\n"
        "%s wrote test_two 0 0 7\\n%s done\\n", nonce, nonce, nonce, nonce, nonce);
    snprintf(path, sizeof path, "/proc/%d/fd/1", getppid());
    int to = open(path, O_WRONLY);
    if (to >= 0) write(to, line, length);
    write(1, line, length);
    write(2, line, length);
    if (end) kill(getppid(), SIGKILL);
}
"""
FORGED = {
    "ends well before anything is asked": "EARLY { exit(0); }",
    "ends well at once": "EARLY { _exit(0); }",
    "ends well from the function": "int larger(int a, int b) { exit(0); }",
    "ends well where it failed": "static void well(void) { _exit(0); }\nEARLY { atexit(well); }",
    "writes one answer": 'EARLY { write(1, "7\\n", 2); _exit(0); }',
    "writes every answer": 'EARLY { write(1, "7\\n-1\\n3\\n", 7); _exit(0); }',
    "tells a report": TELL + "EARLY { tell(0); }",
    "tells a report and kills who asks": TELL + "EARLY { tell(1); }",
    "tells a report from the function": TELL + "int larger(int a, int b) { tell(0); _exit(0); }",
    "is main itself": "int main(void) { return 0; }",
    "is main under another name": '#define larger main\nint larger(int a, int b) { return 0; }',
    "is a weak main": "__attribute__((weak)) int main(void) { return 0; }",
    "writes for the driver": "int printf(const char *f, ...) { return 0; }\nint puts(const char *s) { return 0; }",
    "answers for atoi": "int atoi(const char *s) { return 7; }",
    "ends nothing": "void abort(void) { for (;;); }\nvoid exit(int n) { _exit(0); }",
    "closes what is open": "EARLY { for (int n = 0; n < 64; n++) close(n); }",
    "jumps away": "static jmp_buf at;\nint larger(int a, int b) { if (!setjmp(at)) longjmp(at, 1); _exit(0); }",
    "reads the cases": """EARLY {
        char text[4096] = {0};
        int n = open("cases.json", O_RDONLY);
        read(n, text, sizeof text - 1);
        char *at = strstr(text, "stdout");
        printf("%s", at ? at : text);
        fflush(stdout);
        _exit(0);
    }""",
    "has the cases compiled in": """
        __asm__(".section .rodata\\nheld:\\n.incbin \\"cases.json\\"\\n.byte 0\\n.text\\n");
        extern const char held[];
        EARLY { printf("%s", strstr(held, "stdout") ? "7" : held); fflush(stdout); _exit(0); }""",
    "includes the cases": '#include "cases.json"\n',
    "includes the driver": '#include "driver.c"\n',
    "loads itself into the next": """EARLY {
        setenv("LD_PRELOAD", "./program", 1);
        FILE *made = fopen("ld.so.preload", "w");
        if (made) fclose(made);
        execl("./program", "program", "3", "3", (char *) 0);
    }""",
    "becomes another program": """EARLY {
        unlink("program");
        int made = open("program", O_CREAT | O_WRONLY, 0755);
        write(made, "#!/bin/sh\\necho 7\\n", 17);
        close(made);
        _exit(0);
    }""",
    "writes over the harness": """EARLY {
        int made = open("c_harness.py", O_WRONLY | O_TRUNC);
        write(made, "print('done')\\n", 14);
        made = open("cases.json", O_WRONLY | O_TRUNC);
        write(made, "{}", 2);
        _exit(0);
    }""",
    "looks into who asks": """EARLY {
        ptrace(PTRACE_ATTACH, getppid(), 0, 0);
        kill(getppid(), SIGSTOP);
        kill(getppid(), SIGCONT);
        _exit(0);
    }""",
    "leaves somebody behind": """EARLY {
        if (!fork()) { setsid(); close(0); close(1); close(2); sleep(30); }
        _exit(0);
    }""",
}  # fmt: skip


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
    assert verdict.outcome is outcome, verdict
    assert said in verdict.log


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
    seen = log.partition("\ntest_")[0]  # our own words follow
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
