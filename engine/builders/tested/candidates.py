"""The faults to try in a project, function by function in turn, in an order that depends only on the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from engine.builders.mutation import Edit, Kind, edits
from engine.builders.mutation.choice import mutants, parses_python
from engine.builders.source_files import LONGEST_FILE
from engine.builders.tested.untouched import Place, is_beside
from engine.domain import Span, lines_of
from engine.languages import language
from engine.languages.source import Function, Source


@dataclass(frozen=True)
class Called:
    """A function of the project, and the tests that call it."""

    path: str
    name: str
    span: Span
    text: str  # of its whole file
    tests: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.path}:{self.span.start}"


@dataclass(frozen=True)
class Fault:
    """A function with a fault, or with several."""

    function: Called
    text: str  # of the whole file
    kind: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Wanted:
    """Which faults."""

    language: str
    weights: Mapping[Kind, float]
    faults: int  # in a function at once
    per_function: int  # faulty versions of one function
    lines: tuple[int, int]  # least and most of a function


def functions(
    files: Mapping[str, bytes], calls: Mapping[Place, Sequence[str]], wanted: Wanted
) -> Iterator[tuple[Called | None, str, str]]:
    """Each function outside the tests, or None with why it is not used; and where it is."""
    by_file: dict[str, list[tuple[int, Sequence[str]]]] = {}
    for (path, line), tests in calls.items():
        by_file.setdefault(path, []).append((line, tests))
    ending = language(wanted.language).ending
    for path in sorted(files):
        if not path.endswith(ending) or is_beside(path) or path not in by_file:
            continue
        try:
            text = files[path].decode("utf-8")
        except UnicodeDecodeError:
            yield None, "files are not UTF-8", path
            continue
        if len(files[path]) > LONGEST_FILE:
            yield None, f"files longer than {LONGEST_FILE >> 20} MiB", path
            continue
        for function in Source(text, wanted.language).functions:
            yield _called(path, text, function, by_file[path], wanted)


def _called(
    path: str, text: str, function: Function, calls: Sequence[tuple[int, Sequence[str]]], wanted: Wanted
) -> tuple[Called | None, str, str]:
    span, where = function.span, f"{path}:{function.span.start}"
    least, most = wanted.lines
    if not least <= span.end - span.start + 1 <= most:
        return None, f"functions of less than {least} or more than {most} lines", where
    tests = {test for line, found in calls if span.start <= line <= span.end for test in found}
    if not tests:
        return None, "functions that no test calls", where
    return Called(path, function.name, span, text, tuple(sorted(tests))), "", where


def faults(called: Sequence[Called], wanted: Wanted, seed: int) -> Iterator[Fault]:
    """One of each function in turn, then the next of each."""
    order = list(called)
    Random(seed).shuffle(order)
    waiting = [_of_function(function, wanted, seed) for function in order]
    for _ in range(wanted.per_function):
        left = []
        for each in waiting:
            if fault := next(each, None):
                left.append(each)
                yield fault
        waiting = left


def _of_function(function: Called, wanted: Wanted, seed: int) -> Iterator[Fault]:
    lines = lines_of(function.text)
    before = "".join(lines[: function.span.start - 1])
    own = "".join(lines[function.span.start - 1 : function.span.end])
    after = "".join(lines[function.span.end :])
    first = len(before.encode())
    whole = function.text.encode()
    found = [
        Edit(edit.kind, edit.start - first, edit.end - first, edit.text)
        for edit in edits(whole, wanted.language, function.span)
    ]
    random = Random(f"{seed}:{function.place}")
    # A Java method that is no program says so when it is compiled.
    parses = parses_python if wanted.language == "python" else _is_text
    for mutant in mutants(own.encode(), found, wanted.weights, random, parses, wanted.faults):
        yield Fault(function, before + mutant.text + after, mutant.kind, mutant.kinds)


def _is_text(code: str) -> bool:
    return bool(code)
