"""The sandbox levels that work here, and a benchmark of two small bugs in a folder of its own."""

from __future__ import annotations

import json

import pytest

from engine.benchmarks.pocket import Pocket
from engine.params import Params
from engine.plugins import SANDBOXES
from engine.sandboxes.auto import levels

PYTHON_BUG = {
    "id": "pocket/py-middle",
    "language": "python",
    "file": "middle.py",
    "kind": "off_by_one",
    "summary": "Takes the element after the middle.",
    "span": [3, 3],
    "failing": ["test_three", "test_pairs[xy-x]"],
    "passing": ["test_one"],
}
PYTHON_CODE = 'def middle(text):\n    """The letter in the middle."""\n    return text[{}]\n'
PYTHON_TESTS = """import pytest
from middle import middle


def test_one():
    assert middle("x") == "x"


def test_three():
    assert middle("abc") == "b"


@pytest.mark.parametrize(("text", "letter"), [("xy", "x")])
def test_pairs(text, letter):
    assert middle(text) == letter
"""
JAVA_BUG = {
    "id": "pocket/java-larger",
    "language": "java",
    "file": "Larger.java",
    "kind": "wrong_comparison",
    "cwe": "CWE-480",
    "summary": "Gives the smaller number.",
    "span": [3, 3],
    "failing": ["ofTwo"],
    "passing": ["ofEqual"],
}
JAVA_CODE = "class Larger {{\n    static int of(int a, int b) {{\n        return a {} b ? a : b;\n    }}\n}}\n"
JAVA_TESTS = """
import static org.junit.Assert.assertEquals;
import org.junit.Test;

public class LargerTest {
    @Test public void ofTwo() { assertEquals(2, Larger.of(1, 2)); }
    @Test public void ofEqual() { assertEquals(2, Larger.of(2, 2)); }
}
"""


def write(folder, told, buggy, fixed, tests, name):
    folder.mkdir(parents=True)
    (folder / "bug.json").write_text(json.dumps(told))
    for part, file, text in (("buggy", told["file"], buggy), ("fixed", told["file"], fixed), ("tests", name, tests)):
        (folder / part).mkdir()
        (folder / part / file).write_text(text)


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
