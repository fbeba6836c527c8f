"""Fingerprints of code that are the same for copies with other comments, layout or position in the file."""

from __future__ import annotations

from hashlib import blake2b

from engine.domain import Bug
from engine.languages import language
from engine.languages.source import Source, source


def bare_functions(bug: Bug) -> tuple[str, str]:
    """The faulty and the fixed function without comments and docstrings; the whole file if there is no function.

    Raises UserError for an unknown language.
    """
    read = source(bug.buggy, bug.language)
    place = None if bug.is_function else read.enclosing(bug.span)
    first, last = (place.start - 1, place.end) if place else (0, len(read.lines))
    before, faulty, after = (
        _joined(read.bare_lines[start:end])
        for start, end in ((first, bug.span.start - 1), (bug.span.start - 1, bug.span.end), (bug.span.end, last))
    )
    return before + faulty + after, before + _joined(_repaired_lines(bug)) + after


def fingerprints(bug: Bug) -> tuple[bytes, bytes]:
    """Hashes of 16 bytes of the faulty and of the fixed function (of the whole file if there is no function).

    Comments, docstrings and all white space are removed first, so that reformatted copies have the same hashes. Raises
    UserError for an unknown language.
    """
    buggy, fixed = bare_functions(bug)
    return layout_print(buggy), layout_print(fixed)


def layout_print(code: str) -> bytes:
    """A hash of 16 bytes of code from which all white space is removed."""
    return digest("".join(code.split()))


def digest(text: str) -> bytes:
    """A hash of 16 bytes."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _repaired_lines(bug: Bug) -> list[str | None]:
    """The fixed lines without comments; the whole file is parsed only if they may contain comments."""
    lines = bug.fixed_lines
    if not language(bug.language).may_have_comments(lines):
        return [lines]
    first = bug.span.start - 1
    read = Source(bug.fixed, bug.language)
    return read.bare_lines[first : len(read.lines) - (len(source(bug.buggy, bug.language).lines) - bug.span.end)]


def _joined(lines: list[str | None]) -> str:
    return "".join([line for line in lines if line])
