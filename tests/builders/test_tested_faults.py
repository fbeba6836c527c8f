"""Faults that a project's own tests notice: what is kept, that it can be judged again, and why a project is no use."""

from __future__ import annotations

import json
import os

import pytest
from tested_project import USABLE, java_project, python_project, write

from engine.benchmarks.runners.java import JavaRunner
from engine.benchmarks.runners.java_tools import release_of
from engine.benchmarks.runners.project import Project, ProjectRunner
from engine.builders import Funnel
from engine.builders.ledger import Ledger
from engine.builders.tested.java import classes_in
from engine.builders.tested.untouched import inside
from engine.builders.tested_faults import KEPT, TRIED, NoticedFaults
from engine.domain import Outcome, Patch
from engine.errors import UserError
from engine.plugins import BENCHMARKS, SANDBOXES
from engine.sandboxes.auto import usable


@pytest.fixture
def project(tmp_path):
    return python_project(tmp_path / "project")


def read(folder, seed=0, **settings):
    funnel = Funnel()
    builder = NoticedFaults(NoticedFaults.Params(folder=str(folder), **settings))
    return list(builder.stream(seed, funnel)), funnel


def files_in(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def judged(folder, **settings):
    """Bug id -> outcomes of its known fix and of its buggy code, by the benchmark that was written."""
    benchmark = BENCHMARKS.from_value({"name": "folder", "folder": str(folder), **settings})
    sandbox = usable(SANDBOXES.params("auto"))
    return {
        bug.id.partition("/")[2]: [benchmark.evaluate(bug, Patch(bug.id, text), sandbox) for text in each]
        for bug in benchmark.bugs()
        for each in [(bug.fixed, bug.buggy)]
    }


@pytest.mark.slow
def test_every_bug_is_noticed_by_some_tests_and_can_be_judged_again(project, tmp_path):
    before = files_in(project)
    bugs, funnel = read(project, samples=12, out=str(tmp_path / "out"))
    assert files_in(project) == before, "the user's folder is only read"
    assert len(bugs) == len({bug.id for bug in bugs}) == 12
    for bug in bugs:
        assert bug.failing
        assert bug.passing
        assert {*bug.failing, *bug.passing} <= USABLE, "neither the failing test nor the flaky one"
        assert not {*bug.failing} & {*bug.passing}
        assert bug.fix_is_in_span
        assert bug.path in ("src/shop/prices.py", "src/shop/rounding.py")
        assert "never_called" not in bug.id
    assert funnel.source == 12 + sum(funnel.lost.values())
    assert funnel.lost["functions that no test calls"] == 1
    assert funnel.counts["Tests that are not used"] == {"fail on the untouched project": 1, "pass only sometimes": 1}
    assert sum(funnel.counts[KEPT].values()) == 12 <= sum(funnel.counts[TRIED].values())
    verdicts = judged(tmp_path / "out")
    assert verdicts.keys() == {bug.id.partition("/")[2] for bug in bugs}
    for fixed, buggy in verdicts.values():
        assert fixed.is_plausible, fixed
        assert (buggy.outcome, buggy.reason) == (Outcome.TEST_FAILED, "")
    by_name = {bug.id.partition("/")[2]: bug for bug in bugs}
    assert all({*verdicts[name][1].failed} == {*by_name[name].failing} for name in by_name)
    assert not (tmp_path / "out/project/.git").exists()


@pytest.mark.slow
def test_a_later_build_goes_on_where_a_killed_one_ended(project, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first, _ = read(project, samples=6, out=str(out))
    ledger = out / "tested.jsonl"
    tried = []
    trial = ProjectRunner.trial
    monkeypatch.setattr(ProjectRunner, "trial", lambda *given: tried.append(given[1]) or trial(*given))
    assert read(project, samples=6, out=str(out))[0] == first
    assert not {bug.buggy for bug in first} & {*tried}, "what is known is not tried again"
    tried.clear()
    lines = ledger.read_bytes().splitlines(keepends=True)
    of_faults = [number for number, line in enumerate(lines) if len(json.loads(line)[0]) == 32]
    ledger.write_bytes(b"".join(lines[: of_faults[3] + 1]) + lines[of_faults[4]][:20])  # killed while it wrote
    assert read(project, samples=6, out=str(out))[0] == first
    again = {bug.buggy for bug in first} & {*tried}
    assert 0 < len(again) < 6
    more, _ = read(project, samples=9, out=str(out))
    assert more[:6] == first
    assert len(list(out.glob("*/bug.json"))) == 9


@pytest.mark.slow
def test_faults_that_do_not_end_are_left_out_in_time(tmp_path):
    code = "def count(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\n"
    tests = "from count import count\n\n\ndef test_three():\n    assert count(3) == 3\n\n\ndef test_none():\n    pass\n"
    folder = write(tmp_path / "endless", {"count.py": code, "test_count.py": tests})
    bugs, funnel = read(folder, samples=8, operators=("assignment_operator", "missing_line"), per_function=8)
    assert funnel.lost["faults that take too long"] >= 1
    assert all("test_none" in bug.passing[0] for bug in bugs)


@pytest.mark.slow
def test_a_java_project(tmp_path):
    if reason := JavaRunner(1).unavailable():
        pytest.skip(reason)
    project = java_project(tmp_path / "java")
    bugs, funnel = read(project, language="java", samples=5, out=str(tmp_path / "out"), workers=1)
    assert len(bugs) == 5
    assert {bug.path for bug in bugs} == {"src/main/java/shop/Box.java", "src/main/java/shop/Sums.java"}
    assert {test.partition("::")[0] for bug in bugs for test in bug.failing + bug.passing} == {
        "src/test/java/shop/BoxTest.java"
    }
    for fixed, buggy in judged(tmp_path / "out").values():
        assert fixed.is_plausible, fixed
        assert buggy.outcome is Outcome.TEST_FAILED


@pytest.mark.parametrize(
    ("tests", "wanted"),
    [
        (".", {"a/b/ATest.java", "a/bc/BTest.java"}),
        ("a/b", {"a/b/ATest.java"}),
        ("./a//b/", {"a/b/ATest.java"}),
        ("a/bc/BTest.java", {"a/bc/BTest.java"}),
        ("x/..", {"a/b/ATest.java", "a/bc/BTest.java"}),
    ],
)
def test_java_tests_below_a_folder(tests, wanted):
    files = dict.fromkeys(["a/b/ATest.java", "a/bc/BTest.java"], b"import org.junit.Test;\n") | {"a/b/Box.java": b""}
    assert {*classes_in(files, inside(tests))} == wanted


SOURCE = "def twice(n):\n    m = n * 2\n    return m\n"
GOOD = "from code_of_mine import twice\n\n\ndef test_twice():\n    assert twice(2) == 4\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no tests: there is no file called test_"),
        ({"test_a.py": "x = 1\n"}, "pytest found no test to run"),
        ({"test_a.py": "def test_it():\n    assert 0\n"}, "all 1 tests of the project fail before anything is changed"),
        ({"test_a.py": "import no_such_package\n"}, "they need no_such_package, and only Python's standard library"),
        (
            {"test_a.py": GOOD, "conftest.py": "import socket\nsocket.create_connection(('1.2.3.4', 80), 1)\n"},
            "(?s)conftest.*(unreachable|not permitted)",
        ),
        (
            {"test_a.py": "import os\n\n\ndef test_it():\n    os._exit(0)\n"},
            "end the whole process before they are done",
        ),
        ({"test_a.py": "def test_it():\n    pass\n"}, "its tests call no function of it|functions that no test calls"),
        ({"test_a.py": "def test_it():\n    while True:\n        pass\n"}, "take more than 2 s of processor time"),
    ],
)
def test_a_project_that_is_no_use_says_why(tmp_path, files, said):
    folder = write(tmp_path / "project", {"code_of_mine.py": SOURCE, **files})
    with pytest.raises(UserError, match=said):
        read(folder, samples=3, most_s=2)


FORGED = """

def test_forged():
    import gc, os
    values = [value for each in gc.get_objects() if isinstance(each, dict) for value in list(each.values())]
    for nonce in {each for each in values if isinstance(each, str) and 8 <= len(each) <= 64 and each.isalnum()}:
        for said in ("lasted a", "lasted a b c", "lasted a b", "at 9 x", "calls test 99999"):
            for file in range(1, 12):
                try:
                    os.write(file, f"\\n{nonce} {said}\\n".encode())
                except OSError:
                    pass
"""


def test_a_project_that_writes_its_own_report_is_refused(tmp_path):
    project = write(
        tmp_path / "forger", {"code_of_mine.py": "def twice(a):\n    return a * 2\n", "test_a.py": GOOD + FORGED}
    )
    with pytest.raises(UserError, match="write into the report on them"):
        read(project)


@pytest.mark.parametrize(
    ("settings", "said", "field"),
    [
        (dict(folder=""), "no project is named", "builder.folder"),
        (dict(folder="/nowhere/at/all"), "does not exist; name the folder of a project", "builder.folder"),
        (dict(tests="test"), "there is no 'test' in .*project", "builder.tests"),
        (dict(tests=".."), "there is no '..' in .*project", "builder.tests"),
        (dict(tests="tests/../../project"), "name a file or folder of tests inside it", "builder.tests"),
        (dict(tests="/etc"), "there is no '/etc' in .*project", "builder.tests"),
        (
            dict(weights=("comparison=0",), operators=("comparison",)),
            "every kind of fault has weight 0",
            "builder.weights",
        ),
    ],
)
def test_a_wrong_setting_is_named(project, settings, said, field):
    with pytest.raises(UserError, match=said) as wrong:
        read(**{"folder": project, **settings})
    assert wrong.value.field == field


def test_a_folder_with_something_else_in_it_is_not_written_to(project, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty, and about another project, or other tools"):
        read(project, out=str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_a_test_that_takes_long_is_run_once_and_not_used(tmp_path):
    tests = GOOD + "\n\ndef test_twice_slowly():\n    import time\n    time.sleep(0.5)\n    assert twice(1) == 2\n"
    tests += "\n\ndef test_other():\n    pass\n"
    folder = write(tmp_path / "project", {"code_of_mine.py": SOURCE, "test_a.py": tests})
    bugs, funnel = read(folder, samples=2, budget_s=0.2)
    assert funnel.counts["Tests that are not used"] == {"take longer than 0.4 s": 1}
    assert {name for bug in bugs for name in bug.failing + bug.passing} == {
        "test_a.py::test_twice",
        "test_a.py::test_other",
    }
    with pytest.raises(UserError, match="every test of the project that passes takes longer than 2e-06 s"):
        read(folder, samples=2, budget_s=1e-6)


def test_the_bugs_are_not_written_into_the_project(project):
    with pytest.raises(UserError, match="is inside the project, .*name a folder outside it") as wrong:
        read(project, out=str(project / "bugs"))
    assert wrong.value.field == "builder.out"


def test_trials_with_another_pytest_are_not_taken_again(project, tmp_path, monkeypatch):
    builder = NoticedFaults(NoticedFaults.Params(folder=str(project)))
    runners = [ProjectRunner(Project.of(project), 5.0) for _ in range(2)]
    same = [builder._about(runner, tmp_path / "none") for runner in runners]
    assert same[0] == same[1]
    monkeypatch.setattr("engine.benchmarks.runners.python.pytest_version", lambda: "10.0")
    assert builder._about(runners[0], tmp_path / "none") != same[0]


def test_the_version_of_a_jdk_is_told_by_itself(tmp_path):
    assert release_of(tmp_path) == ""
    (tmp_path / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.9"\n')
    assert release_of(tmp_path) == "17.0.9", "which an upgrade in the same folder changes"


def test_a_ledger_about_something_else_is_begun_anew(tmp_path):
    Ledger(tmp_path / "tested.jsonl", "one").put("key", ["value", 1])
    assert Ledger(tmp_path / "tested.jsonl", "one").get("key") == ["value", 1]
    with (tmp_path / "tested.jsonl").open("a") as file:
        file.write('["key", ["other", 2')
    ledger = Ledger(tmp_path / "tested.jsonl", "one")
    assert ledger.get("key") == ["value", 1]
    ledger.put("more", 3)
    assert (
        Ledger(tmp_path / "tested.jsonl", "one").get("key"),
        Ledger(tmp_path / "tested.jsonl", "one").get("more"),
    ) == (["value", 1], 3)
    assert Ledger(tmp_path / "tested.jsonl", "two").get("key") is None
    assert json.loads((tmp_path / "tested.jsonl").read_text()) == ["about", "two"]


@pytest.mark.parametrize("line", [b"5", b"[]", b"[[1], 2]", b"[" * 100_000, b"\xff", b'["key", "other"'])
def test_a_damaged_line_of_a_ledger_is_passed_over(tmp_path, line):
    Ledger(tmp_path / "tested.jsonl", "one").put("key", "a\ud800")
    with (tmp_path / "tested.jsonl").open("ab") as file:
        file.write(line + b"\n")
    assert Ledger(tmp_path / "tested.jsonl", "one").get("key") == "a\ud800"


def test_a_ledger_that_cannot_be_written_as_a_whole_says_that_the_disk_is_full(tmp_path, monkeypatch):
    ledger, write = Ledger(tmp_path / "tested.jsonl", "one"), os.write
    monkeypatch.setattr(os, "write", lambda file, text: write(file, text[:5]))
    with pytest.raises(OSError, match="No space left on device"):
        ledger.put("key", "value")
    assert ledger.get("key") is None
