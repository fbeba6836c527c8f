"""The one function that a change is in, where only the lines of a diff are known and not the whole file.

A function is taken only if the diff shows what stands before its first line and after its last one, since an
annotation, a decorator or the end could be missing else. A method of a class that is part of an expression is not
taken: the function around it is the one that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.builders.changes import Changed, changed_function
from engine.builders.file_diffs import Hunk
from engine.builders.pairs import LONGEST_CODE
from engine.domain import Span, lines_of
from engine.languages import LANGUAGES, Language
from engine.languages.source import Function, Source, indent_of

TOO_LONG = f"shows more than {LONGEST_CODE:,} characters at once"
NOT_WHOLE = "its function is not whole in the diff"
_TRIES = 20  # places where the function may begin; each is parsed
_ABOVE = {"java": ("class _ {\n",)}  # lines above a function: a constructor is one in a class only
_ENDS = re.compile(r"\s*($|//)|.*([;{}]|\*/)\s*(//.*)?$|#.*[^\\\s]\s*$")  # a line after which a new function may begin
_TYPE = re.compile(r"\b(class|interface|enum|record)\b|^\s*(extends|implements|permits)\b")
_CLOSES = re.compile(r"\s*\}\s*[);,]")  # "});" ends a class that is part of an expression
_INNER = re.compile(r"(async[ \t]+)?def[ \t]|@")


def function_in(hunk: Hunk, language: str) -> Changed | str:
    """The function that a hunk holds whole before and after the change, or a reason to count by why it holds none."""
    if max(sum(map(len, hunk.old)), sum(map(len, hunk.new))) > LONGEST_CODE:
        return TOO_LONG
    if not hunk.old_start and not hunk.new_start:  # its first line is the file's
        return _at_top(hunk, language)
    known = LANGUAGES[language]
    places = _bracketed_places(hunk, known) if known.brackets else _python_places(hunk, known)
    for tried, row in enumerate(places):
        if tried == _TRIES:
            break
        old, new = _begun(hunk.old[row:], language), _begun(hunk.new[row:], language)
        if old is None or new is None:
            continue
        last = hunk.changes[-1]
        left = row + old.span.end - last.old_after  # unchanged lines from the change to the function's end
        if left < 0 or left != row + new.span.end - last.new_after:
            continue
        end = row + old.span.end
        if known.brackets and _is_inside_expression(hunk.old, row, end):
            continue
        if not known.brackets and not _shows_end(hunk, end):
            continue
        before, after = "".join(hunk.old[row:end]), "".join(hunk.new[row : row + new.span.end])
        return Changed(old.name, before, after, hunk.old_start + row + 1, len(hunk.changes))
    return NOT_WHOLE


def _begun(lines: Sequence[str], language: str) -> Function | None:
    """The function that begins with the first of these lines, with its span in them, if it is whole and correct."""
    above = _ABOVE.get(language, ())
    if not LANGUAGES[language].brackets:
        indent = indent_of(lines[:1])
        text = "".join(line.removeprefix(indent) if line.startswith(indent) else line.lstrip(" \t") for line in lines)
        found = Source(text, language).functions
    else:
        found = Source("".join([*above, *lines]), language).functions
    first = 1 + len(above)
    if not found or found[0].span.start != first or found[0].has_error:
        return None
    return Function(found[0].name, Span(1, found[0].span.end - first + 1))


def _bracketed_places(hunk: Hunk, known: Language) -> Iterator[int]:
    """Rows at which the function may begin, those next to the change first."""
    for row in range(hunk.changes[0].old_first, 0, -1):
        if row < len(hunk.old) and known.begins.match(hunk.old[row]) and _ENDS.match(hunk.old[row - 1]):
            yield row


def _is_inside_expression(lines: Sequence[str], first: int, end: int) -> bool:
    """Whether a method in rows `first` to `end` belongs to a class that is part of an expression, or a comment."""
    depth = 0
    for line in reversed(lines[:first]):
        depth += line.count("}") - line.count("{")
        if depth < 0:
            if not _TYPE.search(line):
                return True
            break
    follows = next((line for line in lines[end:] if line.strip()), "")
    rest = "".join(lines[first:])
    closed, opened = rest.find("*/"), rest.find("/*")
    return bool(_CLOSES.match(follows)) or (closed >= 0 and (opened < 0 or closed < opened))


def _python_places(hunk: Hunk, known: Language) -> Iterator[int]:
    """Rows at which the outermost function around the change may begin, with its decorators."""
    lines = hunk.old
    found: list[int] = []
    within: int | None = None  # indent of what the next def further up must stand left of
    for row in range(min(hunk.changes[0].old_first, len(lines) - 1), -1, -1):
        line = lines[row]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(indent_of([line]))
        if known.begins.match(line) and (within is None or indent < within):
            found.append(row)
        if row < hunk.changes[0].old_first:
            within = indent if within is None else min(indent, within)
    if not found:
        return
    first = found[-1]
    before = indent_of([lines[first]])
    if before and _INNER.match(hunk.heading):
        return
    while first and lines[first - 1].startswith(before + "@"):
        first -= 1
    above = lines[first - 1].strip() if first else "unknown"
    if not above or above.startswith("#") or above.endswith((":", '"""', "'''")):
        yield first  # other code right above could be the rest of a decorator


def _at_top(hunk: Hunk, language: str) -> Changed | str:
    """The function in a hunk that begins with its file's first line."""
    found = changed_function(Source("".join(hunk.old), language), Source("".join(hunk.new), language), hunk.changes)
    if isinstance(found, Changed):
        end = found.first - 1 + len(lines_of(found.old))
        return found if LANGUAGES[language].brackets or _shows_end(hunk, end) else NOT_WHOLE
    return found if _ends_file(hunk) else NOT_WHOLE


def _shows_end(hunk: Hunk, end: int) -> bool:
    """Whether a Python function, which goes on until other code comes, ends before row `end` of the old lines."""
    code = (line.strip() for line in hunk.old[end:])
    return any(line and not line.startswith("#") for line in code) or _ends_file(hunk)


def _ends_file(hunk: Hunk) -> bool:
    """Whether a hunk is the last of its file: only there a diff shows fewer lines after a change than before it."""
    return len(hunk.old) - hunk.changes[-1].old_after < hunk.changes[0].old_first
