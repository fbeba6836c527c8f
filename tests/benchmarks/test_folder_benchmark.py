"""A folder of bugs is read as pocket is, and everything that is wrong with one is said at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.assets import BUGS
from engine.errors import UserError
from engine.plugins import BENCHMARKS

ONE = BUGS / "python/py-where-clause"


def folder_of(path, **settings):
    return BENCHMARKS.from_value({"name": "folder", "folder": str(path), **settings})


@pytest.fixture
def mine(tmp_path):
    shutil.copytree(ONE, tmp_path / "mine/where")
    return tmp_path / "mine"


def change(folder, **values):
    file = folder / "where/bug.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in {**told, **values}.items() if value is not None}))


def test_pocket_is_such_a_folder():
    pocket = BENCHMARKS.from_value("pocket")
    same = folder_of(BUGS)
    assert [bug.id.removeprefix("pocket/") for bug in pocket.bugs()] == [
        bug.id.removeprefix("folder/") for bug in same.bugs()
    ]
    only = BENCHMARKS.from_value({"name": "pocket", "folder": str(BUGS / "java")})
    assert {bug.language for bug in only.bugs()} == {"java"}


def test_the_folders_name_is_the_bugs_and_more_files_may_lie_beside_its_tests(mine):
    (mine / "where/tests/data.json").write_text("{}")
    change(mine, project="shop", id="whatever")
    (bug,) = folder_of(mine).bugs()
    assert (bug.id, bug.project) == ("folder/where", "shop")
    assert folder_of(mine).cases[bug.id][1].files.keys() == {"data.json", "test_where_clause.py"}
    assert [one.id for one in folder_of(mine.parent).entries()] == ["folder/where"], "a folder of folders"


def test_java_tests_may_stand_in_a_package(mine):
    shutil.rmtree(mine / "where")
    shutil.copytree(BUGS / "java/java-flag-set", mine / "flags")
    tests = mine / "flags/tests/FlagSetTest.java"
    tests.write_text("// tests\npackage one.two;\n" + tests.read_text())
    (bug,) = folder_of(mine).bugs()
    assert folder_of(mine).cases[bug.id][1].tests == "one.two.FlagSetTest"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(language="cobol"), "where/bug.json: language: .*'python', 'java' or 'c' .got 'cobol'"),
        (dict(span=None), "where/bug.json: span: Field required"),
        (dict(span=[0, 3]), "span.0: should be greater than or equal to 1 .got 0"),
        (dict(failing=[]), "failing: "),
        (dict(file="../x.py"), "file: '../x.py' should be a path inside"),
        (dict(file="other.py"), "buggy/other.py cannot be read: No such file.*fixed/other.py cannot be read"),
        (dict(span=[3, 99]), "span: 3 to 99 are no lines of a file of 17"),
        (dict(span=[9, 9]), "span: the fixed file differs from the buggy one outside lines 9 to 9"),
        (dict(passing=["test_quote_in_a_name"]), "'test_quote_in_a_name' stands in failing and in passing"),
    ],
)
def test_what_is_wrong_with_a_bug_is_said(mine, wrong, said):
    change(mine, **wrong)
    with pytest.raises(UserError, match=rf"(?s)1 bugs of .*mine are not as they should be:.*{said}"):
        folder_of(mine).bugs()


def test_files_that_are_no_use_are_said(mine):
    shutil.copytree(mine / "where", mine.parent / "again/where")
    with pytest.raises(UserError, match="where: 2 folders have this name"):
        folder_of(mine.parent).entries()
    shutil.rmtree(mine.parent / "again")
    Path(mine, "where/tests/test_more.py").touch()
    Path(mine, "where/buggy/where_clause.py").write_bytes(b"\xff")
    with pytest.raises(UserError, match="not UTF-8.*one file called test_.*, it holds 2"):
        folder_of(mine).bugs()
    Path(mine, "where/bug.json").write_text("{")
    with pytest.raises(UserError, match="bug.json: not JSON"):
        folder_of(mine).entries()


def test_an_empty_folder_and_none_are_said(tmp_path):
    for folder in ("", tmp_path):
        with pytest.raises(UserError, match="write a folder with bug.json"):
            folder_of(folder).check()
