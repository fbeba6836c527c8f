"""The sandbox levels that work here, and a benchmark of two small bugs in a folder of its own."""

from __future__ import annotations

import pytest
from small_bugs import JAVA_BUG, JAVA_CODE, JAVA_TESTS, PYTHON_BUG, PYTHON_CODE, PYTHON_TESTS, write

from engine.benchmarks.pocket import Pocket
from engine.params import Params
from engine.plugins import SANDBOXES
from engine.sandboxes.auto import levels


@pytest.fixture(scope="session")
def pocket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bugs")
    python = PYTHON_CODE.format("len(text) // 2 + 1 - 1 // len(text)"), PYTHON_CODE.format("(len(text) - 1) // 2")
    write(folder / "python/py-middle", PYTHON_BUG, *python, PYTHON_TESTS, "test_middle.py")
    java = JAVA_CODE.format("<"), JAVA_CODE.format(">")
    write(folder / "java/java-larger", JAVA_BUG, *java, JAVA_TESTS, "LargerTest.java")
    return Pocket(Pocket.Params(timeout_s=3), folder)


@pytest.fixture
def bugs(pocket):
    return {bug.language: bug for bug in pocket.bugs()}


@pytest.fixture(scope="session", params=levels())
def sandbox(request):
    level = SANDBOXES.create(Params(name=request.param))
    if reason := level.unavailable():
        pytest.skip(reason)
    return level
