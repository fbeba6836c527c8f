r"""Unified diffs of files, read strictly: which file each changes, its hunks, and the runs of changed lines in them.

The form is that of `diff -u`, Subversion and git, as `patch` reads it, with the header's counts trusted, so that a
removed line "-- x" is no header: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html and
https://git-scm.com/docs/diff-format. `engine.unified` reads what models write, which counts badly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.changed_lines import Change
from engine.domain import lines_of

_HUNK = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@ ?(.*)")
_ESCAPE = re.compile(rb'\\([0-7]{3}|["\\abtnvfr])')  # git's C-style quoting of a path
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


class Broken(ValueError):
    """A text that is no whole diff; the message is a reason to count by."""


@dataclass
class Hunk:
    """One place of a file: its lines before and after, with their ends, and where they differ."""

    old_start: int  # lines of the file before `old`
    new_start: int  # lines of the file before `new`
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)  # by lines of `old` and `new`, from 0
    runs: tuple[int, int] = (0, 0)  # of removed lines, and of added lines
    heading: str = ""  # what its head ends with: a line further up, that git takes for the beginning of a part


@dataclass
class FileDiff:
    """What a diff does to one file; a path is empty where the file does not exist."""

    old: str
    new: str
    hunks: list[Hunk] = field(default_factory=list)


def read(text: str, unnamed: str = "") -> list[FileDiff]:
    """The files that a diff changes; `unnamed`: the name of the one whose hunks come before any name.

    Raises Broken where there is none, or a hunk is not whole.
    """
    lines = lines_of(text)
    found: list[FileDiff] = []
    is_open = False  # the last file has no hunk yet, and was not named by --- and +++
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(("diff --git ", "Index: ")):
            found.append(FileDiff("", ""))
            is_open = True
        elif line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            if not is_open:
                found.append(FileDiff("", ""))
            is_open = False
            found[-1].old, found[-1].new = _paths(line, lines[at + 1])
            at += 1
        elif line.startswith("@@ "):
            if not (head := _HUNK.match(line)):
                raise Broken("a hunk's header is not readable")
            if not found and unnamed:
                found.append(FileDiff(unnamed, unnamed))
            elif not found or is_open:
                raise Broken("no file is named before a hunk")
            hunk, at = _hunk(head, lines, at + 1)
            found[-1].hunks.append(hunk)
            continue
        elif line.startswith("@@@"):
            raise Broken("the diff of a merge, against several parents")
        at += 1
    if not found:
        raise Broken("no unified diff in it")
    return found


def _hunk(head: re.Match[str], lines: Sequence[str], at: int) -> tuple[Hunk, int]:
    """The hunk whose lines begin at `at`, and where it ends. Raises Broken."""
    n_old, n_new = int(head[2] or 1), int(head[4] or 1)
    hunk = Hunk(int(head[1]) - (n_old > 0), int(head[3]) - (n_new > 0), heading=head[5])
    old, new = hunk.old, hunk.new
    signs: list[str] = []
    while (len(old) < n_old or len(new) < n_new) and at < len(lines):
        line = lines[at]
        sign = line[0]
        if sign in "\r\n":
            sign, line = " ", " " + line  # a mailer took the blank
        if sign == " ":
            old.append(line[1:])
            new.append(line[1:])
        elif sign == "-":
            old.append(line[1:])
        elif sign == "+":
            new.append(line[1:])
        elif sign == "\\":
            _unend(signs, old, new)
        else:
            break
        signs.append(sign)
        at += 1
    if at < len(lines) and lines[at].startswith("\\"):
        _unend(signs, old, new)
        at += 1
    if (len(old), len(new)) != (n_old, n_new):
        raise Broken("a hunk has not as many lines as its header says")
    hunk.runs = _runs(signs, hunk.changes)
    return hunk, at


def _unend(signs: Sequence[str], old: list[str], new: list[str]) -> None:
    r"""Take the line end off the last line, as "\ No newline at end of file" says."""
    last = next((sign for sign in reversed(signs) if sign != "\\"), "")
    for side, belongs in ((old, last in " -"), (new, last in " +")):
        if side and belongs:
            side[-1] = side[-1].removesuffix("\n")


def _runs(signs: Sequence[str], changes: list[Change]) -> tuple[int, int]:
    """Adds the changed places to `changes`; returns the runs of removed and of added lines."""
    old = new = removed = added = 0
    before = " "
    start: tuple[int, int] | None = None
    for sign in [*signs, " "]:
        if sign == "\\":
            continue
        if sign == " ":
            if start is not None:
                changes.append(Change(start[0], old, start[1], new))
            start = None
            old, new = old + 1, new + 1
        else:
            start = start or (old, new)
            removed += sign == "-" and before != "-"
            added += sign == "+" and before != "+"
            old, new = old + (sign == "-"), new + (sign == "+")
        before = sign
    return removed, added


def _paths(before: str, after: str) -> tuple[str, str]:
    old, new = (_unquoted(head[4:].rstrip("\r\n").partition("\t")[0].strip()) for head in (before, after))
    is_git = all(path == "/dev/null" or path.startswith(prefix) for path, prefix in ((old, "a/"), (new, "b/")))
    old, new = (("" if path == "/dev/null" else path) for path in (old, new))
    return (old.removeprefix("a/"), new.removeprefix("b/")) if is_git else (old, new)


def _unquoted(path: str) -> str:
    if not (len(path) > 1 and path.startswith('"') and path.endswith('"')):
        return path
    raw = _ESCAPE.sub(_byte, path[1:-1].encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "replace")


def _byte(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 255]) if code.isdigit() else _ESCAPED.get(code, code)
