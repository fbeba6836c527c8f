"""Code that attacks the compiler is stopped and leaks nothing, and good programs pass."""

from __future__ import annotations

import os
import shutil

import pytest

from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.report import Suite, verdict
from engine.domain import Outcome
from engine.params import Params
from engine.plugins import SANDBOXES
from engine.sandboxes import MIB, Limits
from engine.sandboxes.auto import levels

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("gcc"), reason="no C compiler (apt install gcc)"),
]
GOOD = '#include <stdio.h>\nint main(void) { puts("works"); return 0; }\n'
BOMBS = {
    "macros": "\n".join(f"#define A{n} A{n + 1} A{n + 1} A{n + 1} A{n + 1}" for n in range(40)) + "\nint A0;",
    "endless include": '#include "/dev/zero"\n',
    "a file of the host": '#include "/etc/passwd"\n',
    "a huge array": "char big[1L << 40] = {1};\nint main(void) { return big[0]; }",
    "itself": '#include "bomb.c"\n#include "bomb.c"\n',
}
RUNS_AT_BUILD_TIME = """
import java.util.Set;
import javax.annotation.processing.*;
import javax.lang.model.element.TypeElement;
@SupportedAnnotationTypes("*")
public class Eager extends AbstractProcessor {
    static { System.err.println("processor ran"); }
    public boolean process(Set<? extends TypeElement> types, RoundEnvironment round) { return false; }
}
"""


@pytest.fixture(scope="module", params=levels())
def sandbox(request):
    level = SANDBOXES.create(Params(name=request.param))
    if reason := level.unavailable():
        pytest.skip(reason)
    return level


def compiled(sandbox, text):
    limits = Limits(wall_s=5, memory_bytes=512 * MIB)
    return sandbox.run(["/usr/bin/gcc", "-o", "out", "bomb.c"], {"bomb.c": text.encode()}, limits, results=["out"])


def test_a_good_program_is_compiled_and_runs(sandbox):
    ran = compiled(sandbox, GOOD)
    assert (ran.ended, ran.exit_code) == ("exit", 0), ran
    if os.geteuid() != 0 and sandbox.name == "landlock":
        pytest.skip("compiled; as a user's own process it may change no modes, so it cannot be executed")
    once = "import subprocess; subprocess.run(['gcc', '-o', 'out', 'a.c']); subprocess.run(['./out'])"
    assert sandbox.run(["/usr/bin/python3", "-c", once], {"a.c": GOOD.encode()}, Limits()).stdout == b"works\n"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_builds_nothing_and_shows_nothing(sandbox, bomb):
    ran = compiled(sandbox, BOMBS[bomb])
    assert ran.ended != "exit" or ran.exit_code != 0
    assert "out" not in ran.results or ran.ended != "exit"
    assert b"root:x:0" not in ran.stdout + ran.stderr


def test_no_annotation_processor_runs(sandbox):
    judge = JavaRunner(5)
    if reason := judge.unavailable():
        pytest.skip(reason)
    service = "META-INF/services/javax.annotation.processing.Processor"
    files = {
        "Eager.java": RUNS_AT_BUILD_TIME.encode(),
        service: b"Eager\n",
        "ATest.java": b"public class ATest { @org.junit.Test public void runs() { new A(); } }",
    }
    report = judge.run("class A {}", Suite("A.java", "ATest", files), sandbox)
    assert b"processor ran" not in report.ran.stderr
    assert verdict(report, ["runs"], sandbox).outcome is Outcome.PLAUSIBLE
