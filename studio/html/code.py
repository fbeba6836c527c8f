"""Code as HTML: numbered lines with a marked span, unified diffs, and tokens tinted by their loss mask."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import lines_of
from studio.html.basics import esc


def numbered(text: str, start: int = 0, end: int = -1) -> str:
    """A file with line numbers; lines `start`..`end` (from 1) are marked as the faulty ones."""
    rows = []
    for number, line in enumerate(lines_of(text), 1):
        if number == start and end == start - 1:
            rows.append('<div class="gap">lines are missing here</div>')
        mark = ' class="marked"' if start <= number <= end else ""
        rows.append(f"<div{mark}><i>{number}</i><code>{_line(line)}</code></div>")
    return f'<div class="code" tabindex="0">{"".join(rows)}</div>'


def diff(unified: str) -> str:
    """A unified diff, without the two lines that name the file."""
    rows = []
    for line in lines_of(unified)[2:]:
        name = {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "")
        rows.append(f'<div class="{name}"><i>{esc(line[:1]) if name != "place" else ""}</i>'
                    f"<code>{_line(line if name == 'place' else line[1:])}</code></div>")  # fmt: skip
    if not rows:
        return '<p class="dim">The same as the buggy code.</p>'
    return f'<div class="code diff" tabindex="0">{"".join(rows)}</div>'


def tokens(pieces: Iterable[tuple[str, bool]]) -> str:
    """Tokens as the model reads them; tinted ones are learned, the others are context."""
    made = "".join(
        f'<span class="{"learned" if is_learned else "context"}">{_visible(text)}</span>' for text, is_learned in pieces
    )
    key = '<p class="key"><span class="context">context</span><span class="learned">learned: in the loss</span></p>'
    return f'{key}<div class="tokens" tabindex="0">{made}</div>'


def log(text: str) -> str:
    """Output of a program."""
    return f'<pre class="log" tabindex="0">{esc(text) or "(no output)"}</pre>'


def _line(line: str) -> str:
    return esc(line.rstrip("\r\n")) or " "


def _visible(text: str) -> str:
    return esc(text).replace("\n", "<u>↵</u>\n").replace("\t", "<u>→</u>\t")
