"""Two small bugs, one in Python and one in Java, as pocket keeps its bugs."""

from __future__ import annotations

import json

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
