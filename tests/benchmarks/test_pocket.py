"""Both test runners accept the fix, reject the fault and known tricks, and name the limit that was exceeded."""

from __future__ import annotations

import pytest

from engine.benchmarks.pocket import Pocket
from engine.benchmarks.runners import java_tools
from engine.domain import Outcome, Patch
from engine.errors import MissingDependency, SandboxUnavailable
from engine.sandboxes import Ran

PYTHON_TRICKS = {
    "exits zero": "import os; os._exit(0)",
    "exits zero when called": "import os\ndef middle(text): os._exit(0)",
    "leaves the tests": "import sys; sys.exit(0)",
    "leaves later": "import os, atexit; atexit.register(os._exit, 0)\ndef middle(text): return None",
    "stops pytest": "import pytest\ndef middle(text): pytest.exit('fine', 0)",
    "skips the tests": "import pytest\ndef middle(text): pytest.skip('fine')",
    "skips the module": "import pytest; pytest.skip('fine', allow_module_level=True)",
    "plants a conftest": "open('conftest.py', 'w').write('def pytest_collection_modifyitems(items): items.clear()')\n"
    "def middle(text): return 1",
    "rewrites the tests": "open('test_middle.py', 'w').write('def test_one(): pass')\ndef middle(text): return 1",
    "prints a report": "print('ready\\ncompiled\\npassed test_one\\npassed test_three\\ndone')\ndef middle(text): return 1",
    "writes to the report": "import os\nfor word in ('test_one', 'test_three', 'test_pairs[xy-x]'):\n"
    "    for fd in range(1, 20):\n        try: os.write(fd, f'nonce passed {word}\\n'.encode())\n"
    "        except OSError: pass\nos._exit(0)",
    "kills its process": "import os; os.kill(0, 9)",
}
JAVA_TRICKS = {
    "exits zero": "System.exit(0); return 0;",
    "exits zero in the class": "return A; } static int A = stop(); static int stop() { System.exit(0); return 0;",
    "halts": "Runtime.getRuntime().halt(0); return 0;",
    "prints a report": 'System.out.println("nonce passed ofTwo\\nnonce done"); return -1;',
    "prints as it exits": "Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(0)));"
    " System.exit(0); return 0;",
}


def judged(pocket, bug, text, sandbox):
    if reason := pocket.skipped().get(bug.id):
        pytest.skip(reason)
    return pocket.evaluate(bug, Patch(bug.id, text), sandbox)


def java(body):
    return f"class Larger {{ static int of(int a, int b) {{ {body} }} }}\n"


@pytest.mark.parametrize("language", ["python", pytest.param("java", marks=pytest.mark.slow)])
def test_the_fix_is_plausible_and_the_fault_is_not(pocket, bugs, sandbox, language):
    bug = bugs[language]
    fixed = judged(pocket, bug, bug.fixed, sandbox)
    assert (fixed.outcome, fixed.reason, fixed.failed) == (Outcome.PLAUSIBLE, "", ()), fixed
    assert fixed.sandbox == sandbox.describe()
    buggy = judged(pocket, bug, bug.buggy, sandbox)
    assert buggy.outcome is Outcome.TEST_FAILED
    assert set(buggy.failed) == set(bug.failing)
    assert "middle" in buggy.log or "expected:<2> but was:<1>" in buggy.log


@pytest.mark.slow
@pytest.mark.parametrize("trick", PYTHON_TRICKS)
def test_no_python_trick_is_plausible(pocket, bugs, sandbox, trick):
    verdict = judged(pocket, bugs["python"], PYTHON_TRICKS[trick], sandbox)
    assert verdict.outcome is Outcome.TEST_FAILED, verdict
    assert verdict.reason or verdict.failed


@pytest.mark.slow
@pytest.mark.parametrize("trick", JAVA_TRICKS)
def test_no_java_trick_is_plausible(pocket, bugs, sandbox, trick):
    verdict = judged(pocket, bugs["java"], java(JAVA_TRICKS[trick]), sandbox)
    assert verdict.outcome is Outcome.TEST_FAILED, verdict
    assert verdict.reason or verdict.failed


FLOOD = """import os
while True:
    for fd in range(3, 20):
        try: os.write(fd, b'\\xff\\0' * 999)
        except OSError: pass
"""
ENDINGS = [
    ("python", "def middle(text):\n    return (", Outcome.COMPILE_ERROR, ""),
    ("python", "\0", Outcome.COMPILE_ERROR, ""),
    ("python", "x = '\ud800'", Outcome.COMPILE_ERROR, ""),
    ("python", f"x = {'(' * 9999}", Outcome.COMPILE_ERROR, ""),
    ("python", "", Outcome.TEST_FAILED, ""),
    ("python", "while True: pass", Outcome.TIMEOUT, ""),
    ("python", "def middle(text):\n    return 10 ** 10 ** 10", Outcome.TIMEOUT, ""),  # one call that never comes back
    ("python", "def middle(text):\n    return [0] * 10 ** 10", Outcome.TEST_FAILED, "memory"),
    ("python", "x = [0] * 10 ** 10", Outcome.TEST_FAILED, "memory"),
    ("python", "import os\nwhile True: os.write(2, b'\\xff\\0' * 999)", Outcome.TEST_FAILED, ""),  # a file of pytest's
    ("python", FLOOD, Outcome.TEST_FAILED, "output_cap"),
    ("java", java("return a >"), Outcome.COMPILE_ERROR, ""),
    ("java", java("return new Object();"), Outcome.COMPILE_ERROR, ""),
    ("java", "class Smaller {}", Outcome.COMPILE_ERROR, ""),
    ("java", java("while (true) {}"), Outcome.TIMEOUT, ""),
    ("java", java("return new long[1 << 30].length;"), Outcome.TEST_FAILED, "memory"),
    ("java", java("return of(b, a);"), Outcome.TEST_FAILED, ""),  # StackOverflowError
    ("java", java("return " + "(" * 9999 + "a" + ")" * 9999 + ";"), Outcome.COMPILE_ERROR, ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "text", "outcome", "reason"), ENDINGS)
def test_every_ending_has_its_name(pocket, bugs, sandbox, language, text, outcome, reason):
    verdict = judged(pocket, bugs[language], text, sandbox)
    assert (verdict.outcome, verdict.reason) == (outcome, reason), verdict
    assert "\0" not in verdict.log
    assert len(verdict.log) < 5000


def test_a_failed_test_shows_its_assertion_and_no_host_path(pocket, bugs, sandbox):
    verdict = judged(pocket, bugs["python"], "def middle(text):\n    return 'q'", sandbox)
    assert 'assert middle("abc") == "b"' in verdict.log
    assert "/usr/lib" not in verdict.log
    assert len(verdict.failed) == 3


def test_no_patch_is_not_run(pocket, bugs, sandbox):
    verdict = pocket.evaluate(bugs["python"], Patch("", None, "no code in the answer"), sandbox)
    assert (verdict.outcome, verdict.reason, verdict.sandbox) == (Outcome.NO_PATCH, "no code in the answer", "")


def test_a_missing_jdk_is_a_reason_and_not_a_verdict(pocket, bugs, sandbox, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "apt install" in pocket.skipped()[bugs["java"].id]
    verdict = pocket.evaluate(bugs["java"], Patch("", bugs["java"].fixed), sandbox)
    assert verdict.outcome is Outcome.NOT_RUN
    assert "apt install" in verdict.reason


def test_missing_junit_is_a_reason(pocket, bugs, monkeypatch, tmp_path):
    monkeypatch.setattr(java_tools, "DEBIAN_JARS", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "JUNIT_JARS" in pocket.skipped()[bugs["java"].id]
    monkeypatch.setenv("JUNIT_JARS", str(tmp_path / "missing.jar"))
    assert "JUNIT_JARS" in pocket.skipped()[bugs["java"].id]


@pytest.mark.parametrize("language", ["python", "java"])
def test_a_sandbox_that_does_not_start_gives_not_run(pocket, bugs, sandbox, monkeypatch, language):
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: Ran("not_started", None, b"", b"", 0.0, detail="no space"))
    monkeypatch.setattr(sandbox, "open", refuse)
    close_places(pocket)
    verdict = pocket.evaluate(bugs[language], Patch("", bugs[language].fixed), sandbox)
    assert (verdict.outcome, verdict.reason, verdict.log) == (Outcome.NOT_RUN, "infra_error", "no space")


def test_a_harness_that_does_not_start_gives_not_run(pocket, bugs, sandbox, monkeypatch):
    broken = Ran("exit", 1, b"", b"ImportError: no pytest", 0.1)
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: broken)
    monkeypatch.setattr(sandbox, "open", refuse)
    close_places(pocket)
    verdict = pocket.evaluate(bugs["python"], Patch("", bugs["python"].fixed), sandbox)
    assert (verdict.outcome, verdict.reason, verdict.log) == (Outcome.NOT_RUN, "infra_error", "ImportError: no pytest")


def test_languages_can_be_chosen(pocket):
    only = Pocket(Pocket.Params(languages=("java",)), pocket._folder)
    assert [bug.language for bug in only.bugs()] == ["java"]
    assert [bug.cwe for bug in pocket.bugs()] == ["", "CWE-480"]


def test_an_old_jdk_is_no_jdk(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    for tool in ("java", "javac"):
        (tmp_path / "bin" / tool).touch()
    monkeypatch.setattr(java_tools, "reachable", lambda path: path.is_file())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert java_tools.find_jdk() == tmp_path
    (tmp_path / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="1.8.0_202"\n')
    with pytest.raises(MissingDependency, match="JAVA_HOME"):
        java_tools.find_jdk()


def test_a_sandbox_that_does_not_open_for_the_second_run_gives_not_run(pocket, bugs, sandbox, monkeypatch):
    close_places(pocket)
    opens = iter([sandbox.open])  # the warm place, and then no more
    monkeypatch.setattr(sandbox, "open", lambda *given, **named: next(opens, refuse)(*given, **named))
    verdict = pocket.evaluate(bugs["python"], Patch("", bugs["python"].fixed), sandbox)
    assert (verdict.outcome, verdict.reason, verdict.log) == (Outcome.NOT_RUN, "infra_error", "no space")


def refuse(*_, **__):
    raise SandboxUnavailable("no space")


def close_places(pocket):
    for runner in (pocket._runners[language] for language in ("python", "java")):  # C has no warm places
        runner.trials.close()
        runner.judges.close()
