"""Answers as chat models write them: each piece of code is found by the rule that is expected, or none is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.domain import Bug, span_of_change
from engine.plugins import REPRESENTATIONS

FOLDER = Path(__file__).parent / "answers"
INSTRUCT = REPRESENTATIONS.from_value({"name": "instruct"})


@dataclass(frozen=True)
class Case:
    """An answer to the question about a bug, the rule that applies, and the patched file or why there is none."""

    bug: Bug
    answer: str
    rule: str
    expected: str | None
    reason: str


def sections(name):
    """Heads and texts of a file in which a line with four percent signs begins each section."""
    parts = re.split(r"^%%%% (.*)\n", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return list(zip((tuple(head.split(" | ")) for head in parts[::2]), parts[1::2], strict=True))


def bugs():
    found = sections("bugs.txt")
    for (head, buggy), (_, fixed) in zip(found[::2], found[1::2], strict=True):
        name, language, path, _ = head
        yield name, Bug(f"made/{name}", language, path, buggy, fixed, span_of_change(buggy, fixed))


def crlf(bug):
    return Bug(
        bug.id, bug.language, bug.path, *(text.replace("\n", "\r\n") for text in (bug.buggy, bug.fixed)), bug.span
    )


def cases(language):
    known = dict(bugs())
    found = sections(f"{language}.txt")
    for (head, answer), (_, below) in zip(found, [*found, ((), "")][1:], strict=True):
        if head == ("expected",):
            continue
        title, name, rule, expected, flags = head
        bug = crlf(known[name]) if "file-crlf" in flags else known[name]
        answer = answer.replace("\n", "\r\n") if "crlf" in flags.split() else answer
        answer = answer.rstrip("\n") if "cut" in flags else answer
        text = {"fixed": bug.fixed, "below": below}.get(expected)
        reason = expected.removeprefix("none: ") if text is None else ""
        yield pytest.param(Case(bug, answer, "" if rule == "-" else rule, text, reason), id=f"{language}: {title}")


CASES = [case for language in ("python", "java", "c") for case in cases(language)]


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_in_an_answer(case):
    patch = INSTRUCT.decode(case.answer, case.bug)
    assert (patch.text, patch.rule, patch.reason) == (case.expected, case.rule, case.reason)
