"""A faulty and a fixed text made ready to be a bug, or the reason why they are none."""

from __future__ import annotations

from engine.domain import lines_of
from engine.languages import language
from engine.languages.source import Source
from engine.params import is_unicode

LONGEST_CODE = 256 << 10  # characters; more is no function, and its syntax tree takes up to 340 bytes a character
EMPTY = "empty"


def cleaned(buggy: str, fixed: str, name: str, *, strip: bool) -> tuple[str, str] | str:
    """Both texts, in the language `name`, each with a line end after its last line; or a reason to count by.

    `strip`: without comments, docstrings and blank lines. With or without it, no bug is in comments alone.
    """
    if not buggy.strip() or not fixed.strip():
        return EMPTY
    if max(len(buggy), len(fixed)) > LONGEST_CODE:
        return f"code longer than {LONGEST_CODE:,} characters"
    if ended(buggy) == ended(fixed):
        return "buggy and fixed are the same"
    if not (is_unicode(buggy) and is_unicode(fixed)):
        return "not valid Unicode"
    bare = ended(_bare(buggy, name)), ended(_bare(fixed, name))
    if bare[0] == bare[1]:
        return "only comments or blank lines differ"
    if not all(bare):
        return "only comments"
    return bare if strip else (ended(buggy), ended(fixed))


def kind_of(*, is_single: bool) -> str:
    """The kind of a bug by the number of places that its fix changes, so that a report counts them."""
    return "single chunk" if is_single else "several chunks"


def ended(code: str) -> str:
    """The code with a line end after its last line, which may be missing on one side of a pair only."""
    return code if code.endswith("\n") or not code else code + ("\r\n" if "\r\n" in code else "\n")


def _bare(code: str, name: str) -> str:
    if not language(name).may_have_comments(code):  # blank lines alone can be removed from it
        return "".join([line for line in lines_of(code) if line.strip()])
    return "".join(line for line in Source(code, name).bare_lines if line is not None)
