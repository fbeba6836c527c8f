"""Which files of a project are tests, are made by programs, or are somebody else's."""

from __future__ import annotations

import pytest

from engine.builders.source_files import is_made, is_test
from engine.builders.tested.untouched import is_beside

TESTS = [
    "a/tests.py",
    "a/test_b.py",
    "conftest.py",
    "FooIT.java",
    "a/TestFoo.java",
    "testdata/x.py",
    "test_a.c",
    "T/tests/x",
]
CODE = ["a/attest.py", "setup.py", "Foo.java", "src/main/java/test/Foo.java", "a.c", "latest.c"]


@pytest.mark.parametrize("path", TESTS)
def test_a_test_is_one_for_every_builder(path):
    assert is_test(path)
    assert is_beside(path)


@pytest.mark.parametrize("path", CODE)
def test_code_is_none(path):
    assert not is_test(path)
    assert not is_beside(path)


def test_no_fault_is_made_in_examples():
    assert is_beside("examples/a.py")
    assert not is_test("examples/a.py")


@pytest.mark.parametrize(
    "path", ["node_modules/a.py", "lib/site-packages/a.py", "a_pb2.py", "parser.tab.c", "Generated/A.java"]
)
def test_what_is_not_written_in_the_project(path):
    assert is_made(path, "")
