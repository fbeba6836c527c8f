"""The source of a test, and of a line that a compiler or a stack names, from the files that are known of a bug."""

from __future__ import annotations

import json
import re
from textwrap import dedent

from engine.domain import Bug, lines_of
from engine.failures import Place
from engine.languages.source import source

MOST_LINES, MOST_CHARS = 60, 4000  # of one test
_SEPARATOR = re.compile(r"::|\.")


def plain_name(test: str) -> str:
    """A test's function with its parameters, `test_add[1-2]`, of any of the names that tools give it."""
    head, bracket, parameters = test.partition("[")
    return _SEPARATOR.split(head)[-1].removesuffix("()") + bracket + parameters


def test_source(test: str, owner: str, bug: Bug) -> str:
    """The function that is the test, or what a case gives to the program; empty where it is not in the bug's files."""
    name = plain_name(test).partition("[")[0]
    known = [*dict.fromkeys([*filter(lambda file: _is_of(file[0], test, owner), bug.tests), *bug.tests])]
    for path, text in known:
        found = _case(text, name) if path.endswith(".json") else _function(text, name, bug.language)
        if found:
            return found
    return ""


def line_at(place: Place, bug: Bug, patched: str | None) -> str:
    """The code of a line, from the log, the patched file or a file of tests; empty where none of them has it."""
    if place.code or not place.line:
        return place.code
    known = [(bug.path, bug.buggy if patched is None else patched), *bug.tests]
    text = next((text for path, text in known if place.is_in(path)), "")
    lines = lines_of(text)
    return lines[place.line - 1].strip() if place.line <= len(lines) else ""


def _is_of(path: str, test: str, owner: str) -> bool:
    """Whether a file is the one that a test is named with."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return path in (owner, test.partition("::")[0]) or stem in _SEPARATOR.split(owner.partition("$")[0])


def _function(text: str, name: str, language: str) -> str:
    read = source(text, language)
    span = next((each.span for each in read.functions if each.name == name), None)
    if span is None:
        return ""
    lines = read.lines[span.start - 1 : span.end][:MOST_LINES]
    return dedent("".join(lines)).strip("\n")[:MOST_CHARS]


def _case(text: str, name: str) -> str:
    """Of our own C benchmarks: what the program is given."""
    try:
        case = json.loads(text)[name]
        given = [f"arguments {json.dumps(case['args'])}"] if case.get("args") else []
        given += [f"standard input {json.dumps(case['stdin'])}"] if case.get("stdin") else []
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return ("the program is given " + " and ".join(given or ["nothing"]))[:MOST_CHARS]
