"""A folder of bugs is read as pocket is, and everything that is wrong with one is said at once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from engine.assets import BUGS
from engine.benchmarks.runners.project_files import LARGEST_BYTES
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


@pytest.mark.parametrize("name", ["python/py-where-clause", "java/java-flag-set"])
def test_a_reference_run_is_not_answered_by_verdicts_of_a_warm_one(tmp_path, name):
    shutil.copytree(BUGS / name, tmp_path / name)
    warm, again, reference = (folder_of(tmp_path, runner=way) for way in ("warm", "warm", "reference"))
    (bug,) = warm.bugs()
    assert warm.version(bug) == again.version(bug) != reference.version(bug)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(language="cobol"), "where/bug.json: language: .*'python', 'java' or 'c' .got 'cobol'"),
        (dict(span=None), "where/bug.json: span: Field required"),
        (dict(span=[0, 3]), "span.0: should be greater than or equal to 1 .got 0"),
        (dict(failing=[]), "failing: "),
        (dict(file="../x.py"), "file: '../x.py' should be a path inside"),
        (dict(file="a\0b.py"), r"file: 'a\\x00b.py' should be a path inside"),
        (dict(file="\ud800.py"), r"file: '\\ud800.py' should be a path inside"),
        (dict(base="\0"), r"base: '\\x00' leads nowhere"),
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


LINKED = "cannot be read: it is a link, and not a file of its own"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bug.json", f"where/bug.json {LINKED}"),
        ("buggy/where_clause.py", f"where: buggy/where_clause.py {LINKED}"),
        ("fixed/where_clause.py", f"where: fixed/where_clause.py {LINKED}"),
        ("tests/test_where_clause.py", f"where: tests/test_where_clause.py {LINKED}"),
        ("tests/data.txt", f"where: tests/data.txt {LINKED}"),
        ("buggy", "where: buggy/where_clause.py cannot be read: where/buggy is a link, and not a folder of its own"),
        ("tests", "where: tests/.* cannot be read: where/tests is a link, and not a folder of its own"),
        (".", "where/bug.json cannot be read: where is a link, and not a folder of its own"),
    ],
)
def test_nothing_is_read_through_a_link(mine, name, said):
    """A stranger's folder of bugs could else show models, patches and pages any file of the machine."""
    (mine / "where/tests/data.txt").write_text("of the user")
    here, elsewhere = mine / "where" / name, mine.parent / "elsewhere"
    here.rename(elsewhere)
    here.symlink_to(elsewhere)
    with pytest.raises(UserError, match=said):
        folder_of(mine).bugs()


def test_the_folder_that_a_user_names_may_be_a_link(mine, tmp_path):
    (tmp_path / "link").symlink_to(mine)
    assert [bug.id for bug in folder_of(tmp_path / "link").bugs()] == ["folder/where"]


@pytest.mark.parametrize("name", ["bug.json", "buggy/where_clause.py", "tests/data.txt"])
def test_a_pipe_is_not_waited_for(mine, name):
    (mine / "where" / name).unlink(missing_ok=True)
    os.mkfifo(mine / "where" / name)
    with pytest.raises(UserError, match="cannot be read: it is not a regular file"):
        folder_of(mine).bugs()


def test_files_of_any_size_and_depth_are_refused(mine):
    with open(mine / "where/tests/data.txt", "wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    with pytest.raises(UserError, match="tests/data.txt cannot be read: it is larger than 16 MiB"):
        folder_of(mine).bugs()
    (mine / "where/bug.json").write_text("[" * 200_000)
    with pytest.raises(UserError, match="where/bug.json: not JSON"):
        folder_of(mine).bugs()


def test_an_empty_folder_and_none_are_said(tmp_path):
    for folder in ("", tmp_path):
        with pytest.raises(UserError, match="write a folder with bug.json"):
            folder_of(folder).check()
