"""The tests of a Java project before anything is changed: as `untouched`, by class of tests.

What a class of tests calls is found by running it on sources in which each method says once that it was called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.benchmarks.runners.java_project import JUNIT, JavaProjectRunner
from engine.benchmarks.runners.report import ALL_TESTS, Report, Suite, trimmed
from engine.builders.tested.untouched import FIELD, Place, Untouched, is_beside
from engine.errors import SandboxUnavailable, UserError
from engine.languages.source import Source, parse
from engine.sandboxes import Sandbox

SAYS = "studio-calls"  # before the number of each method that is called, on standard error
CALLS = f"""package studio_calls;

public final class Calls {{
    private static final java.util.Set<Integer> SEEN = new java.util.HashSet<>();

    public static synchronized void at(int number) {{
        if (SEEN.add(number)) {{
            System.err.println("{SAYS} " + number);
        }}
    }}
}}
"""


def measured(runner: JavaProjectRunner, tests: str, most_s: float, longest_s: float, sandbox: Sandbox) -> Untouched:
    """Run each class of tests three times: as it is, watched for what it calls, with twins.

    `tests`: a path as `inside` gives it; each class has the runner's time, not these. Raises UserError that
    says why no test can be used, SandboxUnavailable where none could be run.
    """
    del most_s, longest_s
    files = runner.project.files
    classes = classes_in(files, tests)
    if not classes:
        where = "the project" if tests == "." else repr(tests)
        raise UserError(f"no class of {where} has JUnit 4 tests (it imports org.junit.Test)", field="builder.tests")
    watched, places = _watched(files)
    seconds: dict[str, float] = {}
    calls: dict[Place, list[str]] = {}
    troubles: list[str] = []
    failing = flaky = unsound = 0
    for path in classes:
        plain = _reported(runner, Suite(path, path, {}), files[path].decode(errors="replace"), sandbox)
        other = {**watched, "studio_calls/Calls.java": CALLS.encode()}
        traced = _reported(runner, Suite(path, path, other), files[path].decode(errors="replace"), sandbox)
        if "done" not in plain.words or "done" not in traced.words:
            report = plain if "done" not in plain.words else traced
            troubles.append(f"{path}: {report.ran.ended}: {trimmed(report.ran.stderr)[:300]}")
            continue
        both = sorted(plain.passed & traced.passed)
        beside, twins = runner.twinned(files[path].decode(errors="replace"), Suite(path, path, {}), sandbox, both)
        stable = [test for test in both if test in beside.passed and twins.get(test) in beside.failed]
        unsound += len(both) - len(stable)
        flaky += len(plain.passed ^ traced.passed)
        failing += len(plain.failed.keys() & traced.failed.keys())
        took = plain.stages.get(ALL_TESTS, 0.0) / max(1, len(plain.passed))
        seconds.update(dict.fromkeys(stable, took))
        said = traced.ran.stderr.decode(errors="replace")
        numbers = {int(found) for found in re.findall(rf"^{SAYS} (\d{{1,9}})$", said, re.MULTILINE)}
        for number in sorted(each for each in numbers if each < len(places)):  # the tests can say anything there
            calls.setdefault(places[number], []).extend(stable)
    if not seconds:
        why = troubles[0] if troubles else f"all {failing} of its tests fail before anything is changed"
        raise UserError(
            f"none of the project's tests can be used: {why}; only the JDK and JUnit 4 are there where they run",
            field=FIELD,
        )
    left_out = {
        "fail on the untouched project": failing,
        "pass only sometimes": flaky,
        "do not pass beside a copy that has to fail": unsound,
        "in classes that do not compile or end": len(troubles),
    }
    return Untouched(
        seconds,
        {place: tuple(found) for place, found in sorted(calls.items()) if found},
        {reason: count for reason, count in left_out.items() if count},
    )


def classes_in(files: Mapping[str, bytes], tests: str) -> list[str]:
    """The files with classes of tests that are, or are below, `tests`."""
    below = "" if tests == "." else f"{tests}/"
    of_java = (path for path in sorted(files) if path.endswith(".java") and f"{path}/".startswith(below))
    return [path for path in of_java if JUNIT.search(files[path])]


def _reported(runner: JavaProjectRunner, suite: Suite, text: str, sandbox: Sandbox) -> Report:
    report = runner.trial(text, suite, sandbox)
    if report.ran.ended == "not_started":
        raise SandboxUnavailable(f"the project's tests could not be started: {report.ran.detail}")
    return report


def _watched(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Place]]:
    """The sources with a call in each method, and where the method of each number begins."""
    watched: dict[str, bytes] = {}
    places: list[Place] = []
    for path, content in files.items():
        if not path.endswith(".java") or is_beside(path):
            continue
        text = content.decode("utf-8", "replace")
        code, added = text.encode(), []
        lines = {function.span.start for function in Source(text, "java").functions}
        waiting = [parse(code, "java").root_node]
        while waiting:
            node = waiting.pop()
            waiting += node.named_children
            body = node.child_by_field_name("body")
            if body is None or node.start_point.row + 1 not in lines or body.type not in ("block", "constructor_body"):
                continue
            if not node.type.endswith(("method_declaration", "constructor_declaration")):
                continue
            first = body.named_children[0] if body.named_children else None
            is_call = first is not None and first.type == "explicit_constructor_invocation"
            added.append((first.end_byte if is_call and first else body.start_byte + 1, len(places)))
            places.append((path, node.start_point.row + 1))
        for at, number in sorted(added, reverse=True):
            code = code[:at] + f" studio_calls.Calls.at({number});".encode() + code[at:]
        watched[path] = code
    return watched, places
