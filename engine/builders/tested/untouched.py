"""The tests of a project before anything is changed: which pass every time, how long they take, what they call."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from engine.benchmarks.runners.project import ProjectRunner
from engine.benchmarks.runners.report import Report, Suite, read_report, trimmed
from engine.builders.source_files import is_test
from engine.errors import SandboxUnavailable, UserError
from engine.sandboxes import MIB, Limits, Ran, Sandbox

TWICE = 2.5  # with twins there are twice as many tests
PATIENCE = 3  # by the clock, for tests that sleep and a machine that is busy
OUTPUT_BYTES = 64 * MIB  # of a report on thousands of tests
FIELD = "builder.folder"
_BESIDE = frozenset({"docs", "examples", "benchmarks"})  # folders

Place = tuple[str, int]  # path of a file and the line where a function begins


@dataclass(frozen=True)
class Untouched:
    """Only tests that passed every time are named."""

    seconds: Mapping[str, float]  # test -> how long it takes
    calls: Mapping[Place, tuple[str, ...]]  # function -> the tests that call it
    left_out: Mapping[str, int]  # why tests are not used -> how many

    def to_json(self) -> dict[str, object]:
        places = [[path, line, list(tests)] for (path, line), tests in self.calls.items()]
        return {"seconds": dict(self.seconds), "calls": places, "left_out": dict(self.left_out)}

    @classmethod
    def from_json(cls, told: Mapping[str, list[tuple[str, int, list[str]]]]) -> Untouched:
        """What `to_json` made."""
        calls = {(path, line): tuple(tests) for path, line, tests in told["calls"]}
        return cls(dict(told["seconds"]), calls, dict(told["left_out"]))  # type: ignore[arg-type]


def is_beside(path: str) -> bool:
    """Whether a file holds tests, or only shows or measures the code, and so is no place for a fault."""
    return is_test(path, _BESIDE)


def inside(tests: str) -> str | None:
    """A path in the project as its files are named, "." for all of it; None where it leads out."""
    found = os.path.normpath(tests)
    return None if os.path.isabs(found) or found.split("/")[0] == ".." or "\0" in found else found


def measured(runner: ProjectRunner, tests: str, most_s: float, longest_s: float, sandbox: Sandbox) -> Untouched:
    """Run all tests of an untouched Python project three times: as they are, watched for what they call, with twins.

    `tests`: a path as `inside` gives it; `most_s`: processor time for each run; `longest_s`: a test that takes longer
    is not used, nor run again: few such tests may take most of the time of all. Raises UserError that says why no test
    can be used, SandboxUnavailable where none could be run.
    """
    limits = Limits(wall_s=PATIENCE * most_s, cpu_s=most_s, output_bytes=OUTPUT_BYTES)
    suite = Suite("", tests, {})
    plain = runner.ran(suite, {}, limits, sandbox)
    first = read_report(*plain)
    _refuse(first, most_s)
    with _reported():
        seconds = {name: float(took) for name, took in _words(*plain, "lasted")}
    passed = [test for test in seconds if test in first.passed and "\n" not in test]
    slow = [test for test in passed if seconds[test] > longest_s]
    quick = [test for test in passed if seconds[test] <= longest_s]
    if not quick:
        raise UserError(_none_passes(first) if not slow else _too_slow(longest_s), field=FIELD)
    doubled, twins = runner.with_twins(Suite("", "\n".join(passed), {}))
    patient = replace(limits, wall_s=TWICE * limits.wall_s, cpu_s=TWICE * most_s)
    not_again = [*slow, *(twins[test] for test in slow if test in twins)]
    with ThreadPoolExecutor(2) as pool:
        watched = pool.submit(runner.ran, suite, {}, limits, sandbox, is_traced=True, left_out=slow)
        beside = pool.submit(
            runner.ran, replace(doubled, tests=tests), doubled.files, patient, sandbox,
            options=["--assert=plain"], left_out=not_again,
        )  # fmt: skip
        traced, with_copies = watched.result(), beside.result()
    second, third = read_report(*traced), read_report(*with_copies)
    _refuse(second, most_s)
    _refuse(third, TWICE * most_s)
    stable = [test for test in quick if test in second.passed]
    if not stable:
        raise UserError(_none_passes(second), field=FIELD)
    # Those can be judged by that pass beside their impossible twins, all of which fail.
    sound = [test for test in stable if test in third.passed and twins.get(test) in third.failed]
    if not sound:
        raise UserError("none of the project's tests passes beside a copy of it that has to fail", field=FIELD)
    failed = {*first.failed, *second.failed}
    flaky = sum(test in first.passed or test in second.passed for test in failed)
    left_out = {
        "fail on the untouched project": len(failed) - flaky,
        "pass only sometimes": flaky,
        "do not pass beside a copy that has to fail": len(stable) - len(sound),
        f"take longer than {longest_s:g} s": len(slow),
    }
    calls: dict[Place, list[str]] = {}
    usable = {*sound}
    with _reported():
        numbers = {number: (path, int(line)) for number, path, line in _words(*traced, "at")}
        for test, called in _words(*traced, "calls"):
            for number in called.split() if test in usable else ():
                calls.setdefault(numbers[number], []).append(test)
    return Untouched(
        {test: seconds[test] for test in sound},
        {place: tuple(found) for place, found in sorted(calls.items())},
        {reason: count for reason, count in left_out.items() if count},
    )


@contextmanager
def _reported() -> Iterator[None]:
    """Reads what a report says. It is written where the project's own code runs, which can write anything into it."""
    try:
        yield
    except (ValueError, LookupError):
        raise UserError(
            "the project's tests write into the report on them, so it cannot be read; name others (builder.tests)",
            field="builder.tests",
        ) from None


def _words(ran: Ran, nonce: str, word: str) -> list[list[str]]:
    """The details of each line of a report that begins with `word`."""
    start = f"{nonce} {word} "
    lines = ran.stdout.decode(errors="replace").split("\n")
    return [[*map(unquote_plus, line.split(" ")[2:])] for line in lines if line.startswith(start)]


def _refuse(report: Report, most_s: float) -> None:
    """Raise where the run did not come to its end."""
    ran = report.ran
    if ran.ended == "not_started" or "ready" not in report.words:
        why = ran.detail or trimmed(ran.stderr)[-500:]
        raise SandboxUnavailable(f"the project's tests could not be started: {why}")
    if ran.ended == "timeout":
        raise UserError(
            f"the project's tests take more than {most_s:g} s of processor time (builder.most_s); allow more, or name "
            "fewer tests (builder.tests)",
            field="builder.tests",
        )
    if ran.ended != "exit":
        raise UserError(f"the project's tests use too much: {ran.ended}; name fewer (builder.tests)", field=FIELD)
    if "done" not in report.words:
        end = trimmed(ran.stderr)[-500:].strip()
        raise UserError(f"the project's tests end the whole process before they are done: {end}", field=FIELD)


def _too_slow(longest_s: float) -> str:
    return (
        f"every test of the project that passes takes longer than {longest_s:g} s; allow more time for the tests of "
        "one fault (builder.budget_s)"
    )


def _none_passes(report: Report) -> str:
    missing = {found[1] for text in report.failed.values() if (found := re.search(r"No module named '([\w.]+)'", text))}
    if missing:
        return (
            f"none of the project's tests can be used: they need {', '.join(sorted(missing))}, and only Python's "
            "standard library and pytest are there where they run; copy what they need into the project's folder, or "
            "choose a project that needs nothing else"
        )
    if report.failed:
        test, text = next(iter(report.failed.items()))
        return f"all {len(report.failed)} tests of the project fail before anything is changed (first: {test}: {text})"
    said = trimmed(report.ran.stderr)[-800:].strip()
    return f"pytest found no test to run in the project; it said: {said or 'nothing'}"
