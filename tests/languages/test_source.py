"""What is read from a source file: its functions, and its lines without comments, docstrings and blank lines."""

from __future__ import annotations

import ast
import re
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Span, lines_of
from engine.errors import UserError
from engine.languages import language
from engine.languages.source import Source

PYTHON = '''\
"""Module."""
import os  # the system

class Box:
    """A box."""

    @property
    def size(self):
        """Doc."""
        # a comment
        text = """kept

        # kept too
        """
        def inner():
            return 1  # one

        return text + "# not a comment"

    def empty(self):
        """All there is."""


x = 1
'''

JAVA = """\
/** Doc. */
class Box {
    // a comment
    @Override
    int size(int a) { // why
        String s = "// kept"; /* gone */ int b = a/* x */+1;

        /* several
           lines */ return a;
    }

    Box() {}
}
"""


def bare(text: str, name: str) -> str:
    return "".join(line for line in Source(text, name).bare_lines if line is not None)


def test_python_functions_are_the_outermost_with_their_decorators():
    found = [(f.name, f.span) for f in Source(PYTHON, "python").functions]
    assert found == [("size", Span(7, 18)), ("empty", Span(20, 21))]


def test_java_functions_are_methods_and_constructors():
    found = [(f.name, f.span) for f in Source(JAVA, "java").functions]
    assert found == [("size", Span(4, 10)), ("Box", Span(12, 12))]


def test_python_comments_and_doc_strings_go_and_strings_stay():
    text = bare(PYTHON, "python")
    assert "Module" not in text
    assert "A box" not in text
    assert "a comment\n" not in text
    assert 'text = """kept\n\n        # kept too\n        """\n' in text
    assert '"# not a comment"' in text
    assert "return 1\n" in text
    assert "All there is" in text  # the only statement of its body
    assert ast.parse(text)


def test_java_comments_are_removed_without_joining_two_words():
    assert bare(JAVA, "java") == (
        "class Box {\n    @Override\n    int size(int a) {\n"
        '        String s = "// kept";  int b = a +1;\n return a;\n    }\n    Box() {}\n}\n'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_are_kept(end):
    text = f"def f():{end}    # c{end}    return 1  # one{end}"
    assert bare(text, "python") == f"def f():{end}    return 1{end}"


def test_a_line_after_a_backslash_is_never_dropped():
    assert bare("x = 1 + \\\n\ny = 2\n", "python") == "x = 1 + \\\n\ny = 2\n"


def test_a_bare_function_moves_to_column_0_and_its_strings_stay():
    read = Source(PYTHON, "python")
    code = read.bare_function(read.functions[0])
    assert code.startswith('@property\ndef size(self):\n    text = """kept\n\n        # kept too\n')
    assert ast.parse(code)


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (Span(9, 10), Span(7, 18)),
        (Span(7, 6), None),  # the gap in front of a function
        (Span(8, 7), Span(7, 18)),
        (Span(19, 18), Span(7, 18)),  # the gap behind it, where its last line may be missing
        (Span(18, 20), None),  # across two
        (Span(2, 2), None),
    ],
)
def test_enclosing_python_function(span, found):
    assert Source(PYTHON, "python").enclosing(span) == found


def test_behind_a_java_method_is_outside_of_it():
    assert Source(JAVA, "java").enclosing(Span(11, 10)) is None
    assert Source(JAVA, "java").enclosing(Span(10, 9)) == Span(4, 10)


def test_unknown_language_is_named():
    with pytest.raises(UserError, match=r"no syntax for the language 'cobol'; known: python, java"):
        Source("x", "cobol").bare_lines  # noqa: B018


def test_the_standard_library_still_parses_without_comments():
    folder = Path(sysconfig.get_path("stdlib"))
    files = [folder / name for name in ("ast.py", "argparse.py", "inspect.py", "json/decoder.py", "textwrap.py")]
    n_functions = 0
    for file in files:
        read = Source(file.read_text(encoding="utf-8"), "python")
        assert ast.parse("".join(line for line in read.bare_lines if line is not None))
        for function in read.functions:
            n_functions += 1
            assert ast.parse(read.bare_function(function))
    assert n_functions > 100


def test_code_is_moved_to_another_indent_and_its_strings_stay():
    code = '    def f():\n        x = """\n    a\n"""\n\n        return x\n'
    moved = 'def f():\n    x = """\n    a\n"""\n\n    return x\n'
    assert Source(code, "python").moved("    ", "") == moved
    assert Source(moved, "python").moved("", "    ") == code


@given(st.text(max_size=200), st.sampled_from(["python", "java"]), st.integers(1, 6), st.integers(-1, 4))
def test_any_text_can_be_read(text, name, start, length):
    read = Source(text, name)
    assert len(read.bare_lines) == len(lines_of(text))
    read.enclosing(Span(start, start + length))


LINES = [
    "x = 1\n",
    "# c\n",
    "\n",
    "'s'\n",
    '"""d"""\n',
    "def f():\n",
    "  r'''a\n",
    "  y = 2 # c\n",
    "  r'd'\n",
    "// c\n",
    "/*\n",
]


@given(st.lists(st.sampled_from(LINES)), st.sampled_from(["python", "java"]))
def test_the_quick_look_for_comments_misses_none(lines, name):
    searched = Source("".join(lines), name)
    searched._language = replace(language(name), quick_check=re.compile(""))  # found in every text
    assert Source("".join(lines), name).bare_lines == searched.bare_lines
