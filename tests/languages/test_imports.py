"""What a file imports, and whether a path is that of a module."""

from __future__ import annotations

import pytest

from engine.languages.imports import is_imported, modules_of


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "import os, shop.cart as c\n", {"os", "shop.cart"}),
        ("a.py", "def f():\n    from shop import (\n        cart,\n        till)\n", {"shop", "shop.cart", "shop.till"}),
        ("p/q/a.py", "from . import b\nfrom .c import d\nfrom ..e import f\n",
         {"p.q", "p.q.b", "p.q.c", "p.q.c.d", "p.e", "p.e.f"}),
        ("a.py", "x = 'import nothing'\n", set()),
        ("A.java", "import java.util.List;\nimport static a.B.c;\n", {"java.util.List", "a.B.c"}),
    ],
)  # fmt: skip
def test_names(path, text, names):
    assert modules_of(path, text) == names


def test_a_path_is_a_module_wherever_its_packages_begin():
    assert is_imported("src/shop/cart.py", frozenset({"shop.cart"}))
    assert is_imported("src/shop/__init__.py", frozenset({"shop"}))
    assert is_imported("src/main/java/a/B.java", frozenset({"a.B"}))
    assert not is_imported("src/shop/cart.py", frozenset({"shop"}))
