"""Bugs of one larger project share it: how they are read, what is wrong with them, and how their tests are twinned."""

from __future__ import annotations

import json
import os

import pytest

from engine.benchmarks.runners.project import Project, ProjectRunner
from engine.benchmarks.runners.project_files import files_of
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.twins import with_some_twins, with_twins
from engine.domain import Outcome, Patch
from engine.errors import UserError
from engine.plugins import BENCHMARKS

CODE = "from words import joined\n\n\ndef greeting(name):\n    return joined('hello', name)\n"
WORDS = "def joined(left, right):\n    return left + ' ' + right\n"
TESTS = "from greetings import greeting\n\n\ndef test_name():\n    assert greeting('ada') == 'hello ada'\n\n\n"
TESTS += "class TestMore:\n    def test_begin(self):\n        assert greeting('x').startswith('hello')\n"
TOLD = {
    "language": "python",
    "base": "../project",
    "file": "words.py",
    "span": [2, 2],
    "failing": ["tests/test_greetings.py::test_name"],
    "passing": ["tests/test_greetings.py::TestMore::test_begin"],
}


@pytest.fixture
def shared(tmp_path):
    """Two bugs of one project of two modules, in different files."""
    folder = tmp_path / "bugs"
    files = {
        "project/greetings.py": CODE,
        "project/words.py": WORDS,
        "project/tests/test_greetings.py": TESTS,
        "one/buggy/words.py": WORDS.replace("' '", "''"),
        "one/bug.json": json.dumps(TOLD),
        "two/buggy/greetings.py": CODE.replace("'hello', name", "'hello', name[0]"),
        "two/bug.json": json.dumps({**TOLD, "file": "greetings.py", "span": [5, 5]}),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def folder_of(path, **settings):
    return BENCHMARKS.from_value({"name": "folder", "folder": str(path), **settings})


def change(folder, **values):
    (folder / "one/bug.json").write_text(json.dumps({**TOLD, **values}))


def test_bugs_of_one_project_are_read(shared):
    benchmark = folder_of(shared)
    one, two = benchmark.bugs()
    assert (one.path, one.fixed) == ("words.py", WORDS)
    assert (two.path, two.fixed_lines) == ("greetings.py", "    return joined('hello', name)\n")
    assert len({benchmark.version(bug) for bug in (one, two)}) == 2
    before = benchmark.version(one)
    (shared / "project/greetings.py").write_text(CODE + "\n\nmore = 1\n")
    (shared / "two/buggy/greetings.py").write_text(CODE + "\n\nmore = 1\n")
    with pytest.raises(UserError, match="two: the buggy and the fixed file are the same"):
        folder_of(shared).bugs()
    (shared / "two/buggy/greetings.py").write_text(CODE)
    (shared / "two/bug.json").unlink()
    again = folder_of(shared)
    assert again.version(again.bugs()[0]) != before, "verdicts are not kept where another file has changed"


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["warm", "reference"])
def test_patches_are_judged_in_the_whole_project(shared, sandbox, runner):
    benchmark = folder_of(shared, runner=runner)
    for bug in benchmark.bugs():
        fixed = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
        assert (fixed.outcome, fixed.isolation) == (Outcome.PLAUSIBLE, "shared"), fixed
        buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
        assert (buggy.outcome, buggy.failed) == (Outcome.TEST_FAILED, bug.failing), buggy
        wrong = benchmark.evaluate(bug, Patch(bug.id, "def ("), sandbox)
        assert wrong.outcome is Outcome.COMPILE_ERROR


@pytest.mark.slow
def test_a_patch_that_makes_every_test_pass_is_found_out(shared, sandbox):
    (bug, _) = folder_of(shared).bugs()
    forged = bug.buggy + (
        "\n\nclass Same(str):\n    __eq__ = lambda self, other: True\n    __hash__ = str.__hash__\n\n\n"
        "def joined(left, right):\n    return Same(left + ' ')\n"
    )
    verdict = folder_of(shared).evaluate(bug, Patch(bug.id, forged), sandbox)
    assert verdict.outcome is Outcome.TEST_FAILED
    assert verdict.reason.startswith(("introspection", "forged"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(base="../.."), "base: '../..' should name a folder inside the folder of the bugs"),
        (dict(base="/etc"), "base: '/etc' should name a folder inside"),
        (dict(base="../nothing"), "base: there is no folder '../nothing'"),
        (dict(file="other.py"), "buggy/other.py cannot be read.*there is no 'other.py' in its project ../project"),
        (dict(failing=["test_name"]), "'test_name' should name a test with its file"),
        (dict(failing=["tests/no.py::test_a"]), "'tests/no.py::test_a': its project has no such file"),
        (dict(span=[1, 1]), "span: the fixed file differs from the buggy one outside lines 1 to 1"),
    ],
)
def test_what_is_wrong_with_such_a_bug_is_said(shared, wrong, said):
    change(shared, **wrong)
    with pytest.raises(UserError, match=rf"(?s)1 bugs of .*one: .*{said}"):
        folder_of(shared).bugs()


def test_a_java_bug_has_its_tests_in_one_file(shared):
    for name in ("A", "B"):
        (shared / f"project/{name}Test.java").touch()
    change(shared, language="java", failing=["ATest.java::one"], passing=["BTest.java::two"])
    with pytest.raises(UserError, match="the tests of a Java bug should all be in one file"):
        folder_of(shared).bugs()


def test_twins_stand_beside_their_tests_and_nothing_else_changes():
    text = "# kept\n@mark\ndef test_a(x):\n    assert x == 1\n\n\nclass TestB:\n\tdef test_a(self):\n\t\tassert f()\n\n\tdef test_c(self): pass\n"
    doubled, names = with_some_twins(text.encode(), {"test_a"})
    assert names.keys() == {"test_a"}
    found = doubled.decode()
    assert found.count(f"def {names['test_a']}(") == 2
    assert f"\tdef {names['test_a']}(self):\n" in found
    assert found.count("@mark") == 2
    left = iter(found.splitlines())
    assert all(line in left for line in text.splitlines()), "all lines are there, in their order"
    compile(found, "tests", "exec")


def test_tests_under_a_condition_and_asynchronous_ones_have_twins_too():
    text = (
        b"import unittest\nif True:\n    def test_a():\n        assert 1\ntry:\n    import x\nexcept ImportError:\n"
        b"    class B(unittest.IsolatedAsyncioTestCase):\n        async def test_b(self):\n            assert 1 == 1\n"
        b"            return\n"
    )
    twinned, names = with_some_twins(text, {"test_a", "test_b"})
    assert names.keys() == {"test_a", "test_b"}
    compile(twinned, "twinned.py", "exec")
    assert f"        async def {names['test_b']}(self)".encode() in twinned
    doubled, twins = with_twins(Suite("x.py", "test_x.py", {"test_x.py": text}), ["test_a", "B::test_b"])
    assert twins.keys() == {"test_a", "B::test_b"}
    assert f"async def {twins['B::test_b'].partition('::')[2]}(self)".encode() in doubled.files["test_x.py"]


def test_a_test_without_a_twin_judges_no_patch(shared, sandbox):
    (shared / "project/more.py").write_text("class More:\n    def test_more(self):\n        assert True\n")
    text = "from more import More\n\n\nclass TestInherited(More):\n    pass\n"
    (shared / "project/tests/test_inherited.py").write_text(text)
    change(shared, passing=[*TOLD["passing"], "tests/test_inherited.py::TestInherited::test_more"])
    benchmark = folder_of(shared)
    bug = benchmark.bugs()[0]
    verdict = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
    assert (verdict.outcome, verdict.reason.partition(":")[0]) == (
        Outcome.TEST_FAILED,
        "nothing shows whether it is forged",
    )


def test_twins_are_named_with_their_files(shared):
    runner = ProjectRunner(Project.of(shared / "project"), 5)
    tests = [*TOLD["failing"], *TOLD["passing"]]
    suite, twins = runner.with_twins(Suite("words.py", "\n".join(tests), {}))
    assert twins.keys() == {*tests}
    assert all(twin.startswith(test.rpartition("::")[0] + "::test_") for test, twin in twins.items())
    assert suite.tests.split("\n") == [*tests, *twins.values()]
    assert suite.files.keys() == {"tests/test_greetings.py"}


def test_of_a_project_only_its_own_files_are_taken(tmp_path):
    for path in (
        "a.py",
        "b/c.py",
        ".git/config",
        "venv/lib.py",
        "b/__pycache__/c.pyc",
        ".env",
        "build/a.py",
        "b/build/d.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n")
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("x = 1\n")
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    (tmp_path / os.fsdecode(b"\xff") / "e.py").write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "linked").symlink_to("/etc")
    assert {*files_of(tmp_path)} == {"a.py", "b/build/d.py", "b/c.py"}
    assert Project.of(tmp_path).digest, "which is a hash of names too"


@pytest.mark.parametrize("limit", [{"COMPILER_BYTES": 64 << 20}, {"COMPILER_S": 0.01}])
def test_a_project_that_is_too_much_to_compile_is_compiled_later(monkeypatch, limit):
    for name, value in limit.items():
        monkeypatch.setattr(f"engine.benchmarks.runners.project.{name}", value)
    runner = ProjectRunner(Project({"a.py": b"x = [1, 2]\n" * 200_000, "b.py": b"x = 1\n"}), 5.0)
    copy = runner._copy.path / "files"
    assert (copy / "a.py").is_file()
    assert not [*copy.rglob("a.*.pyc")]


def test_a_folder_that_is_no_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.benchmarks.runners.project_files.MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.py").touch()
    with pytest.raises(UserError, match="more than 3 files or 64 MiB; name the folder of the project itself") as wrong:
        files_of(tmp_path, "benchmark.folder")
    assert wrong.value.field == "benchmark.folder"
