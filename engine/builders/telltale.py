"""Code of the Juliet test suite without what gives its label away: comments, and telltale names and texts.

The suite's names are those of its user's guide (Juliet Test Suite v1.2 for Java, NIST SARD): `bad`, `good1`, `goodG2B`
(good source, bad sink), `goodB2G` (bad source, good sink), `badSink`, `dataGoodG2B`, classes `CWE476_..._01`. Each such
part of a name becomes the same neutral word on both sides of a pair, so a variable stays a variable of its own.
"""

from __future__ import annotations

import re

from engine.languages.source import parse

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
    waiting = [parse(raw, "java").root_node]
    while waiting:
        node = waiting.pop()
        if node.type == "string_literal" or node.type in _NAMES:
            text = (node.text or b"").decode()
            neutral = _WORDS.sub("", text) if node.type == "string_literal" else neutral_name(text)
            if neutral != text:
                made += [raw[done : node.start_byte], neutral.encode()]
                done = node.end_byte
        else:
            waiting.extend(reversed(node.children))
    return _ACCESS.sub("public ", b"".join([*made, raw[done:]]).decode())


def neutral_name(name: str) -> str:
    """A name without its telltale parts: "goodG2B1Sink" and "badSink" are "partSink"."""
    if _CLASS.fullmatch(name):
        return "Sample"
    return _PART.sub(lambda found: _NEUTRAL if found.start() == 0 else _NEUTRAL.capitalize(), name)
