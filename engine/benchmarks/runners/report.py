"""What a harness inside the sandbox reports about one patch, and the verdict that follows.

A harness writes lines to its standard output, to which the tested code has no access: the run's nonce, a word, and
that word's details, each in URL quoting. Words: `ready`, `compiled`, `passed NAME`, `failed NAME MESSAGE`,
`skipped NAME`, `took STAGE SECONDS`, `memory`, `output_cap`, `done`. Everything else goes to standard error and becomes
the log.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_plus

from engine.domain import Isolation, Outcome, Verdict
from engine.sandboxes import Limits, Ran, Sandbox, Start

LOG_CHARS = 4000
ALL_TESTS = "all_tests"
STAGES = ("compile", ALL_TESTS)  # that a harness measures
PATIENCE = 3  # wall-clock limit as a multiple of the limit on processor time, for processes that sleep
START_S = 15.0  # of processor time, for an interpreter, a compiler and the test library; usually below one
SECONDS = re.compile(r"\d{1,6}\.\d{1,9}")
MEMORY_TROUBLE = ("MemoryError", "java.lang.OutOfMemoryError")


@dataclass(frozen=True)
class Suite:
    """One file's tests: where the patched file goes, the file or class with the tests, and all else they need."""

    target: str  # relative path of the patched file
    tests: str  # Python: relative path of the test file; Java: name of the test class
    files: Mapping[str, bytes]  # the tests included, the patched file left out
    most_s: float = math.inf  # processor time for its tests, where that is less than the runner's limit


@dataclass(frozen=True)
class Report:
    """One run of a suite; the sets hold test names as pytest or JUnit give them, without file or class."""

    ran: Ran
    words: frozenset[str]
    passed: frozenset[str]  # and nowhere reported as failed
    failed: Mapping[str, str] = field(default_factory=dict)  # name -> first words of the exception
    stages: Mapping[str, float] = field(default_factory=dict)  # as the harness measured them, in seconds
    isolation: Isolation = Isolation.SHARED  # of this run


def limits_for(timeout_s: float, processes: int = Limits.processes) -> Limits:
    """What the tests of one patch may use; `timeout_s` is processor time, so that a busy machine fails no patch."""
    return Limits(wall_s=PATIENCE * timeout_s, cpu_s=timeout_s, processes=processes)


def within(limits: Limits, suite: Suite) -> Limits:
    """The limits of a run of this suite; by the clock it may take as long as any."""
    return replace(limits, cpu_s=min(limits.cpu_s or math.inf, suite.most_s))


def until(nonce: str, word: str) -> Start:
    """The harness's own start, up to the line that says `word`, before which it must not run the patched code."""
    return Start(f"{nonce} {word}".encode(), wall_s=PATIENCE * START_S, cpu_s=START_S)


def read_report(ran: Ran, nonce: str) -> Report:
    """The lines of `ran.stdout` that carry the nonce; anything else there is ignored."""
    words: set[str] = set()
    passed: set[str] = set()
    failed: dict[str, str] = {}
    stages: dict[str, float] = {}
    for line in ran.stdout.decode(errors="replace").split("\n"):
        said, *parts = line.split(" ")
        if said != nonce or not parts:
            continue
        word, *details = (unquote_plus(part) for part in parts)
        words.add(word)
        if word == "passed" and len(details) == 1:
            passed.add(details[0])
        elif word == "failed" and len(details) == 2:
            failed.setdefault(details[0], details[1])
        elif word == "took" and len(details) == 2 and details[0] in STAGES and SECONDS.fullmatch(details[1]):
            stages[details[0]] = float(details[1])
    return Report(ran, frozenset(words), frozenset(passed - failed.keys()), failed, stages)


def verdict(report: Report, expected: Collection[str], sandbox: Sandbox, twins: Collection[str] = ()) -> Verdict:
    """The outcome of a run of which every test in `expected` had to pass; `twins` had to fail and are not named.

    `failed` names the tests reported as failed or, where none was, those that never passed.
    """
    ran, words = report.ran, report.words
    missing = sorted(set(expected) - report.passed)
    failed = tuple(sorted(report.failed.keys() - set(twins))) or tuple(missing)
    is_memory = "memory" in words or any(map(_is_memory, report.failed.values()))
    ran_out = "memory" if is_memory else "output_cap" if "output_cap" in words else ""
    outcome, reason = Outcome.TEST_FAILED, ""
    if ran.ended == "not_started" or "ready" not in words:
        if ran.ended in ("not_started", "exit"):
            # The harness is ours and reports `ready` before it reads the patch: the patch is not the cause.
            log = ran.detail or trimmed(ran.stderr) or "the harness did not start"
            return Verdict(Outcome.NOT_RUN, "infra_error", log, sandbox=sandbox.describe())
        outcome, reason, failed = Outcome.NOT_RUN, "infra_error", ()
    elif ran.ended == "timeout":
        outcome = Outcome.TIMEOUT
    elif "compiled" not in words:
        outcome, failed = Outcome.COMPILE_ERROR, ()
        reason = ran_out or ("" if ran.ended == "exit" else ran.ended)
    elif ran.ended != "exit":
        reason = ran.ended
    elif expected and not missing and "done" in words:
        outcome, failed = Outcome.PLAUSIBLE, ()
    elif ran_out:
        reason = ran_out
    elif "done" not in words:
        reason = "no report: the program ended before its tests did"
    elif not report.failed:
        reason = f"never run: {', '.join(missing)}"[:300]
    said = trimmed(ran.stderr)
    return Verdict(outcome, reason, said, failed, ran.wall_s, sandbox.describe(), report.isolation, report.stages)


def _is_memory(message: str) -> bool:
    return message.startswith(MEMORY_TROUBLE)


def trimmed(output: bytes) -> str:
    """Output as text without NULs and trailing blanks; beyond LOG_CHARS the middle is left out."""
    text = output.decode(errors="replace").replace("\0", "")
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip("\n")
    if len(text) <= LOG_CHARS:
        return text
    tail = LOG_CHARS // 4
    return f"{text[: LOG_CHARS - tail]}\n[... {len(text) - LOG_CHARS} characters left out ...]\n{text[-tail:]}"
