"""Unified diffs put to use: what a text becomes, or in plain words why a diff does not fit it.

The form is that of `diff -u` and git: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
Programs that write diffs count badly, so a hunk's lines are what counts: its numbers only say where to look first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.domain import lines_of

HUNK = re.compile(r"@@+ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
NO_FILE = "/dev/null"


@dataclass(frozen=True)
class Hunk:
    """One place of a diff; lines without their ends."""

    start: int  # where the old lines should stand: lines of the text before them
    old: tuple[str, ...]
    new: tuple[tuple[int | None, str], ...]  # (index in `old` of a line that stays, its text)


class DoesNotFit(ValueError):
    """A diff that cannot be applied; the text says why."""


def applied(text: str, diff: str, path: str) -> str:
    """`text`, the content of the file `path`, with `diff` applied; line ends stay as they are in `text`.

    A hunk goes to the nearest place, from where it says, at which all its old lines stand. Raises DoesNotFit.
    """
    lines = lines_of(text)
    plain = [line.rstrip("\r\n") for line in lines]
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    made: list[str] = []
    done = 0  # lines of the text that are in `made`, or were replaced
    shift = 0
    for number, hunk in enumerate(_hunks(diff, path), start=1):
        at = _place(plain, hunk, done, shift)
        if at is None:
            raise DoesNotFit(f"hunk {number} of the diff does not fit: its old lines do not stand in {path}")
        shift = at - hunk.start
        made += lines[done:at]
        made += [lines[at + same] if same is not None else added + end for same, added in hunk.new]
        done = at + len(hunk.old)
    made += lines[done:]
    ended = [line if line.endswith("\n") else line + end for line in made[:-1]]
    last = made[-1:]
    if last and lines and not lines[-1].endswith("\n"):
        last = [last[0].rstrip("\r\n")]  # the file had no line end at its end
    return "".join([*ended, *last])


def _place(plain: Sequence[str], hunk: Hunk, first: int, shift: int) -> int | None:
    """The index nearest to where the hunk says, from `first` on, at which its old lines stand."""
    last = len(plain) - len(hunk.old)
    wanted = hunk.start + shift
    if not hunk.old or tuple(plain[wanted : wanted + len(hunk.old)]) == hunk.old:
        return wanted if first <= wanted <= last else None
    fits = (at for at in range(first, last + 1) if tuple(plain[at : at + len(hunk.old)]) == hunk.old)
    return min(fits, key=lambda at: abs(at - wanted), default=None)


def _hunks(diff: str, path: str) -> Iterator[Hunk]:
    """Raises DoesNotFit where the diff is none, or changes another file."""
    lines = [line.rstrip("\r\n") for line in lines_of(diff)]
    at, found = 0, False
    while at < len(lines):
        if lines[at].startswith("--- ") and lines[at + 1 : at + 2] and lines[at + 1].startswith("+++ "):
            _check_path(lines[at], lines[at + 1], path)
            at += 2
        elif head := HUNK.match(lines[at]):
            body, at = _body(lines, at + 1, int(head[2] or 1))
            found = True
            yield _hunk(int(head[1]), body)
        else:
            at += 1
    if not found:
        raise DoesNotFit("it holds no hunk of a unified diff (@@ -1,3 +1,4 @@)")


def _body(lines: Sequence[str], at: int, n_old: int) -> tuple[list[str], int]:
    """The lines of the hunk that begins at `at`, and where it ends."""
    body: list[str] = []
    old = 0
    while at < len(lines):
        line = lines[at]
        is_head = line.startswith("--- ") and lines[at + 1 : at + 2] and lines[at + 1].startswith("+++ ")
        if HUNK.match(line) or line.startswith("diff --git ") or (is_head and old >= n_old):
            break
        if line[:1] not in ("", " ", "+", "-", "\\") or (line == "-- " and old >= n_old):  # the signature of a mail
            break
        old += line[:1] in ("", " ", "-")
        body.append(line)
        at += 1
    while body and not body[-1] and old > n_old:  # blank lines after the diff are none of its context
        body.pop()
        old -= 1
    return body, at


def _hunk(start: int, body: Sequence[str]) -> Hunk:
    old: list[str] = []
    new: list[tuple[int | None, str]] = []
    for line in body:
        sign, text = line[:1] or " ", line[1:]
        if sign == "\\":  # "\ No newline at end of file": the text says by itself how it ends
            continue
        if sign in " -":
            old.append(text)
        if sign == " ":
            new.append((len(old) - 1, text))
        elif sign == "+":
            new.append((None, text))
    return Hunk(start - 1 if old else start, tuple(old), tuple(new))


def _check_path(before: str, after: str, path: str) -> None:
    """Raises DoesNotFit where a diff's two head lines name another file."""
    for head in (before, after):
        named = head[4:].partition("\t")[0].strip().strip('"')
        if not _is_same(named, path):
            raise DoesNotFit(f"it changes {named}, and only {path} may be changed")


def _is_same(named: str, path: str) -> bool:
    """Whether the shorter of both is the end of the longer, git's leading a/ or b/ left out."""
    if named == NO_FILE:
        return False
    one, other = (PurePosixPath(each).parts for each in (named, path))
    most = min(len(one), len(other))
    is_prefixed = one[:1] in (("a",), ("b",)) and one[1:][-most:] == other[-len(one[1:]) :]
    return one[-most:] == other[-most:] or is_prefixed
