"""What a patch changes, as HTML: both line numbers, syntax colours, and the words that differ marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.domain import lines_of
from studio.html.basics import esc
from studio.html.syntax import Piece, coloured

CONTEXT = 3  # unchanged lines around a change
WORD = re.compile(r"\w+|\s+|[^\w\s]")
ALIKE = 0.3  # below which two lines have too little in common for their words to be compared
MOST_WORDS = 400  # of a line whose words are compared
Marks = Sequence[tuple[int, int]]  # columns from and to which a line differs


@dataclass(frozen=True)
class Line:
    """One line of a diff; a line number is None on the side that does not have the line."""

    kind: str  # same | removed | added | gap
    before: int | None
    after: int | None
    pieces: Sequence[Piece] = ()
    marks: Marks = ()


def diff(before: str, after: str, path: str) -> str:
    """The changed lines of a file and a few unchanged lines around them, as HTML."""
    if before == after:
        return '<p class="dim">The same as the buggy code.</p>'
    rows = "".join(map(_row, lines(before, after, path)))
    return f'<div class="code diff" tabindex="0">{rows}</div>'


def lines(before: str, after: str, path: str) -> Iterator[Line]:
    """The lines of a diff, with a gap between changes that are far apart."""
    old, new = lines_of(before), lines_of(after)
    old_pieces, new_pieces = coloured(before, path), coloured(after, path)
    matcher = difflib.SequenceMatcher(None, old, new)
    for number, group in enumerate(matcher.get_grouped_opcodes(CONTEXT)):
        if number:
            yield Line("gap", None, None)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                    yield Line("same", i + 1, j + 1, old_pieces[i])
                continue
            pairs = [marks_of(a, b) for a, b in zip(old[i1:i2], new[j1:j2], strict=False)]
            for place, i in enumerate(range(i1, i2)):
                yield Line("removed", i + 1, None, old_pieces[i], pairs[place][0] if place < len(pairs) else ())
            for place, j in enumerate(range(j1, j2)):
                yield Line("added", None, j + 1, new_pieces[j], pairs[place][1] if place < len(pairs) else ())


def marks_of(before: str, after: str) -> tuple[Marks, Marks]:
    """Where two lines differ, word by word; nothing where they have too little in common."""
    old, new = WORD.findall(before.rstrip("\r\n")), WORD.findall(after.rstrip("\r\n"))
    if max(len(old), len(new)) > MOST_WORDS:
        return (), ()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return (), ()
    changes = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    removed = [(_column(old, i1), _column(old, i2)) for _, i1, i2, _, _ in changes if i1 < i2]
    added = [(_column(new, j1), _column(new, j2)) for _, _, _, j1, j2 in changes if j1 < j2]
    return removed, added


def _column(words: Sequence[str], place: int) -> int:
    return sum(map(len, words[:place]))


def _row(line: Line) -> str:
    if line.kind == "gap":
        return '<div class="gap"><i></i><i></i><code>⋯</code></div>'
    sign = {"removed": "−", "added": "+"}.get(line.kind, "")
    return (
        f'<div class="{line.kind}"><i>{line.before or ""}</i><i>{line.after or ""}</i><b>{sign}</b>'
        f"<code>{pieces(line.pieces, line.marks) or ' '}</code></div>"
    )


def pieces(line: Sequence[Piece], marks: Marks = ()) -> str:
    """A line's pieces, each escaped in its colour; what lies within `marks` is marked."""
    made, column = [], 0
    for piece in line:
        for text, is_marked in _cut(piece.text, column, marks):
            kind = f' class="k-{piece.kind}"' if piece.kind else ""
            shown = esc(text.replace("\r", ""))
            inner = f"<mark>{shown}</mark>" if is_marked else shown
            made.append(f"<span{kind}>{inner}</span>" if kind else inner)
        column += len(piece.text)
    return "".join(made)


def _cut(text: str, column: int, marks: Marks) -> Iterator[tuple[str, bool]]:
    """(part, whether it is marked) of a text that begins at `column`, split where marks begin and end."""
    at = 0
    for start, end in marks:
        first, last = max(start - column, at, 0), min(end - column, len(text))
        if first >= last:
            continue
        if first > at:
            yield text[at:first], False
        yield text[first:last], True
        at = last
    if at < len(text):
        yield text[at:], False
