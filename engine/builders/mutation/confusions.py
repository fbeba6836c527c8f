"""Tables of operators and well-known functions that are often confused with one another."""

from __future__ import annotations

COMPARISONS: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">", ">="),
    "<=": ("<", ">=", "=="),
    ">": (">=", "<", "<="),
    ">=": (">", "<=", "=="),
    "==": ("!=", "<=", ">="),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}

ARITHMETIC: dict[str, tuple[str, ...]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+", "/", "**"),
    "/": ("*", "//"),
    "//": ("/", "%"),
    "%": ("//",),
    "**": ("*",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("&", "|"),
    "<<": (">>",),
    ">>": ("<<",),
}

ASSIGNMENTS: dict[str, tuple[str, ...]] = {
    "+=": ("-=", "="),
    "-=": ("+=", "="),
    "*=": ("+=", "/=", "="),
    "/=": ("*=", "//=", "="),
    "//=": ("/=", "%=", "="),
    "%=": ("//=", "="),
    "**=": ("*=", "="),
    "&=": ("|=", "="),
    "|=": ("&=", "="),
    "^=": ("&=", "|="),
    "<<=": (">>=", "="),
    ">>=": ("<<=", "="),
}

NOT_COMMUTATIVE = ("-", "/", "//", "%", "**", "<", "<=", ">", ">=", "in", "not in", "<<", ">>")
"""Operators for which the order of the two sides matters."""

_CONFUSED = (
    ("min", "max"), ("any", "all"), ("append", "extend", "insert"), ("add", "remove", "discard"), ("pop", "remove"),
    ("startswith", "endswith"), ("lstrip", "rstrip", "strip"), ("upper", "lower"), ("find", "rfind", "index"),
    ("split", "rsplit", "splitlines"), ("read", "readline", "readlines"), ("write", "writelines"), ("int", "float"),
    ("list", "tuple", "set"), ("sorted", "reversed", "list"), ("keys", "values", "items"), ("floor", "ceil"),
    ("encode", "decode"), ("isinstance", "issubclass"), ("get", "pop", "setdefault"), ("str", "repr"),
    ("match", "search", "fullmatch"), ("acquire", "release"), ("heappush", "heappop"), ("popleft", "pop"),
    ("appendleft", "append"), ("getattr", "hasattr"), ("isdigit", "isalpha", "isalnum"), ("enumerate", "zip"),
    ("partition", "rpartition"), ("sum", "len"), ("ord", "chr"), ("update", "add"), ("dumps", "loads"),
)  # fmt: skip


def siblings(*groups: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Word -> the others of all groups that it is in."""
    return {
        word: tuple(dict.fromkeys(other for group in groups if word in group for other in group if other != word))
        for each in groups
        for word in each
    }


SIBLINGS = siblings(*_CONFUSED)
