"""Changes of lines in an answer: diffs however they are counted, `*** Begin Patch`, search and replace, + and -.

The forms are those of `diff -u` and git, of OpenAI's apply_patch
(https://cookbook.openai.com/examples/gpt4-1_prompting_guide) and of aider's edit blocks
(https://aider.chat/docs/more/edit-formats.html). Numbers in heads are not used: models count badly, and what they count
is often the function that they were shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.domain import lines_of

MOST_LINES = 400  # of all changes of an answer together
_SEARCH = re.compile(r"[ \t]*<{5,9}[ \t]*(?:SEARCH|ORIGINAL|HEAD|BEFORE|OLD)?\b")
_DIVIDER = re.compile(r"[ \t]*={5,9}[ \t]*$")
_REPLACE = re.compile(r"[ \t]*>{5,9}")
_ELLIPSIS = frozenset(["...", "…", "// ...", "# ...", "/* ... */", "[...]"])
_BETWEEN = ("diff --git ", "index ", "new file mode", "old mode", "new mode", "similarity index", "*** ")
_NUMBERED = re.compile(r"@@ .*\d")


@dataclass(frozen=True)
class Change:
    """One place that changes: lines without their ends, each with its sign as in a diff."""

    lines: tuple[tuple[str, str], ...]
    path: str = ""  # of the file, where it is named

    @property
    def is_change(self) -> bool:
        return any(sign != " " for sign, _ in self.lines)


def replacement(old: str, new: str) -> Change:
    """One text in the place of another; the lines that both begin or end with stay."""
    before, after = ([line.rstrip() for line in lines_of(text.strip("\n"))] for text in (old, new))
    most = min(len(before), len(after))
    head = next((at for at in range(most) if before[at] != after[at]), most)
    most -= head
    tail = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    ends = before[len(before) - tail :]
    signed = [(" ", before[:head]), ("-", before[head : len(before) - tail]), ("+", after[head : len(after) - tail])]
    return Change(tuple((sign, line) for sign, lines in (*signed, (" ", ends)) for line in lines))


def is_headed(text: str) -> bool:
    """Whether a text has the head of a diff, of a patch or of a search and replace block."""
    lines = lines_of(text)
    return any(
        line.startswith(("@@", "*** Begin Patch", "*** Update File", "diff --git "))
        or (line.startswith("--- ") and lines[at + 1 : at + 2] and lines[at + 1].startswith("+++ "))
        or _SEARCH.match(line)
        for at, line in enumerate(lines)
    )


def form_of(text: str) -> str:
    """`search_replace`, `begin_patch`, `numbered_diff`, `diff` or, without any head, `signs`."""
    lines = lines_of(text)
    if any(_SEARCH.match(line) for line in lines):
        return "search_replace"
    if any(line.startswith(("*** Begin Patch", "*** Update File")) for line in lines):
        return "begin_patch"
    if any(_NUMBERED.match(line) for line in lines):
        return "numbered_diff"
    return "diff" if is_headed(text) else "signs"


def changes_in(text: str, path: str, known: frozenset[str], *, has_head: bool) -> list[Change]:
    """The changes of the file `path` that a text tells, in their order; none where it tells none.

    `known`: the lines of the file without white space. A line without a sign that is not among them ends a change.
    `has_head`: whether a change begins at a head only, since other text is around it.
    """
    lines = [line.rstrip("\r\n") for line in lines_of(text)]
    if any(_SEARCH.match(line) for line in lines):
        return _searched(lines)
    found: list[list[tuple[str, str]]] = [] if has_head else [[]]
    paths = [""] * len(found)
    named, is_open, at = "", not has_head, 0
    while at < len(lines):
        line = lines[at]
        at += 1
        is_head = line.startswith("--- ") and at < len(lines) and lines[at].startswith("+++ ")
        if is_head:
            named, is_open = _path_in(lines[at]) or _path_in(line), not has_head or is_open
            at += 1
        if line.startswith("*** Update File:"):
            named = line.partition(":")[2].strip()
        if line.startswith("@@") or is_head or line.strip() in _ELLIPSIS or line.startswith(_BETWEEN):
            found.append([])
            paths.append(named)
            is_open = is_open or line.startswith(("@@", "*** ")) or is_head
        elif is_open and not line.startswith("\\"):
            signed = _signed(line, known)
            if signed:
                found[-1].append(signed)
            elif found[-1]:
                found.append([])
                paths.append(named)
                is_open = not has_head
    made = [Change(tuple(each), where) for each, where in zip(found, paths, strict=True)]
    return _of_file([each for each in made if each.is_change], path)


def _signed(line: str, known: frozenset[str]) -> tuple[str, str] | None:
    if not line.strip():
        return " ", ""
    if line[0] in "+-":
        return line[0], line[1:]
    return (" ", line.removeprefix(" ")) if "".join(line.split()) in known else None


def _path_in(head: str) -> str:
    named = head[4:].partition("\t")[0].strip().strip('"')
    return "" if named == "/dev/null" else named


def _of_file(made: Sequence[Change], path: str) -> list[Change]:
    """Those of the file; of a diff that names one other file all, since models invent names."""
    own = [each for each in made if PurePosixPath(each.path).name == PurePosixPath(path).name]
    return own or (list(made) if len({each.path for each in made}) == 1 else [])


def _searched(lines: Sequence[str]) -> list[Change]:
    found = []
    old: list[str] | None = None
    new: list[str] | None = None
    for line in lines:
        if old is None:
            old = [] if _SEARCH.match(line) else None
        elif new is None:
            if _DIVIDER.match(line):
                new = []
            else:
                old.append(line)
        elif _REPLACE.match(line):
            found.append(replacement("\n".join(old), "\n".join(new)))
            old = new = None
        else:
            new.append(line)
    return [each for each in found if each.is_change]
