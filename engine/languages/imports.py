"""The modules of Python and the classes of Java that a file imports, and those that a path may be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_MOST = 1000  # names that are taken from one statement
_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^()]*\)|[^\n(]*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n]*)", re.MULTILINE)
_JAVA = re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)", re.MULTILINE)
_NAME = re.compile(r"[\w.]+")


def modules_of(path: str, text: str) -> frozenset[str]:
    """Dotted names of all that a file imports: `from a import b` names a, and a.b, which may be a module too.

    Relative imports are those of the file at `path`.
    """
    if path.endswith(".java"):
        return frozenset(_JAVA.findall(text))
    found: set[str] = set()
    package = PurePosixPath(path).parent.parts
    for module, names in _FROM.findall(text):
        up = len(module) - len(module.lstrip("."))
        above = package[: max(0, len(package) - up + 1)] if up else ()
        base = ".".join([*above, *([module.lstrip(".")] if module.lstrip(".") else [])])
        found.add(base)
        found.update(f"{base}.{name}" if base else name for name in _NAME.findall(names)[:_MOST] if name != "as")
    for names in _IMPORT.findall(text):
        for each in names.split(",")[:_MOST]:
            found.update(_NAME.findall(each)[:1])
    return frozenset(found - {""})


def is_imported(path: str, modules: frozenset[str]) -> bool:
    """Whether one of these names is that of a file, whichever folder of its path the names begin in."""
    plain = PurePosixPath(path)
    parts = plain.parent.parts if plain.name == "__init__.py" else plain.with_suffix("").parts
    return any(".".join(parts[at:]) in modules for at in range(len(parts)))
