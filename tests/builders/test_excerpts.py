"""A function is taken from a diff alone only where the diff shows all of it."""

from __future__ import annotations

import pytest

from engine.builders.changes import Changed
from engine.builders.excerpts import NOT_WHOLE, function_in
from engine.builders.file_diffs import read

JAVA_BODY = """     }

     /** Adds. */
     @Deprecated
     int add(int a, int b) {
-        return a - b;
+        return a + b;
     }

     int other() {
"""
PYTHON_BODY = """         return 1

     @cached
     def add(a, b):
-        return a - b
+        return a + b

     def other():
         pass
"""


def hunk(body: str, start: int = 7, heading: str = ""):
    old = sum(line[:1] in " -" for line in body.splitlines())
    new = sum(line[:1] in " +" for line in body.splitlines())
    body = "".join(line or " " for line in body.splitlines(keepends=True))
    text = f"--- a/x\n+++ b/x\n@@ -{start},{old} +{start},{new} @@ {heading}\n{body}"
    return read(text)[0].hunks[0]


def blank(body: str) -> str:
    """The body with the sign that an editor takes off blank lines."""
    return "".join(line if line.strip() else " \n" for line in body.splitlines(keepends=True))


def test_a_java_method_with_its_annotation():
    found = function_in(hunk(blank(JAVA_BODY)), "java")
    assert isinstance(found, Changed)
    assert (found.name, found.first, found.n_changes) == ("add", 10, 1)
    assert found.old == "    @Deprecated\n    int add(int a, int b) {\n        return a - b;\n    }\n"
    assert found.new == found.old.replace("-", "+")


def test_a_python_function_with_its_decorator():
    found = function_in(hunk(blank(PYTHON_BODY)), "python")
    assert isinstance(found, Changed)
    assert (found.name, found.first) == ("add", 9)
    assert found.old == "    @cached\n    def add(a, b):\n        return a - b\n"


def test_a_constructor():
    body = " class A {\n     private int a;\n \n     A(int b) {\n-        a = 1;\n+        a = b;\n     }\n \n"
    found = function_in(hunk(body), "java")
    assert isinstance(found, Changed)
    assert found.old == "    A(int b) {\n        a = 1;\n    }\n"


def test_a_function_of_c():
    body = " #define LIMIT 3\n static int *\n class(int x)\n {\n-    return x - LIMIT;\n+    return x + LIMIT;\n }\n \n"
    found = function_in(hunk(body), "c")
    assert isinstance(found, Changed)
    assert (found.name, found.first) == ("class", 8)
    assert found.old == "static int *\nclass(int x)\n{\n    return x - LIMIT;\n}\n"


@pytest.mark.parametrize(
    ("language", "body"),
    [
        # the line before it may belong to it
        ("c", " static\n int f(void)\n {\n-    return 1;\n+    return 2;\n }\n \n"),
        ("c", " #define F \\\n int f(void)\n {\n-    return 1;\n+    return 2;\n }\n \n"),
        # a comment, and an end that is not shown
        ("c", " /* so:\n \n int f(void) {\n-    return 1;\n+    return 2;\n }\n */\n"),
        ("c", " \n int f(void) {\n-    int a = 1;\n+    int a = 2;\n     a++;\n"),
        # what stands before its first line is not known: an annotation could be missing
        ("java", "     int f() {\n-        return 1;\n+        return 2;\n     }\n \n     int g() {\n"),
        ("python", " def f():\n-    return 1\n+    return 2\n \n \n def g():\n"),
        # the line before it may belong to it
        ("java", "     @Named(\n         1)\n     int f() {\n-        return 1;\n+        return 2;\n     }\n \n"),
        ("python", "     1)\n def f():\n-    return 1\n+    return 2\n \n def g():\n"),
        # its end is not shown
        ("java", " \n     int f() {\n-        int a = 1;\n+        int a = 2;\n         a++;\n"),
        ("python", " x = 1\n \n def f():\n-    a = 1\n+    a = 2\n     b = 2\n     c = 3\n     d = 4\n"),
        # a class in an expression is part of the function around it
        (
            "java",
            " \n     run(new A() {\n \n       int f() {\n-        return 1;\n+        return 2;\n       }\n     });\n",
        ),
        ("java", " \n       int f() {\n-        return 1;\n+        return 2;\n       }\n     });\n"),
        # a change outside
        ("java", " \n     int f() {\n         return 1;\n     }\n \n-    int a;\n+    int b;\n \n"),
        ("python", " x = 1\n \n def f():\n     return 1\n \n-a = 1\n+a = 2\n b = 1\n"),
        # no code that could be parsed
        ("java", " \n     int f() {\n-        return (1;\n+        return 2;\n     }\n \n"),
        ("python", " x = 1\n \n def f():\n-    return (1\n+    return 2\n \n def g():\n"),
        # a comment
        ("java", " /* so:\n \n     int f() {\n-        return 1;\n+        return 2;\n     }\n */\n"),
        # one function becomes two
        ("java", " \n     int f() {\n         a();\n+    }\n+    int g() {\n         b();\n     }\n \n"),
    ],
)
def test_a_function_is_not_taken_where_it_may_not_be_whole(language, body):
    assert function_in(hunk(body), language) == NOT_WHOLE


def test_a_function_inside_the_one_that_the_heading_names():
    body = " x = 1\n \n     def f():\n-        return 1\n+        return 2\n \n     def g():\n"
    assert isinstance(function_in(hunk(body, heading="class A:"), "python"), Changed)
    assert function_in(hunk(body, heading="def outer():"), "python") == NOT_WHOLE


def test_the_end_of_a_python_file_ends_its_function():
    body = " x = 1\n y = 2\n \n def f():\n-    return 1\n+    return 2\n     # so\n"
    found = function_in(hunk(body), "python")
    assert isinstance(found, Changed)


def test_a_diff_of_a_whole_file():
    body = (
        " class A {\n     int f() {\n-        return 1;\n+        return 2;\n     }\n     int g() { return 3; }\n }\n"
    )
    found = function_in(hunk(body, start=1), "java")
    assert isinstance(found, Changed)
    assert (found.name, found.first) == ("f", 2)
