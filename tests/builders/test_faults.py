"""Faults injected into real functions: one each, varied, repeatable; and the errors for sources without functions."""

from __future__ import annotations

import ast
from collections import Counter
from itertools import islice

import pytest
from pydantic import ValidationError

from engine.builders import Funnel
from engine.builders.faults import FaultInjection
from engine.domain import span_of_change
from engine.errors import UserError

CODE = '''\
class Box:
    def add(self, amount, limit=10):
        """Put something in."""
        # never more than the limit
        if self.total + amount > limit:
            raise ValueError(amount)

        self.total += amount
        return self.total
'''


@pytest.fixture
def folder(tmp_path):
    """Two packages of one project each, with one good file each."""
    for package in ("left", "right"):
        (tmp_path / "lib" / package).mkdir(parents=True)
        (tmp_path / "lib" / package / "box.py").write_text(CODE.replace("10", f"{len(package)}"))
    return tmp_path / "lib"


def read(seed: int = 0, **settings):
    funnel = Funnel()
    return list(FaultInjection(FaultInjection.Params(**settings)).stream(seed, funnel)), funnel


def test_a_bug_is_one_function_with_one_fault(folder):
    bugs, _ = read(folder=str(folder), samples=20)
    assert len({bug.id for bug in bugs}) == 20
    assert len({bug.buggy for bug in bugs}) == 20
    for bug in bugs:
        assert bug.fixed.startswith("def add(self, amount, limit=")
        assert "#" not in bug.fixed
        assert "Put something" not in bug.fixed
        assert "\n\n" not in bug.fixed
        assert ast.dump(ast.parse(bug.buggy)) != ast.dump(ast.parse(bug.fixed))
        assert bug.span == span_of_change(bug.buggy, bug.fixed)
        assert bug.span.end - bug.span.start <= 1
        assert bug.kind
    assert {bug.project for bug in bugs} == {"left", "right"}
    assert {bug.path for bug in bugs} == {"left/box.py", "right/box.py"}
    assert bugs[0].id in {"faults/left/box.py:add:0", "faults/right/box.py:add:0"}


def test_the_same_seed_gives_the_same_bugs_and_a_smaller_set_is_its_start(folder):
    bugs, _ = read(7, folder=str(folder), samples=12)
    assert read(7, folder=str(folder), samples=12)[0] == bugs
    assert read(8, folder=str(folder), samples=12)[0] != bugs


def test_300_samples_of_the_standard_library_have_at_least_12_kinds():
    bugs, funnel = read(samples=300)
    assert len(bugs) == 300
    assert len({bug.kind for bug in bugs}) >= 12
    assert len({bug.path for bug in bugs}) >= 50
    assert len({bug.project for bug in bugs}) >= 20
    assert all(3 <= bug.fixed.count("\n") <= 40 for bug in bugs)
    assert funnel.source == 300 + sum(funnel.lost.values())


def test_only_the_operators_asked_for(folder):
    bugs, _ = read(folder=str(folder), samples=4, operators=("comparison", "missing_return"))
    assert {bug.kind for bug in bugs} == {"comparison", "missing_return"}


def test_a_source_with_too_few_functions_is_counted_in_the_funnel(folder):
    bugs, funnel = read(folder=str(folder), samples=5000)
    assert 40 < len(bugs) < 1000
    assert funnel.lost["asked for, but the files have no more"] == 5000 - len(bugs)
    assert funnel.source == 5000


def test_a_file_gives_no_more_than_its_share(folder):
    bugs, _ = read(folder=str(folder), samples=50, per_file=3)
    assert [sum(bug.path.startswith(side) for bug in bugs) for side in ("left", "right")] == [3, 3]


def test_unfit_files_and_functions_are_counted_with_an_example(folder):
    (folder / "latin.py").write_bytes(b"# caf\xe9\n")
    (folder / "torn.py").write_text("def f(:\n")
    (folder / "two.py").write_text("def f(a):\n    print 'hello'\n    return a\n")
    (folder / "short.py").write_text("def f():\n    return 1\n")
    (folder / "long.py").write_text("def f():\n" + "    x = 1\n" * 41)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_x.py").write_text("print 'never read'\n")
    _, funnel = read(folder=str(folder), samples=5000)
    assert funnel.examples["files are not UTF-8"] == "latin.py"
    assert funnel.examples["functions shorter than 3 lines"] == "short.py:1"
    assert funnel.examples["functions longer than 40 lines"] == "long.py:1"
    assert [where for reason, where in funnel.examples.items() if "files do not parse as Python 3" in reason] == [
        "torn.py"
    ]
    assert [where for reason, where in funnel.examples.items() if "functions do not parse" in reason] == ["two.py:1"]
    assert all(count == 1 for reason, count in funnel.lost.items() if "asked" not in reason)


def test_windows_files_are_read(folder):
    (folder / "left" / "box.py").write_bytes(CODE.replace("\n", "\r\n").encode())
    bugs, _ = read(folder=str(folder), samples=8)
    assert not any("\r" in bug.buggy for bug in bugs)


def test_it_streams(folder, monkeypatch):
    for number in range(50):
        (folder / f"m{number}.py").write_text(CODE)
    opened = []
    original = type(folder).read_bytes
    monkeypatch.setattr(type(folder), "read_bytes", lambda path: opened.append(path) or original(path))
    stream = FaultInjection(FaultInjection.Params(folder=str(folder), samples=500)).stream(0, Funnel())
    assert len(list(islice(stream, 3))) == 3
    assert len(opened) == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        UserError, match=r"the folder '.*nowhere' does not exist; name a folder of source code"
    ) as error:
        read(folder=str(tmp_path / "nowhere"))
    assert error.value.field == "builder.folder"


def test_a_file_is_no_folder(folder):
    with pytest.raises(UserError, match="is a file, not a folder"):
        read(folder=str(folder / "left" / "box.py"))


def test_a_folder_without_python_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"there is no Python file \(\*\.py\) under"):
        read(folder=str(tmp_path))


def test_a_folder_without_a_usable_function_says_why(tmp_path):
    (tmp_path / "short.py").write_text("def f():\n    return 1\n")
    (tmp_path / "latin.py").write_bytes(b"\xe9")
    with pytest.raises(
        UserError, match=r"no fault could be injected under .*: .*1 files are not UTF-8 \(first: latin.py\)"
    ):
        read(folder=str(tmp_path))


def test_a_folder_without_functions_says_so(tmp_path):
    (tmp_path / "x.py").write_text("x = 1\n")
    with pytest.raises(UserError, match="the files define no function"):
        read(folder=str(tmp_path))


JAVA = """class Box {
    private int total;

    // never more than the limit
    boolean add(int amount, int limit) {
        if (total + amount > limit) {
            return false;
        }
        total += amount;
        return true;
    }
}
"""


def test_java_methods(tmp_path):
    (tmp_path / "Box.java").write_text(JAVA)
    (tmp_path / "Torn.java").write_text("class Torn { int f( { }\n")
    bugs, funnel = read(folder=str(tmp_path), language="java", samples=10)
    assert len(bugs) == 10
    assert {(bug.language, bug.path) for bug in bugs} == {("java", "Box.java")}
    assert all(bug.fixed.startswith("boolean add(int amount, int limit) {\n") for bug in bugs)
    assert all("never more" not in bug.fixed for bug in bugs)
    assert funnel.examples["files do not parse as Java"] == "Torn.java"
    with pytest.raises(UserError, match="no folder is named; name a folder of Java source"):
        read(language="java")


def test_several_faults_at_once(folder):
    bugs, funnel = read(folder=str(folder), samples=10, faults=3)
    assert {bug.kind for bug in bugs} == {"several_faults"}
    assert sum(funnel.counts["Injected faults"].values()) == 30
    assert any(bug.span.end - bug.span.start > 1 for bug in bugs)


def test_faults_are_counted_by_operator(folder):
    bugs, funnel = read(folder=str(folder), samples=10)
    assert funnel.counts == {"Injected faults": dict(Counter(bug.kind for bug in bugs))}


def test_no_more_versions_of_a_function_than_asked_for(folder):
    bugs, _ = read(folder=str(folder), samples=50, per_function=2)
    assert len(bugs) == 4


def test_a_kind_of_more_weight_comes_first_and_one_of_none_never(folder):
    (folder / "left/box.py").unlink()
    first = Counter(
        read(seed, folder=str(folder), samples=1, weights=("missing_line=500", "comparison=0"))[0][0].kind
        for seed in range(20)
    )
    assert first["missing_line"] >= 15
    bugs, _ = read(folder=str(folder), samples=500, weights=("comparison=0",))
    assert "comparison" not in {bug.kind for bug in bugs}


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ("jump=2", "no kind of fault called 'jump'"),
        ("comparison", "a number from 0"),
        ("comparison=-1", "from 0 to 1000"),
    ],
)
def test_a_wrong_weight_is_named(weight, said):
    with pytest.raises(ValidationError, match=said):
        FaultInjection.Params(weights=(weight,))


def test_no_operator_is_refused():
    with pytest.raises(ValidationError):
        FaultInjection.Params(operators=())


def test_a_file_that_is_too_long_to_be_source_is_left_out(folder):
    (folder / "left" / "data.py").write_text("x = [\n" + "1,\n" * 400_000 + "]\n")
    bugs, funnel = read(folder=str(folder), samples=20)
    assert len(bugs) == 20
    assert (funnel.lost, funnel.examples) == (
        {"files longer than 1 MiB": 1},
        {"files longer than 1 MiB": "left/data.py"},
    )
