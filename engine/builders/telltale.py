"""Code of the Juliet test suite without what gives its label away: comments, and telltale names and texts.

The suite's names are those of its user's guide (Juliet Test Suite v1.2 for Java, NIST SARD): `bad`, `good1`, `goodG2B`
(good source, bad sink), `goodB2G` (bad source, good sink), `badSink`, `dataGoodG2B`, classes `CWE476_..._01`. Each such
part of a name becomes the same neutral word on both sides of a pair, so a variable stays a variable of its own. Where a
loop around the fault counts with `j`, the one around its repair counts with `k`; it gets the name of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.languages.source import parse

if TYPE_CHECKING:
    from tree_sitter import Node

_CLASS = re.compile(r"CWE\d+\w*")
_PART = re.compile(r"(?:good|bad)(?:G2B|B2G)?\d*|flaw(?:ed)?|fix(?:ed)?|benign|vuln\w*|incident\w*", re.IGNORECASE)
_WORDS = re.compile(
    r"\b(?:(?:good|bad)(?:G2B|B2G)?\d*|flaw(?:ed)?|fix(?:ed)?|benign|vulnerab\w*|incidental\w*|CWE[-_ ]?\d*)\b[:,]?\s*",
    re.IGNORECASE,
)
_NAMES = ("identifier", "type_identifier")
_NEUTRAL = "part"
_ACCESS = re.compile(r"^(?:public|protected|private) ")  # bad() is public, and what repairs it is private


def without_telltales(code: str) -> str:
    """A Java method whose comments were removed, at column 0, with neutral names and texts, and public."""
    raw = code.encode()
    made, done = [], 0
    for node in _nodes(raw, ("string_literal", *_NAMES)):
        text = _text(node)
        neutral = _WORDS.sub("", text) if node.type == "string_literal" else neutral_name(text)
        if neutral != text:
            made += [raw[done : node.start_byte], neutral.encode()]
            done = node.end_byte
    return _ACCESS.sub("public ", b"".join([*made, raw[done:]]).decode())


def named_as(code: str, other: str) -> str:
    """A Java method in which local variables have the names of those of `other` that are declared in the same words."""
    raw, made, done = code.encode(), [], 0
    declared = {words: name for name, words in _declared(other) if not _uses(raw, name)}
    renamed = {
        name: declared[words]
        for name, words in _declared(code)
        if words in declared and not _uses(other.encode(), name)
    }
    for node in _nodes(raw, ("identifier",)):
        if (name := renamed.get(_text(node))) is not None:
            made += [raw[done : node.start_byte], name.encode()]
            done = node.end_byte
    return b"".join([*made, raw[done:]]).decode()


def neutral_name(name: str) -> str:
    """A name without its telltale parts: "goodG2B1Sink" and "badSink" are "partSink"."""
    if _CLASS.fullmatch(name):
        return "Sample"
    return _PART.sub(lambda found: _NEUTRAL if found.start() == 0 else _NEUTRAL.capitalize(), name)


def _declared(code: str) -> Iterator[tuple[str, str]]:
    """Each local variable of a method, and its declaration with a blank in the place of its name."""
    raw = code.encode()
    for node in _nodes(raw, ("local_variable_declaration",)):
        found = node.child_by_field_name("declarator")
        name = found.child_by_field_name("name") if found else None
        if name is not None:
            words = raw[node.start_byte : name.start_byte] + b" " + raw[name.end_byte : node.end_byte]
            yield _text(name), words.decode()


def _uses(raw: bytes, name: str) -> bool:
    return any(_text(node) == name for node in _nodes(raw, ("identifier",)))


def _nodes(raw: bytes, types: tuple[str, ...]) -> Iterator[Node]:
    """Those of these types, in the order of the code."""
    waiting = [parse(raw, "java").root_node]
    while waiting:
        node = waiting.pop()
        if node.type in types:
            yield node
        else:
            waiting.extend(reversed(node.children))


def _text(node: Node) -> str:
    return (node.text or b"").decode()
