"""Summarises a failed test run for the model or a person: the most important line of a long log."""

from __future__ import annotations

import re

from engine.domain import Outcome, Verdict

SHOWN_LINES = 12
_ERROR = re.compile(r"\b(assert\b|AssertionError|[A-Za-z.]*(Error|Exception|Failure)\b)|expected", re.IGNORECASE)
_NOISE = re.compile(r"^\s*(at |File \"|raise |\.\.\.|=+|-+|_+)")  # frames and rulers


def in_one_line(verdict: Verdict, most: int = 120) -> str:
    """`test: assert 3 == 7`, `does not compile: ';' expected`, `too slow`: at most `most` characters."""
    if verdict.outcome is Outcome.TIMEOUT:
        return "the tests did not end in time"
    if verdict.outcome is Outcome.NO_PATCH:
        return f"no patch: {verdict.reason}"[:most]
    line = _important_line(verdict.log) or ", ".join(verdict.failed) or verdict.reason or verdict.outcome.value
    what = "does not compile" if verdict.outcome is Outcome.COMPILE_ERROR else "test"
    return f"{what}: {line}"[:most]


def for_people(verdict: Verdict) -> str:
    """What failed in one line, then an empty line and the end of the log."""
    named = f" ({', '.join(verdict.failed[:5])})" if verdict.failed else ""
    log = "\n".join(verdict.log.strip().splitlines()[-SHOWN_LINES:])
    return f"{in_one_line(verdict)}{named}\n\n{log}".strip()


def _important_line(log: str) -> str:
    """The line that pytest marks with E, or a line with the name of an error, or the first line that is not empty."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _NOISE.match(line)]
    marked = [line.removeprefix("E").strip() for line in lines if line.startswith("E  ")]
    errors = [line for line in lines if _ERROR.search(line)]
    return next(iter([*marked, *errors, *lines]), "")
