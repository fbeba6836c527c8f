"""Answers as chat models write them: each piece of code is found by the rule that is expected, or none is."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Bug, span_of_change
from engine.plugins import REPRESENTATIONS
from engine.representations.answers.order import ADDED, HOW, WHERE

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


def test_the_answers_are_many_and_each_rule_is_met():
    met = {rule for case in CASES for rule in re.split(r"[:+]", case.values[0].rule)}
    assert len(CASES) >= 200
    assert {*WHERE, *HOW} <= met
    assert {added.lstrip("+") for added in ADDED} <= met


def test_the_rules_are_in_the_docs():
    docs = (Path(__file__).parents[2] / "docs/representations.md").read_text(encoding="utf-8")
    rows = {*re.findall(r"^\| `(\+?\w+)` \|", docs, re.MULTILINE)}
    assert {*WHERE, *HOW, *ADDED} <= rows


KNOWN = dict(bugs())
BUGS = st.sampled_from([KNOWN[name] for name in ("discount", "basket", "limits", "inventory", "trim")])
PIECES = st.sampled_from([line for case in CASES for line in case.values[0].answer.splitlines(keepends=True)])
MARKS = "`~'\"<>{}()[]@+-=*#/\\|:;.,_ \t\r\n0aé中（“\ud800\x00\f\u2028"


@given(st.one_of(st.text(), st.text(alphabet=MARKS), st.lists(PIECES, max_size=30).map("".join)), BUGS)
def test_no_answer_raises(answer, bug):
    patch = INSTRUCT.decode(answer, bug)
    assert (patch.text is None) == bool(patch.reason) == (not patch.rule)
    assert patch.text != bug.buggy


@given(st.sampled_from(CASES), st.data())
def test_no_part_of_an_answer_raises(case, data):
    """As a limit of tokens leaves it, or with its lines in another order."""
    answer, bug = case.values[0].answer, case.values[0].bug
    INSTRUCT.decode(answer[: data.draw(st.integers(0, len(answer)))], bug)
    INSTRUCT.decode("".join(data.draw(st.permutations(answer.splitlines(keepends=True)))), bug)


@given(st.text(alphabet=MARKS, min_size=1, max_size=12), st.sampled_from(["discount", "inventory", "trim"]))
@settings(max_examples=15, deadline=None)
def test_a_long_answer_takes_no_long_time(repeated, name):
    answer = repeated * (5_000_000 // len(repeated))
    began = time.thread_time()  # other programs on the machine count less than by the clock
    INSTRUCT.decode(answer, KNOWN[name])
    assert time.thread_time() - began < 1.5


@pytest.mark.parametrize(
    "repeated",
    ["x", "\n", "```\n", "```python\nx = 1\n```\n", "```python\n", "\"'", '\\"', "def discount(price, percent):\n", "{ [ (",
     "<think>\n", "<think>\n</think>\n", "<|im_end|>\n", "<code>", "-a\n+b\n", "@@\n-    rebate = 1\n+x\n", '{"a":', "/*“",
     "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", "`price * percent / 10` to `x`\n", "（，“", "中文说明，",
     "```python\ndef discount(price, percent):\n    return ((\n```\n", "> ```python\n> x\n", "int f(int a) {\n", "Some text.\n"],
)  # fmt: skip
def test_the_fix_below_five_megabytes_takes_no_long_time(repeated):
    bug = KNOWN["discount"]
    answer = repeated * (5_000_000 // len(repeated))
    began = time.thread_time()
    INSTRUCT.decode(f"{answer}\n\n```python\n{bug.fixed}```\n", bug)
    assert time.thread_time() - began < 1.5
