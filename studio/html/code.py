"""Code as HTML: numbered lines with a marked span, tokens coloured by their loss mask, and output of programs."""

from __future__ import annotations

from collections.abc import Iterable

from studio.html.basics import esc
from studio.html.diff import pieces
from studio.html.syntax import coloured


def numbered(text: str, path: str, start: int = 0, end: int = -1) -> str:
    """A file with line numbers; lines `start`..`end` (from 1) are marked as the faulty ones."""
    rows = []
    for number, line in enumerate(coloured(text, path), 1):
        if number == start and end == start - 1:
            rows.append('<div class="gap"><i></i><code>lines are missing here</code></div>')
        mark = ' class="marked"' if start <= number <= end else ""
        rows.append(f"<div{mark}><i>{number}</i><code>{pieces(line) or ' '}</code></div>")
    return f'<div class="code" tabindex="0">{"".join(rows)}</div>'


def tokens(parts: Iterable[tuple[str, bool]]) -> str:
    """Tokens as the model reads them; the coloured ones are learned, the others are only read."""
    made = "".join(
        f'<span class="{"learned" if is_learned else "context"}">{_visible(text)}</span>' for text, is_learned in parts
    )
    key = '<p class="key"><span class="context">only read</span><span class="learned">learned: in the loss</span></p>'
    return f'{key}<div class="tokens" tabindex="0">{made}</div>'


def log(text: str) -> str:
    """Output of a program."""
    return f'<pre class="log" tabindex="0">{esc(text) or "(no output)"}</pre>'


def _visible(text: str) -> str:
    return esc(text).replace("\n", "<u>↵</u>\n").replace("\t", "<u>→</u>\t")
