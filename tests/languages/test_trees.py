"""Two files have the same tree if only comments and layout differ."""

from __future__ import annotations

import pytest

from engine.languages.trees import edit_size, tree_digest

PYTHON = "def f(a):\n    if a:\n        g(a)\n    return a + b\n"
JAVA = 'class A {\n  String f(int a) {\n    return "a  b" + a;\n  }\n}\n'


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("python", PYTHON, PYTHON.replace("a + b", "a  +  b  # why")),
        ("python", PYTHON, PYTHON.replace("    return", "\n    # why\n    return")),
        ("python", PYTHON, PYTHON.replace("        g", "            g")),
        ("python", "x = f(1, 2)\n", "x = f(\n    1,\n    2\n)\n"),
        ("python", "x = 1 + 2\n", "x = 1 + \\\n    2\n"),
        ("java", JAVA, JAVA.replace("return", "/* why */ return").replace("{\n", "{ // a\n\n")),
    ],
)
def test_comments_and_layout_do_not_matter(language, text, other):
    assert len(tree_digest(text, language)) == 16
    assert tree_digest(text, language) == tree_digest(other, language)


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("python", PYTHON, PYTHON.replace("a + b", "a - b")),
        ("python", PYTHON, PYTHON.replace("a + b", "b + a")),
        ("python", PYTHON, PYTHON.replace("    return", "        return")),
        ("python", PYTHON, PYTHON.replace("a + b", "(a + b)")),
        ("python", 'x = "a b"\n', 'x = "a  b"\n'),
        ("python", 'x = "a \\n b"\n', 'x = "a\\n b"\n'),
        ("python", "f(a)(b)\n", "f(a, b)\n"),
        ("java", JAVA, JAVA.replace("a  b", "a b")),
        ("java", JAVA, JAVA.replace("int a", "long a")),
    ],
)
def test_code_matters(language, text, other):
    assert tree_digest(text, language) != tree_digest(other, language)


def test_what_does_not_parse_and_what_has_no_grammar():
    assert tree_digest("def f(:\n", "python") == ""
    assert tree_digest("int main() {}", "cobol") is None


def test_many_nested_brackets_do_not_exhaust_the_stack():
    assert tree_digest("(" * 3000 + "1" + ")" * 3000, "python") is not None


@pytest.mark.parametrize(
    ("before", "after", "characters"),
    [
        ("abc", "abc", 0),
        ("a + 1\n", "a + 10\n", 1),
        ("a + 1\n", "a - 1\n", 2),
        ("aa", "aaa", 1),
        ("", "abc", 3),
        ("x = 1\ny = 2\n", "x = 3\ny = 4\n", 14),  # "1\ny = 2" by "3\ny = 4": one stretch
    ],
)
def test_the_size_of_an_edit(before, after, characters):
    assert edit_size(before, after) == edit_size(after, before) == characters
