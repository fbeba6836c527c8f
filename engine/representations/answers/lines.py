"""An answer that holds some lines of the function: the changed ones, or all but those that a comment stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from engine.domain import lines_of
from engine.languages import language
from engine.languages.source import Source, indent_of
from engine.representations.answers.functions import Written
from engine.representations.answers.place import Place, shifted

_MOST_LINES = 200
_MOST_ENDS = 6  # that are tried, as a bracket ends many lines
_ENOUGH = 0.4  # how alike the faulty lines and those that replace them have to be
_ALIKE = 0.6  # the same for other lines of the function
_TOKEN = re.compile(r"\w+|[^\w\s().,;:{}\[\]]")  # brackets and commas are in all code
_ADD = re.compile(r"\b(?:add|insert|missing|append|put)|加|插入|补|缺", re.IGNORECASE)
_SESSION = re.compile(r"\s*(?:>>>|\$ |In \[)")
_LEFT_OUT = re.compile(
    r"\s*(?://|#|/\*)\W{0,4}?(?:\.\.\.|…|(?:the\s+)?(?:rest|remainder) of (?:the|your|my|this)\b"
    r"|(?:existing|remaining|other|original|previous) (?:code|logic|lines|implementation|statements)\b"
    r"|same as (?:before|above|the original|in the original)\b|unchanged\b|(?:code )?omitted\b"
    r"|其余|其他代码|省略|保持不变|剩余|原有代码|代码不变)",
    re.IGNORECASE,
)


def shortened(code: str, place: Place) -> bool:
    """Whether a line of the code stands for lines of the function that are left out."""
    known = {line.strip() for line in place.lines}
    return any(_is_left_out(line) and line.strip() not in known for line in lines_of(code))


def _is_left_out(line: str) -> bool:
    return line.strip() in ("...", "…", "[...]") or (len(line) < 200 and _LEFT_OUT.match(line) is not None)


def filled(code: str, place: Place) -> str | None:
    """The code with the function's own lines where it leaves them out; None where these cannot be told."""
    old = place.lines
    keys = [_bare(line) for line in old]
    new = [line for line in lines_of(code) if line.strip()]
    made: list[str] = []
    at = 0  # rows of the function before this one are done
    since: int | None = None  # lines that are the answer's own, since one that is known; None: none was known yet
    stands_for = [_is_left_out(line) and _bare(line) not in keys for line in new]
    done = 0  # lines of the answer before this one are in `made`
    for number, line in enumerate(new):
        if number < done:
            continue
        if not stands_for[number]:
            made.append(line)
            found = _next(keys, _bare(line), at)
            at = at if found is None else found + 1
            since = 0 if found is not None else None if since is None else since + 1
            continue
        stop = next((more for more in range(number + 1, len(new)) if stands_for[more]), len(new))
        below = [_bare(each) for each in new[number + 1 : stop]]
        following = [_next(keys, each, at) for each in below]
        ahead = next((count for count, row in enumerate(following) if row is not None), None)
        if ahead is None and since is not None and stop < len(new) and at <= place.faulty[0]:
            made += [*old[at : place.faulty[0]], *new[number + 1 : stop]]  # these can only be the faulty lines repaired
            at, since, done = place.faulty[1], 0, stop
            continue
        closing = below if ahead is None else []
        if since is None or closing != keys[len(keys) - len(closing) :]:
            return None
        row = len(old) - len(closing) if ahead is None else following[ahead] or 0
        first = at + _replaced(new[number - since : number], old[at : at + since], place.faulty, at)
        last = row - _replaced(new[number + 1 :][: ahead or 0], old[row - (ahead or 0) : row], place.faulty, None, row)
        if first > last:
            return None
        made += old[first:last]
        at, since = last, 0
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in made)


def _replaced(
    new: Sequence[str], old: Sequence[str], faulty: tuple[int, int], start: int | None, after: int = 0
) -> int:
    """How many lines of the function, from `start` on or up to `after`, the new ones take the place of."""
    n_lines = len(new)
    if not n_lines or [_bare(each) for each in new] == [_bare(each) for each in old]:
        return n_lines
    if start is not None and start <= faulty[0] <= start + n_lines:
        return max(0, faulty[1] - start)
    if start is None and after - n_lines <= faulty[0] <= after:
        return max(0, after - faulty[0])
    return n_lines if _is_like(new, old, _ENOUGH) else 0


def _next(keys: Sequence[str], key: str, at: int) -> int | None:
    """Where a line stands next, brackets alone left out of account."""
    if len(key) < 2:
        return None
    return next((row for row in range(at, len(keys)) if keys[row] == key), None)


def replaced(code: str, place: Place, said: str) -> Iterator[str]:
    """The code of the function with these lines in it, the likeliest place first.

    They take the place of the faulty lines, from the line that they begin with to the one that they end with, where
    those are the function's too. Nothing comes of code that is not like what it would replace.
    """
    new = lines_of(code.rstrip() + "\n")
    while new and not new[0].strip():
        del new[0]
    if not 0 < len(new) <= _MOST_LINES or any(_SESSION.match(line) for line in new):
        return
    old = place.lines
    seen = set()
    for first, after, is_sure in _windows(new, old, place, said):
        is_fit = is_sure or (_is_like(new, old[first:after], _ENOUGH) and _knows(new, old, place))
        if (first, after) in seen or not is_fit:
            continue
        seen.add((first, after))
        for lines in _indented(new, old, first, after, is_inside=place.function is not None):
            yield "".join([*old[:first], *lines, *old[after:]])


def _windows(new: Sequence[str], old: Sequence[str], place: Place, said: str) -> Iterator[tuple[int, int, bool]]:
    """Rows of the function, and whether it is sure that the new lines belong there."""
    first, after = place.faulty
    keys = [_bare(line) for line in old]
    above = [row for row, key in enumerate(keys) if key == _bare(new[0]) and row <= first]
    below = [row + 1 for row, key in enumerate(keys) if key == _bare(new[-1]) and row >= after - 1]
    start = max(above, default=None)
    end = min(below, default=None) if len(_bare(new[-1])) > 1 else None
    if len(new) > 1:
        if start is not None:
            yield from (
                (start, each, True)
                for each in sorted(below, key=lambda each: (abs(each - start - len(new)), each))[:_MOST_ENDS]
            )
        if start is not None and (start < first or first == after):
            yield start, max(after, start + 1), _says_more(new, old, start, after)
        if end is not None and (end > after or first == after):
            yield min(first, end - 1), end, _says_more(new, old, min(first, end - 1), end)
    if first < after:
        yield first, after, False
    if first == after and (says_add(said) or _knows(new, old, place)):
        yield first, after, True
    size = len(new)
    alike = (
        [(_likeness(new, old[row : row + size]), -row) for row in range(1, len(old) - size + 1)]
        if size <= 30 and len(old) <= _MOST_LINES
        else []
    )
    best = max(alike, default=(0.0, 0))
    if best[0] >= _ALIKE and first < after:
        yield -best[1], -best[1] + size, True


def says_add(said: str) -> bool:
    """Whether words say that something is missing."""
    return _ADD.search(said) is not None


def _knows(new: Sequence[str], old: Sequence[str], place: Place) -> bool:
    """Whether most names of the new lines are names of the function too."""
    keywords = language(place.bug.language).keywords
    names = {word for word in re.findall(r"[^\W\d]\w*", "".join(new)) if word not in keywords}
    return 2 * len(names & {*re.findall(r"\w+", "".join(old))}) >= len(names)


def _says_more(new: Sequence[str], old: Sequence[str], first: int, after: int) -> bool:
    """Whether one end of the new lines is sure, and the rest is like what it would replace, or is added."""
    return after - first <= 1 or _is_like(new, old[first:after], _ENOUGH)


def _indented(
    new: Sequence[str], old: Sequence[str], first: int, after: int, *, is_inside: bool
) -> Iterator[list[str]]:
    """The new lines with the indent of those that they replace, or of those next to a gap."""
    ended = [line if line.endswith("\n") else f"{line}\n" for line in new]
    has = indent_of(ended)
    if first < after:
        wanted = [indent_of(old[first:after])]
    else:
        head = indent_of(old) if is_inside else ""
        above, below = indent_of(old[first - 1 : first]), indent_of(old[first:])
        opens = first > 0 and old[first - 1].rstrip().endswith((":", "{"))  # what follows belongs into it
        wanted = [each for each in ((below, above) if opens else (above, below)) if len(each) > len(head)]
        wanted = sorted(wanted, key=lambda each: each != has) or [head + ("    " if is_inside else "")]
    for indent in dict.fromkeys(wanted):
        yield [shifted(line, has, indent) for line in ended]
        if not has and indent and len(ended) > 1:  # the first line alone lost its indent
            yield [indent + ended[0], *ended[1:]]


def _bare(line: str) -> str:
    return "".join(line.split())


def _is_like(new: Sequence[str], old: Sequence[str], least: float) -> bool:
    return _likeness(new, old) >= least


def _likeness(new: Sequence[str], old: Sequence[str]) -> float:
    """Sorensen's index of the words and marks of both, from 0 to 1."""
    one, other = (Counter(_TOKEN.findall("".join(lines))) for lines in (new, old))
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def alike(one: str, other: str) -> float:
    """How alike two pieces of code are, from 0 to 1, by their words and marks."""
    return _likeness([one], [other])


def trailing(read: Source, written: Written) -> str:
    """A line below a function that stands for the rest of it, as a comment at its end is no part of it in Python."""
    rows = read.lines[written.span.end : written.span.end + 3]
    line = next((each for each in rows if each.strip()), "")
    head = indent_of(read.lines[written.span.start - 1 :])
    return line if _is_left_out(line) and len(indent_of([line])) > len(head) else ""


def swapped(pieces: Sequence[tuple[str, str]], code: str) -> Iterator[str]:
    """The code after each swap of two neighbouring pieces, of which one stands in it once."""
    for (one, _), (other, between) in pairwise(pieces):
        if not one.strip() or not other.strip():
            continue
        is_backwards = re.search(r"instead of|rather than|in place of|而不是|代替", between) is not None
        old, new = (other, one) if is_backwards else (one, other)
        if code.count(old) == 1 and new not in code and len(between) <= 80:
            yield code.replace(old, new)
