"""Defects4J's command line is asked for bugs, and compiles and tests patches in the sandbox, trigger tests first."""

from __future__ import annotations

import json
import os

import pytest
from fake_defects4j import write

from engine.benchmarks.defects4j import ALL
from engine.domain import Outcome, Patch
from engine.errors import UserError
from engine.plugins import BENCHMARKS
from engine.sandboxes.identity import reachable_parent
from engine.temporary import TemporaryFolder


@pytest.fixture(scope="module")
def home():
    folder = TemporaryFolder("defects4j", reachable_parent(), 0o755)
    write(folder.path)
    yield folder.path
    folder.cleanup()


@pytest.fixture
def made(home, tmp_path):
    return lambda **more: BENCHMARKS.from_value(
        {"name": "defects4j", "folder": str(home), "checkouts": str(tmp_path / "kept"), "timeout_s": 8, **more}
    )


def test_bugs_are_those_of_the_command_line_and_their_places_are_written_down(made, tmp_path):
    benchmark = made()
    assert [one.id for one in benchmark.entries()] == ["defects4j/Calc-1", "defects4j/Pair-7"]
    assert not (tmp_path / "kept").exists(), "a list needs no checkout"
    bug, pair = benchmark.bugs()
    assert (bug.path, bug.project, bug.span.start, bug.span.end) == ("source/org/calc/Calc.java", "Calc", 6, 6)
    assert (bug.buggy_lines, bug.fixed_lines) == ("        return n - 1;\n", "        return n / 2;\n")
    assert (bug.failing, bug.passing) == (("org.calc.CalcTest::halves",), (ALL,))
    assert json.loads((tmp_path / "kept/mapping.json").read_text()) == {
        "defects4j/Calc-1": {"file": "source/org/calc/Calc.java", "start": 6, "end": 6},
        "defects4j/Pair-7": {"file": "src/two/One.java", "start": 4, "end": 4},
    }
    reason = benchmark.skipped()[pair.id]
    assert reason == "its fix changes 2 files: src/two/One.java, src/two/Two.java" or "JDK" in reason


@pytest.mark.slow
def test_a_patched_checkout_is_compiled_and_tested_trigger_tests_first(made, sandbox):
    benchmark = made(bugs=["Calc-1"])
    (bug,) = benchmark.bugs()
    if reason := benchmark.skipped().get(bug.id):
        pytest.skip(reason)

    def judged(text):
        return benchmark.evaluate(bug, Patch(bug.id, text), sandbox)

    assert "größe" in bug.fixed, "the file is Latin-1 and stays it"
    fixed = judged(bug.fixed)
    assert fixed.is_plausible, fixed
    buggy = judged(bug.buggy)
    assert (buggy.outcome, buggy.failed) == (Outcome.TEST_FAILED, ("org.calc.CalcTest::halves",)), buggy
    other = judged(bug.fixed.replace("return n;", "return n + 1;"))
    assert (other.outcome, other.failed) == (Outcome.TEST_FAILED, ("org.calc.CalcTest::keeps",)), other
    broken = judged(bug.fixed.replace("n / 2", "n /"))
    assert broken.outcome is Outcome.COMPILE_ERROR, broken
    assert "illegal start of expression" in broken.log
    assert judged(bug.fixed.replace("return n / 2;", "while (true) {}")).outcome is Outcome.TIMEOUT


def test_what_is_missing_is_said_with_how_to_get_it(made, tmp_path, monkeypatch, home):
    with pytest.raises(UserError, match=f"no {tmp_path}/framework/bin/defects4j; git clone"):
        made(folder=str(tmp_path)).check()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="no defects4j on the PATH; git clone"):
        made(folder="").check()
    monkeypatch.setenv("PATH", f"{home}/framework/bin{os.pathsep}/usr/bin")
    made(folder="").check()
    with pytest.raises(UserError, match="no project 'Long'; it has Calc, Pair"):
        made(bugs=["Long-1"]).entries()
    with pytest.raises(UserError, match="Calc has no active bug '9'"):
        made(bugs=["Calc-9"]).entries()
    (home / "framework/projects/Calc/9b").mkdir(mode=0o755)
    with pytest.raises(UserError, match="defects4j checkout -p Calc -v 9f .*failed: no such version: 9f"):
        made(bugs=["Calc-9"]).bugs()
    (home / "framework/projects/Calc/9b").rmdir()
