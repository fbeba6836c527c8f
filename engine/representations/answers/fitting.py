"""Changes of lines put into a file: each goes where its old lines stand, whatever their white space is."""

from __future__ import annotations

from collections.abc import Sequence

from engine.languages.source import indent_of
from engine.representations.answers.edits import MOST_LINES, Change
from engine.representations.answers.place import shifted

_MOST_CONTEXT = 4  # lines of context that may be left out at each end


class DoesNotFit(ValueError):
    """A change that cannot be made; the text says why."""


def fitted(changes: Sequence[Change], lines: Sequence[str], fault: tuple[int, int]) -> str:
    r"""The text of a file after changes of its lines, which end with "\n".

    Of several places the one nearest to the fault is changed, which is known to be between the two indices `fault`.
    Lines that are added get the indent that the others have in the file. Raises DoesNotFit.
    """
    if sum(len(each.lines) for each in changes) > MOST_LINES:
        raise DoesNotFit(f"the changes in the answer have more than {MOST_LINES} lines")
    bare = ["".join(line.split()) for line in lines]
    rows = [row for row, line in enumerate(bare) if line]
    made = sorted((_edit(each, lines, bare, rows, fault) for each in changes), key=lambda edit: edit[:2])
    text: list[str] = []
    done = 0
    for first, after, new in made:
        if first < done:
            raise DoesNotFit("two changes in the answer are of the same lines")
        text += [*lines[done:first], *new]
        done = after
    text += lines[done:]
    return "".join([*(line if line.endswith("\n") else f"{line}\n" for line in text[:-1]), *text[-1:]])


def _edit(
    change: Change, lines: Sequence[str], bare: Sequence[str], rows: Sequence[int], fault: tuple[int, int]
) -> tuple[int, int, list[str]]:
    """The rows that a change is of, and what stands there then."""
    for fewer in range(_MOST_CONTEXT):
        signed = _with_less_context(change.lines, fewer)
        old = ["".join(line.split()) for sign, line in signed if sign != "+" and line.strip()]
        if not old:
            continue
        places = [
            at
            for at in range(len(rows) - len(old) + 1)
            if bare[rows[at]] == old[0] and all(bare[rows[at + more]] == each for more, each in enumerate(old))
        ]
        if places:
            at = min(places, key=lambda at: _distance(rows[at], rows[at + len(old) - 1] + 1, fault))
            return _made(signed, lines, rows[at : at + len(old)])
    if fault[0] == fault[1] and all(sign == "+" for sign, _ in change.lines):  # something is missing, and only there
        return fault[0], fault[0], [f"{line}\n" for _, line in change.lines]
    missing = next((line for sign, line in change.lines if sign == "-" and "".join(line.split()) not in bare), "")
    if missing:
        raise DoesNotFit(f"a change in the answer removes a line that the file does not have: {missing.strip()[:80]}")
    raise DoesNotFit("the lines of a change in the answer do not stand together in the file")


def _with_less_context(signed: tuple[tuple[str, str], ...], fewer: int) -> tuple[tuple[str, str], ...]:
    before = next((at for at, (sign, _) in enumerate(signed) if sign != " "), 0)
    after = next((at for at, (sign, _) in enumerate(reversed(signed)) if sign != " "), 0)
    return signed[min(fewer, before) : len(signed) - min(fewer, after)]


def _distance(first: int, after: int, fault: tuple[int, int]) -> tuple[int, int]:
    apart = max(0, first - fault[1], fault[0] - after)
    return apart, abs(first - fault[0])


def _made(signed: Sequence[tuple[str, str]], lines: Sequence[str], rows: Sequence[int]) -> tuple[int, int, list[str]]:
    """`rows`: where the old lines that are not blank stand."""
    old = [(sign, line) for sign, line in signed if sign != "+" and line.strip()]
    removed = [at for at, (sign, _) in enumerate(old) if sign == "-"]
    guide = (removed or [0])[0]
    has, wanted = indent_of([old[guide][1]]), indent_of([lines[rows[guide]]])
    made: list[str] = []
    at, waiting = rows[0], iter(rows)
    for sign, line in signed:
        if sign == "+":
            made.append(f"{shifted(line, has, wanted)}\n")
        elif line.strip():
            row = next(waiting)
            made += lines[at:row]
            made += [lines[row]] if sign == " " else []
            at = row + 1
        elif at < len(lines) and not lines[at].strip():
            made += [lines[at]] if sign == " " else []
            at += 1
    if made and at == len(lines) and not lines[-1].endswith("\n"):
        made[-1] = made[-1].removesuffix("\n")
    return rows[0], at, made
