"""The expected and the actual value in the messages of Java's assertion libraries, each of which says which is which.

JUnit 3, 4 `expected:<1> but was:<2>`, JUnit 5 `message ==> expected: <1> but was: <2>`, TestNG `expected [1] but found
[2]`, Hamcrest `Expected: is <1>` and `but: was <2>`, AssertJ up to 3.18 `Expecting: <actual> to be equal to:
<expected>`, later `expected: 1` and `but was: 2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MOST_CHARS = 2000  # of a message that is looked at
_SEVERAL = "MultipleFailuresError"  # of JUnit 5's `assertAll`, with a line for each
_TYPE = r"(?:[\w.$\[\];]{1,200}(?:@[0-9a-f]{1,8})?)?"
_FORMS = [
    re.compile(form, re.DOTALL)
    for form in (
        rf"expected: ?{_TYPE}<(.*)> but was: ?{_TYPE}<(.*)>\s*$",
        r"[Ee]xpected[: ]*<(.*)> but was[: ]*<(.*)>\s*$",
        r"expected same:<(.*)> was not:<(.*)>\s*$",
        r"expected (null), but was:<(.*)>\s*$",
        r"Expected: <(null)> but was: (.*)$",
        r"expected \[(.*)\] but found \[(.*)\]\s*$",
        r"(?:^|\n) *expected: (.*)\n *but was *: (.*)$",
    )
]
_HAMCREST = re.compile(r"(?:^|\n) *Expected: (.*)\n *(?:but|got): (.*)$", re.DOTALL)
_ASSERTJ = re.compile(r"(?:^|\n)Expecting:\s*\n(.*)\nto be equal to:\s*\n(.*)\nbut was not", re.DOTALL)
Values = tuple[str | None, str | None, str]  # expected, actual, the rest of the message


def expected_and_actual(error: str, message: str) -> Values:
    """Expected, actual and what else the exception's message says; None where it does not name both."""
    message = message[:MOST_CHARS]
    for read in _READERS if error != _SEVERAL else ():
        if values := read(message):
            expected, actual, rest = values
            if error == "ComparisonFailure" and expected is not None and actual is not None:
                expected, actual = _without_marks(expected, actual)
            return expected, actual, rest
    return None, None, message.strip()


def _hamcrest(message: str) -> Values | None:
    found = _HAMCREST.search(message)
    return found and (found[1].strip(), found[2].strip().removeprefix("was "), _rest(message[: found.start()]))


def _assertj(message: str) -> Values | None:
    found = _ASSERTJ.search(message)
    return found and (_bare(found[2]), _bare(found[1]), _rest(message[: found.start()]))


def _junit(message: str) -> Values | None:
    for form in _FORMS:
        if found := form.search(message):
            return found[1], found[2], _rest(message[: found.start()])
    return None


_READERS: tuple[Callable[[str], Values | None], ...] = (_hamcrest, _assertj, _junit)


def _rest(before: str) -> str:
    return before.strip().removesuffix("==>").rstrip(" ;,")


def _bare(value: str) -> str:
    """AssertJ writes ` <1>`."""
    value = value.strip()
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value


def _without_marks(expected: str, actual: str) -> tuple[str, str]:
    """Both without the brackets that JUnit 4's `ComparisonFailure` puts around what differs.

    It writes `<same[one]same>` and `<same[other]same>`: the equal beginnings end with a bracket, the equal ends begin
    with one.
    """
    head = _common(expected, actual)
    tail = _common(expected[head:][::-1], actual[head:][::-1])
    ends = expected[len(expected) - tail :]
    if not (head and expected[head - 1] == "[" and ends.startswith("]")):
        return expected, actual
    start, end = expected[: head - 1], ends[1:]
    return (
        f"{start}{expected[head : len(expected) - tail]}{end}",
        f"{start}{actual[head : len(actual) - tail]}{end}",
    )


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)
