"""Tests that a model writes count where they pass on the correct code and fail on the faulty one."""

from __future__ import annotations

import json

import pytest

from engine.domain import Outcome, Patch
from engine.plugins import BENCHMARKS, REPRESENTATIONS

CODE = "import math\n\n\ndef half(n):\n    return {}\n\n\ndef other():\n    return math.pi\n"
TESTS = "from halves import half\n\n\ndef test_half():\n    assert half(4) == 2\n"
TOLD = {"language": "python", "file": "halves.py", "span": [5, 5], "failing": ["test_half"], "kind": "wrong_operator"}


@pytest.fixture
def made(tmp_path):
    for name, text in {
        "one/bug.json": json.dumps(TOLD),
        "one/buggy/halves.py": CODE.format("n - 1"),
        "one/fixed/halves.py": CODE.format("n // 2"),
        "one/tests/test_halves.py": TESTS,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return lambda **more: BENCHMARKS.from_value(
        {"name": "tests-for-methods", "folder": str(tmp_path), "timeout_s": 2, **more}
    )


def test_the_model_sees_the_correct_code_and_writes_the_file_of_tests(made):
    (bug,) = made().bugs()
    assert (bug.id, bug.path, bug.fixed_lines) == ("tests-for-methods/one", "test_halves.py", TESTS)
    assert bug.buggy_lines == "def test_nothing():\n    pass\n"
    left = REPRESENTATIONS.from_value("left_to_right")
    assert left.encode(bug).prompt == CODE.format("n // 2") + "\n"
    (bug,) = made(context="method").bugs()
    assert left.encode(bug).prompt == "def half(n):\n    return n // 2\n\n"
    assert "n - 1" not in bug.buggy


def test_the_project_is_that_of_the_bug_or_not_known(made, tmp_path):
    assert [bug.project for bug in made().bugs()] == ["tests-for-methods/one"], "as of a bug of no known project"
    (tmp_path / "one/bug.json").write_text(json.dumps({**TOLD, "project": "shop"}))
    assert [bug.project for bug in made().bugs()] == ["shop"]


IMPORT = "from halves import half\n"
WRITTEN = {
    f"{IMPORT}def test(): assert half(4) == 2": (Outcome.PLAUSIBLE, "", 0),
    f"{IMPORT}def test():\n    while half(4) != 2: pass": (Outcome.PLAUSIBLE, "", 0),
    f"{IMPORT}def test(): assert half(2) == 1": (Outcome.TEST_FAILED, "it passes on the faulty code too", 1),
    f"{IMPORT}def test(): assert half(4) == 3": (Outcome.TEST_FAILED, "", 2),
    f"{IMPORT}def half_is_fine(): pass": (Outcome.TEST_FAILED, "it holds no test", 2),
    f"{IMPORT}def test(): assert half(4) == 2\ndef test_not(): assert not half(4)": (Outcome.TEST_FAILED, "", 2),
    "import halves\nimport pytest\n@pytest.mark.parametrize('n', [2, 4])\ndef test(n): assert halves.half(n) * 2 == n": (
        Outcome.PLAUSIBLE, "", 0,
    ),
    "import halves, inspect\ndef test(): assert '//' in inspect.getsource(halves)": (
        Outcome.TEST_FAILED, "introspection: import inspect, inspect.getsource, the module halves as a value", 1,
    ),
    "def test(): assert '//' in open('halves.py').read()": (
        Outcome.TEST_FAILED, "introspection: open('halves.py')", 1,
    ),
    f"{IMPORT}def test(): assert 2 in half.__code__.co_consts": (
        Outcome.TEST_FAILED, "introspection: .co_consts, half.__code__", 1,
    ),
    "import linecache\ndef test(): assert '//' in linecache.getline('halves.py', 5)": (
        Outcome.TEST_FAILED, "introspection: import linecache, linecache.getline", 1,
    ),
    "def test(: pass": (Outcome.COMPILE_ERROR, "", 0),
    "while True: pass": (Outcome.TIMEOUT, "", 2),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("text", WRITTEN)
def test_tests_count_where_they_tell_right_from_wrong(made, sandbox, text):
    benchmark = made()
    (bug,) = benchmark.bugs()
    verdict = benchmark.evaluate(bug, Patch(bug.id, text), sandbox)
    assert (verdict.outcome, verdict.reason, len(verdict.failed)) == WRITTEN[text], verdict
    figures = benchmark.figures({bug.id: verdict})["python"]
    outcome, reason, failed = WRITTEN[text]
    assert figures == {
        "tests": 1,
        "compile": float(outcome is not Outcome.COMPILE_ERROR),
        "pass": float(outcome is Outcome.PLAUSIBLE or failed == 1),
        "find_the_fault": float(outcome is Outcome.PLAUSIBLE),
    }
