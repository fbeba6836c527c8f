r"""Diffs as RepairLLaMA's OR3 and OR4 have them (arXiv 2312.15698): hunks without heads, placed by their context.

Each run of changed lines is a hunk, with up to so many unchanged lines above and below it, and an empty line between
two hunks. Runs that are near each other stay apart, so the lines between them may stand in both hunks. A last line
without an end is followed by the line that `diff -u` writes there, "\ No newline at end of file".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from engine.domain import lines_of
from engine.representations.region import Edit, changes

_HEAD = re.compile(r"^--- .*\n\+\+\+ .*\n(?=@@)", re.MULTILINE)
_NO_END = "\\ No newline at end of file\n"
Same = Callable[[str], str]  # what of two lines has to be the same

_SAME: tuple[Same, ...] = (str, str.rstrip, lambda line: "".join(line.split()))  # strict ones first


class DoesNotFit(ValueError):
    """A diff that cannot be applied; the text says why."""


@dataclass(frozen=True)
class Hunk:
    """One run of changed lines with the unchanged ones around it."""

    lines: tuple[tuple[str, str], ...]  # (sign, text with its end); signs are those of a diff

    @property
    def text(self) -> str:
        """As it stands in a diff."""
        return "".join(
            f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n{_NO_END}" for sign, line in self.lines
        )

    @property
    def old(self) -> tuple[str, ...]:
        return tuple(line for sign, line in self.lines if sign != "+")

    @property
    def n_before(self) -> int:
        """Unchanged lines above the first changed one."""
        return next((at for at, (sign, _) in enumerate(self.lines) if sign != " "), len(self.lines))

    @property
    def n_after(self) -> int:
        """Unchanged lines below the last changed one."""
        return Hunk(self.lines[::-1]).n_before

    def shorter(self, fewer: int) -> Hunk:
        """With this many unchanged lines less on each side that has them."""
        return Hunk(self.lines[min(fewer, self.n_before) : len(self.lines) - min(fewer, self.n_after)])

    def edits(self, at: int) -> Iterator[Edit]:
        """What it changes where its old lines begin at `at`."""
        for is_same, run in groupby(self.lines, lambda line: line[0] == " "):
            lines = list(run)
            n_old = sum(sign != "+" for sign, _ in lines)
            if not is_same:
                yield at, at + n_old, "".join(line for sign, line in lines if sign == "+")
            at += n_old


def written(old: Sequence[str], new: Sequence[str], context: int) -> str:
    """The diff from `old` to `new`, lines with their ends, with up to `context` lines around each change."""
    found = changes(old, new)
    starts = [0, *(each.old_after for each in found)]
    ends = [*(each.old_first for each in found), len(old)]
    hunks = []
    for number, each in enumerate(found):
        above = old[max(starts[number], each.old_first - context) : each.old_first]
        below = old[each.old_after : min(ends[number + 1], each.old_after + context)]
        signed = (
            (" ", above),
            ("-", old[each.old_first : each.old_after]),
            ("+", new[each.new_first : each.new_after]),
        )
        hunks.append(Hunk(tuple((sign, line) for sign, lines in (*signed, (" ", below)) for line in lines)))
    return "\n".join(hunk.text for hunk in hunks)


def read(answer: str) -> list[Hunk]:
    """The hunks in an answer that change something; heads and fences are passed over."""
    hunks: list[list[tuple[str, str]]] = [[]]
    for line in lines_of(_HEAD.sub("", answer)):
        if not line.rstrip("\r\n") or line.startswith(("@@", "```")):
            hunks.append([])
        elif line.startswith(_NO_END[:12]):
            hunks[-1][-1:] = [(sign, text.removesuffix("\n")) for sign, text in hunks[-1][-1:]]
        else:
            sign, text = (line[0], line[1:]) if line[0] in " +-" else (" ", line)
            hunks[-1].append((sign, text if text.endswith("\n") else f"{text}\n"))
    return [Hunk(tuple(lines)) for lines in hunks if any(sign != " " for sign, _ in lines)]


def placed(hunks: Sequence[Hunk], lines: Sequence[str], fault: tuple[int, int]) -> list[Edit]:
    """The edits of `lines`, without their ends, that the hunks are, each below the one before it.

    A hunk whose old lines stand in several places changes the one that is nearest to the fault, which is known to be
    between the two indices `fault`: the first hunk near its beginning, the last one near its end, others as early as
    they can. White space, and then the outer lines of context, may differ. Raises DoesNotFit.
    """

    @cache
    def form(same: Same) -> list[str]:
        return [same(line) for line in lines]

    edits: list[Edit] = []
    for number, hunk in enumerate(hunks, start=1):
        found = _places(hunk, form, edits[-1][1] if edits else 0)
        if not found:
            raise DoesNotFit(f"hunk {number} of the diff fits nowhere in the function")
        if number == 1:
            distances = [abs(each[0][0] - fault[0]) for each in found]
        elif number == len(hunks):
            distances = [abs(each[-1][1] - fault[1]) for each in found]
        else:
            distances = [each[0][0] for each in found]
        edits += found[distances.index(min(distances))]
    return edits


def _places(hunk: Hunk, form: Callable[[Same], Sequence[str]], done: int) -> list[list[Edit]]:
    """The edits for each place from `done` on where the hunk fits equally well."""
    for fewer in range(max(hunk.n_before, hunk.n_after) + 1):
        short = hunk.shorter(fewer)
        if not short.old and form(str):
            return []
        for same in _SAME:
            lines, old = form(same), [same(line.removesuffix("\n")) for line in short.old]
            found = [at for at in range(done, len(lines) - len(old) + 1) if lines[at : at + len(old)] == old]
            if found:
                return [list(short.edits(at)) for at in found]
    return []
