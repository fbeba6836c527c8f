"""Syntax colours of source code: each line as pieces of text with their kind, to be escaped when they are shown.

One regular expression without backtracking, so that hostile code takes time in proportion to its length.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

LONGEST = 200_000  # characters; longer code is shown without colours
JAVA = """abstract assert boolean break byte case catch char class const continue default do double else enum extends
final finally float for goto if implements import instanceof int interface long native new null package private
protected public record return short static strictfp super switch synchronized this throw throws transient true try
var void volatile while yield false auto bool extern inline register signed sizeof struct typedef union unsigned"""
STRINGS = r"""(?P<string>[rbfuRBFU]{0,2}(?:\"{3}(?:[^"\\]|\\[\s\S]|"(?!""))*(?:\"{3})?
|'{3}(?:[^'\\]|\\[\s\S]|'(?!''))*(?:'{3})?
|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))"""
REST = r"|(?P<number>\b\d[\w.]*)|(?P<word>[^\W\d]\w*)"


@dataclass(frozen=True)
class Piece:
    """A part of one line; `kind` is comment, string, number, keyword or empty."""

    kind: str
    text: str


@dataclass(frozen=True)
class Syntax:
    """The tokens and keywords of one family of languages."""

    pattern: re.Pattern[str]
    keywords: frozenset[str]

    @classmethod
    def of(cls, comment: str, keywords: frozenset[str]) -> Syntax:
        return cls(re.compile(f"(?P<comment>{comment})|{STRINGS.replace(chr(10), '')}{REST}"), keywords)


PYTHON = Syntax.of(r"#[^\n]*", frozenset((*keyword.kwlist, "self", "match", "case")))
C_LIKE = Syntax.of(r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?", frozenset(JAVA.split()))


def coloured(text: str, path: str) -> list[list[Piece]]:
    """The lines of a file without their line ends; the file name's ending chooses the syntax."""
    syntax = PYTHON if path.endswith(".py") else C_LIKE
    lines: list[list[Piece]] = [[]]
    at = 0
    for found in syntax.pattern.finditer(text) if len(text) <= LONGEST else ():
        kind = found.lastgroup or ""
        if kind == "word":
            if found[0] not in syntax.keywords:
                continue
            kind = "keyword"
        _append(lines, "", text[at : found.start()])
        _append(lines, kind, found[0])
        at = found.end()
    _append(lines, "", text[at:])
    return lines if lines[-1] else lines[:-1]


def _append(lines: list[list[Piece]], kind: str, text: str) -> None:
    first, *rest = text.split("\n")
    if first:
        lines[-1].append(Piece(kind, first))
    for part in rest:
        lines.append([Piece(kind, part)] if part else [])
