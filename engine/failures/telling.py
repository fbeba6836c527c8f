"""From a verdict to what helps to repair the code: its lines in their order, each with how soon it may be dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engine.domain import Bug, Outcome, Verdict
from engine.failures import Complaint, Failed, Found, Place
from engine.failures.reading import read
from engine.failures.sources import line_at, plain_name, test_source

MOST_TESTS, MOST_PLACES, MOST_CHARS = 20, 5, 300  # tests, lines of one stack, characters of a value
# Lines are dropped from the last of these kinds to the first; the headline stays.
KINDS = ("headline", "line", "place", "cause", "source", "stack", "other tests", "details of other tests")
# What models read as the end of a message, a hole and the like; a space takes that meaning away.
_SPECIAL = re.compile(
    r"<(?=\|[^<>|\n]{1,40}\|>|｜[^<>｜\n]{1,40}｜>|/?s>|(?:pad|unk|bos|eos|mask|sep|cls)>|fim_[a-z]{1,10}>|(?:start|end)_of"
    r"_|/?(?:PRE|SUF|MID|EOT|FILL_ME)>|<?/?SYS>|(?:file|repo|gh|issue|commit|jupyter|empty)_\w{1,20}>|(?:repo|file)name>"
    r")|\[(?=/?INST\])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Part:
    """Some lines of what is told."""

    text: str
    kind: str  # of KINDS


def in_one_line(verdict: Verdict, most: int = 120) -> str:
    """`test_sum: expected 7, got 3`, `does not compile: line 3: ';' expected`: at most `most` characters."""
    return _shortened(_headline(verdict, read(verdict.log)).replace("\n", " "), most)


def parts_of(verdict: Verdict, bug: Bug, patched: str | None, *, all_tests: bool, with_source: bool) -> list[Part]:
    """What there is to tell of a verdict on `patched`, the whole file; the first part is the headline.

    `all_tests`: of all tests that failed, and not only of the first; `with_source`: with the tests' source.
    """
    found = read(verdict.log)
    parts = [Part(_headline(verdict, found, lambda failed: _asserted(failed, bug, patched)[1]), "headline")]
    if verdict.outcome is Outcome.COMPILE_ERROR and found.complaints:
        parts += _of_compiler(found.complaints[0], bug, patched)
    elif verdict.outcome is Outcome.TIMEOUT and verdict.failed:
        parts += _of_hanging(verdict, bug, with_source=with_source)
    elif verdict.outcome is Outcome.TEST_FAILED:
        failed = _failed(verdict, found)
        for number, each in enumerate(failed[: MOST_TESTS if all_tests else 1]):
            about = [*_of_test(each, bug, patched, with_source=with_source)]
            if number:
                parts.append(Part(_said(each, _asserted(each, bug, patched)[1]), "other tests"))
                about = [Part(part.text, "details of other tests") for part in about]
            parts += about
        if len(failed) > 1 and not all_tests:
            parts[0] = Part(f"{parts[0].text} (and {len(failed) - 1} more)", "headline")
    return [Part(_SPECIAL.sub(lambda found: f"{found[0]} ", part.text), part.kind) for part in parts]


def _headline(verdict: Verdict, found: Found, asserted: Callable[[Failed], str] = lambda failed: "") -> str:
    """`asserted`: the code of the assertion that failed."""
    if verdict.outcome is Outcome.TIMEOUT:
        return "the tests did not end in time"
    if verdict.outcome is Outcome.NO_PATCH:
        return f"no patch: {verdict.reason}"
    if verdict.outcome is Outcome.NOT_RUN:
        return f"the tests could not be run: {verdict.reason}"
    if verdict.outcome is Outcome.PLAUSIBLE:
        return "every test passes"
    if verdict.outcome is Outcome.COMPILE_ERROR:
        first = next(iter(found.complaints), None)
        return f"does not compile: {_complained(first) if first else _important(found, verdict)}"
    failed = _failed(verdict, found)
    if not failed:
        return f"test: {_important(found, verdict)}"
    return _said(failed[0], asserted(failed[0])) + (f" ({verdict.reason})" if verdict.reason else "")


def _failed(verdict: Verdict, found: Found) -> list[Failed]:
    """The tests that failed, those first that the log tells of, without those that the verdict does not name."""
    named = {plain_name(name): name for name in verdict.failed}
    told = [each for each in found.failed if not named or plain_name(each.test) in named]
    known = {plain_name(each.test) for each in told}
    untold = [Failed(short, name.partition("::")[0]) for short, name in named.items() if short not in known]
    return [*told, *untold]


def _said(failed: Failed, code: str = "") -> str:
    """`test_sum: expected 7, got 3 (after the second call)`."""
    if failed.expected is not None and failed.actual is not None:
        own = f" ({_short(failed.message)})" if failed.message else ""
        return f"{failed.test}: expected {_short(failed.expected)}, got {_short(failed.actual)}{own}"
    is_bare = not failed.message and failed.error.startswith("Assertion")  # `assertTrue` of JUnit says nothing else
    said = (
        f"{_short(code)} failed"
        if is_bare and code
        else ": ".join(filter(None, (failed.error, _short(failed.message))))
    )
    return f"{failed.test}: {said or 'failed'}"


def _complained(complaint: Complaint) -> str:
    line = f"line {complaint.place.line}: " if complaint.place.line else ""
    return line + complaint.message


def _of_compiler(complaint: Complaint, bug: Bug, patched: str | None) -> Iterator[Part]:
    place = complaint.place
    if place.path and not place.is_in(bug.path):
        yield Part(f"in {place.path.rpartition('/')[2]}", "place")
    shown = [line for line in complaint.lines if line.strip()]
    if not any("^" in line for line in shown) and (code := line_at(place, bug, patched)):
        shown = [f"    {code}", *shown]  # Maven shows neither the line nor where in it
    yield from (Part(line, "line" if number < 2 else "cause") for number, line in enumerate(shown))


def _of_test(failed: Failed, bug: Bug, patched: str | None, *, with_source: bool) -> Iterator[Part]:
    own = [*{place.line: place for place in failed.places if place.is_in(bug.path)}.values()]  # a line once
    asserted, code = _asserted(failed, bug, patched)
    if asserted and code:
        yield Part(f"  {asserted.path.rpartition('/')[2]} line {asserted.line}: {_short(code)}", "line")
    if failed.given:
        yield Part(f"  with {_short(failed.given)}", "place")
    if failed.cause:
        yield Part(f"  caused by {_short(failed.cause)}", "cause")
    for number, place in enumerate(own[:MOST_PLACES]):
        yield Part(_placed(place, line_at(place, bug, patched)), "stack" if number else "place")
    _, _, more = failed.message.partition("\n")
    if more.strip() and failed.expected is None:
        yield Part("\n".join(f"  {_short(line)}" for line in more.splitlines() if line.strip()), "stack")
    if with_source and (code := test_source(failed.test, failed.owner, bug)):
        yield Part(f"the test:\n{code}", "source")


def _asserted(failed: Failed, bug: Bug, patched: str | None) -> tuple[Place | None, str]:
    """The line of the test that the failure came up in, and its code."""
    others = [place for place in failed.places if not place.is_in(bug.path)]
    known = [place for place in others if any(place.is_in(path) for path, _ in bug.tests)]
    place = next(iter([*known, *others[::-1]]), None)
    return place, line_at(place, bug, patched) if place else ""


def _of_hanging(verdict: Verdict, bug: Bug, *, with_source: bool) -> Iterator[Part]:
    """The tests that had not passed by then: one of them did not end, and those after it were not run."""
    names = [plain_name(name) for name in verdict.failed]
    more = f" and {len(names) - MOST_PLACES} more" if len(names) > MOST_PLACES else ""
    yield Part(f"  not passed: {', '.join(names[:MOST_PLACES])}{more}", "line")
    first = next((name for name in bug.failing if name in verdict.failed), verdict.failed[0])
    if with_source and (code := test_source(first, "", bug)):
        yield Part(f"the test:\n{code}", "source")


def _placed(place: Place, code: str) -> str:
    """`  in total, line 12: return sum(prices)`."""
    inside = f"in {place.function}, " if place.function and not place.function.startswith("<") else ""
    return f"  {inside}line {place.line}" + (f": {_short(code)}" if code else "")


def _important(found: Found, verdict: Verdict) -> str:
    """The line of a log of no known form that names an error, else its first one, else why there is no verdict."""
    lines = [line.strip() for line in found.lines if line.strip()]
    errors = [line for line in lines if _names_error(line)]
    return next(iter([*errors, *_unless(verdict.reason), *lines, *verdict.failed]), verdict.outcome.value)


def _names_error(line: str) -> bool:
    return any(word in line for word in ("Error", "Exception", "Failure", "error:", "expected"))


def _unless(text: str) -> Iterable[str]:
    return [text] if text else []


def _short(text: str) -> str:
    return _shortened(text.partition("\n")[0] if text.strip() else "", MOST_CHARS)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
