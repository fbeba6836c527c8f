"""C as a language: its functions with their names, its comments, and which two files are the same code."""

from __future__ import annotations

import pytest

from engine.domain import Span
from engine.languages.source import Source
from engine.languages.trees import tree_digest

CODE = """\
#include <stdio.h>
/* of
 * two lines */
static int *first(int x) { // why
    const char *text = "/* none */ \\
// none";
    return 0; /* why */
}

int (*second(void))(int)
{
    return 0;
}

struct pair { int a, b; } third[2];
"""


def test_functions_are_found_with_their_names():
    found = Source(CODE, "c")
    assert [(each.name, each.span.start, each.span.end) for each in found.functions] == [
        ("first", 4, 8),
        ("second", 10, 13),
    ]
    assert found.enclosing(Span(7, 7)) == Span(4, 8)
    assert found.enclosing(Span(15, 15)) is None


def test_comments_go_and_strings_stay():
    bare = Source(CODE, "c").bare_lines
    assert bare[:5] == [
        "#include <stdio.h>\n", None, None, "static int *first(int x) {\n", '    const char *text = "/* none */ \\\n',
    ]  # fmt: skip
    assert bare[5:8] == ['// none";\n', "    return 0;\n", "}\n"]


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (CODE.replace("// why", "// because").replace("    return", "\treturn"), True),
        (CODE.replace("return 0", "return 1"), False),
        (CODE.replace("/* none */", "/* some */"), False),
        (CODE.replace("int a, b", "long a, b"), False),
    ],
)
def test_the_same_code_has_the_same_tree(other, is_same):
    assert (tree_digest(other, "c") == tree_digest(CODE, "c")) is is_same


def test_a_file_that_does_not_parse_has_no_tree():
    assert tree_digest("int f( {", "c") == ""
