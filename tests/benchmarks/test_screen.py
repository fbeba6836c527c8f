"""What a patch may add is plain computing, and what the buggy code uses it may use in the same way."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from engine.benchmarks.runners.screen import introspection
from engine.benchmarks.runners.screen_python import MODULES, names_of

HONEST = [
    "import collections.abc, functools, heapq, math, os\nfrom urllib import parse\nfrom __future__ import annotations\n"
    "x = parse.quote(os.path.join('a', str(math.pi)))\n@functools.lru_cache(maxsize=None)\ndef f(): pass\n"
    "isinstance(x, collections.abc.Mapping)\n",
    "import sys\nfrom collections import Counter, deque\nbest = sys.maxsize\nCounter().most_common(1)\n",
    "class Stack(list):\n    def __init__(self):\n        super().__init__()\n        self._top = self.__held = None\n"
    "        self.called = True\n    def __len__(self): return 0\n    def __iter__(self): return iter(())\n",
    "MISSING = object()\nif type(x) is int or hasattr(x, 'y'): raise TypeError(f'{type(x).__name__}: {x!r}')\n",
    "'{} {:>{width}.2f} {name!r}'.format(1, 2, width=3, name=4)\n'an invalid input: /process'\n",
    "key = name + '_' + other\n'__'.join(parts)\nif letter == '_': pass\n",
    "node.next = other\nnode.left.value += 1\nxs[0] = re = 1\nwith lock: pass\n",
]
REACHING = {
    "import os\nos.environ": "os.environ",
    "import os.path\nos.path.os": "os.path.os",
    "import math\nmath.sqrt = f": "a changed math.sqrt",
    "import math\nm = math": "the module math as a value",
    "from urllib import parse\nprint(parse)": "the module parse as a value",
    "import urllib.parse as u\nu.sys": "urllib.parse.sys",
    "from typing import *": "from typing import *",
    "from . import other": "from . import other",
    "x._private": "another's _private",
    "x.__dict__": "x.__dict__",
    "self.__class__": "self.__class__",
    "match x:\n    case A(gi_frame=frame): pass": "gi_frame",
    "class A:\n    def __eq__(self, other): return True": "A.__eq__",
    "class A:\n    from operator import truth as __eq__": "__eq__",
    "class A(metaclass=B): pass": "metaclass",
    "class A(type): pass": "type",
    "type(x)('A', (), {})": "type(x)",
    "type('A', (), {})": "type('A', (), {})",
    "getattr(x, name)": "getattr(x, name)",
    "'{0.a}'.format(x)": "'{0.a}'.format that is computed",
    "text.format(x)": "text.format that is computed",
    "str.format(text, x)": "str.format that is computed",
    "'_' * 2": "underscores that are put together",
    "# coding: utf-7\n# +AAo-import ctypes": "import ctypes",
    "mock.assert_called_once = f": ".assert_called_once",
    "path.read_text()": ".read_text",
    "def (": "text that cannot be read",
    "x = " + "1 + " * 5000 + "getattr": "text that cannot be read",
}
JAVA_HONEST = [
    'import java.util.*;\nimport java.util.function.Function;\nimport static java.lang.Math.max;\nclass A { enum B { X }\n'
    '  // java.io.File, System.exit(0)\n  String s = "getClass() System.exit(0)"; char c = \'"\';\n'
    "  boolean f(String o) { System.out.println(java.util.concurrent.TimeUnit.DAYS); return s.equals(o); }\n"
    '  RuntimeException e() { throw new IllegalStateException(o.toString() + new AssertionError()); } }\n',
]  # fmt: skip
JAVA_REACHING = {
    "x.getClass()": "getClass",
    "x :: getClass": "getClass",
    "A.class": ".class",
    "System . exit(0)": "System, exit",
    "java . beans.Expression e;": "java.beans.Expression",
    "java/**/.io.File f;": "java.io.File",
    "import java.io.*;": "import java.io.*",
    "import java.util.logging.Logger;": "import java.util.logging.Logger",
    "import static java.lang.System.*;": "System",
    "judge.Near n;": "judge.Near",
    'new Object() { public boolean equals(@B(x = "()") Object o) throws C { } }': "its own equals",
    "} class Assert {": "a class Assert",
    "get\\u0043lass()": "\\u0043",
    "get\u00adClass()": "Class, U+00AD",
    "char c = '\"'; x.getClass(); char d = '\"';": "getClass",
    "catch (StackOverflowError e)": "StackOverflowError",
}


@pytest.mark.parametrize("text", HONEST)
def test_plain_python_may_be_added(text):
    assert introspection("python", text, "") == ""


@pytest.mark.parametrize("text", REACHING)
def test_what_reaches_further_in_python_is_named(text):
    found = introspection("python", text, "")
    assert found == REACHING[text] or REACHING[text] in found.split(", "), found
    assert introspection("python", text, text) == "", "the buggy code does the same"


def test_the_same_name_is_not_the_same_call():
    before = "getattr(self, 'name')\nx.__dict__\nos.environ\nclass A:\n    def __eq__(self, other): return 1\n"
    other = "getattr(frame, 'name')\ny.__dict__\nclass B:\n    def __eq__(self, other): return 1\n"
    assert introspection("python", before + other, before) == "B.__eq__, getattr(frame, 'name'), y.__dict__"


@pytest.mark.parametrize("text", JAVA_HONEST)
def test_plain_java_may_be_added(text):
    assert introspection("java", text, "class A {}") == ""


@pytest.mark.parametrize("text", JAVA_REACHING)
def test_what_reaches_further_in_java_is_named(text):
    assert introspection("java", text, "") == JAVA_REACHING[text]
    assert introspection("java", text, text) == ""


def test_no_name_of_a_plain_module_is_a_module_or_makes_classes():
    for module, names in MODULES.items():
        there = vars(importlib.import_module(module))
        for name in names.split() or [name for name in there if not name.startswith("_")]:
            assert name in there, f"{module}.{name}"
            assert not isinstance(there[name], ModuleType) or f"{module}.{name}" in MODULES, f"{module}.{name}"
            assert not isinstance(there[name], type) or not issubclass(there[name], type), f"{module}.{name}"


def test_a_module_has_names_of_its_own():
    text = "import math\nfrom os import path\nA: int = B = 1\ndef f(): c = 1\nclass D: e = 1\n"
    assert names_of(text.replace("A: int = ", "A: int = 1\n")) == ["f", "D", "A", "B"]
