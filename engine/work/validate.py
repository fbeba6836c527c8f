"""Tests the patches of a file, whoever made them, and answers each of its rows with one row of verdicts.

Without a file only the known fixes and the buggy code are tested: what a benchmark is worth on this machine.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.benchmarks import Benchmark
from engine.candidates import Candidate, by_bug, completion_of, ids_of, patch_of, read_candidates
from engine.domain import Bug, Outcome, Verdict
from engine.errors import UserError
from engine.events import MODEL, Progress, VerdictFields, checked
from engine.judging import Control, threads_for
from engine.launchers.ray_tests import spread
from engine.params import shown
from engine.plugins import BENCHMARKS
from engine.run_inputs import Inputs, Part
from engine.rundir import RunDir
from engine.sandboxes import Sandbox
from engine.sandboxes.auto import usable
from engine.scoring import counted_reasons
from engine.specs import ValidateSpec
from engine.work.validation import Key, Proposed, Validation, counts, first_figures, say_bug, say_patch

VERDICTS = "verdicts.jsonl"  # among the run's artifacts


def validate(spec: ValidateSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Emit every bug that is asked for, and every patch with its verdict; returns the counts.

    The rows of `verdicts.jsonl` are those of the file in its order, each with its verdict's fields added. Raises
    UserError where a row makes no sense, SandboxUnavailable where nothing can be run safely.
    """
    started = time.monotonic()
    benchmark = BENCHMARKS.create(spec.benchmark)
    given = Given.of(spec, benchmark, inputs.part)
    skipped = {} if spec.keep_verdicts else dict(benchmark.skipped())
    for bug in given.bugs:
        say_bug(run, bug, skipped.get(bug.id, ""))
    run.emit(Progress(0, len(given.candidates) or len(given.bugs), "testing the known fixes"))
    able = [bug for bug in given.bugs if bug.id not in skipped]
    verdicts: Mapping[Key, Verdict]
    controls: Mapping[str, Control | None]
    if spec.keep_verdicts:
        verdicts, sandbox = _taken_over(able, given.rows, run), None
        controls = dict.fromkeys((bug.id for bug in given.bugs), None)
    else:
        sandbox = usable(spec.sandbox)
        verdicts, controls = _evaluated(spec, benchmark, able, given.rows, sandbox, run)
    seconds = time.monotonic() - started
    return {
        **answered(given, benchmark, skipped, verdicts, controls, run),
        "seconds": round(seconds, 1),
        "patches_per_s": round(len(given.candidates) / seconds, 2),
        "gpus": 0,
        "sandbox": sandbox.describe() if sandbox else "",
        "is_imported": spec.keep_verdicts,
    }


@dataclass(frozen=True)
class Given:
    """What is to be tested: the bugs, and by bug the rows of the file that are for it."""

    bugs: Sequence[Bug]
    rows: Mapping[str, Sequence[Candidate]]
    candidates: Sequence[Candidate]  # those rows in the file's order

    @classmethod
    def of(cls, spec: ValidateSpec, benchmark: Benchmark, part: Part) -> Given:
        """A part has its bugs and their rows; rows for unknown bugs belong to the whole only. Raises UserError."""
        candidates = read_candidates(Path(spec.file)) if spec.file else []
        all_bugs = benchmark.bugs()
        rows = by_bug(_renamed(candidates, all_bugs))
        bugs = _asked_for(all_bugs[: spec.limit], rows, benchmark.name)
        if part.is_all:
            return cls(bugs, rows, candidates)
        bugs = part.of(bugs)
        rows = {bug.id: rows[bug.id] for bug in bugs if bug.id in rows}
        mine = {each.number for of_bug in rows.values() for each in of_bug}
        return cls(bugs, rows, [each for each in candidates if each.number in mine])


def answered(
    given: Given,
    benchmark: Benchmark,
    skipped: Mapping[str, str],
    verdicts: Mapping[Key, Verdict],
    controls: Mapping[str, Control | None],
    run: RunDir,
) -> dict[str, Any]:
    """Write a row of verdicts for each of the file's, and count them."""
    of_row = {
        each.number: (each.bug_id, MODEL, rank) for of_bug in given.rows.values() for rank, each in enumerate(of_bug, 1)
    }
    known = {bug.id for bug in given.bugs}
    lost = {
        bug_id: Verdict(Outcome.NOT_RUN, skipped.get(bug_id) or f"{benchmark.name} has no bug called {bug_id}")
        for bug_id in given.rows
        if bug_id in skipped or bug_id not in known
    }
    if given.candidates:
        keys = [of_row[each.number] for each in given.candidates]
        _write(run, given.candidates, [lost.get(key[0]) or verdicts[key] for key in keys])
    most = max((len(of_bug) for of_bug in given.rows.values()), default=0)
    return {
        "benchmark": benchmark.name,
        "bugs": len(given.bugs),
        "candidates": most,
        "rows": len(given.candidates),
        **counts(verdicts, controls, most),
        **first_figures(benchmark, verdicts),
        **_of_controls(controls, skipped, given.bugs),
        "unknown_bugs": sum(bug_id not in known for bug_id in given.rows),
        "unknown_rows": sum(len(of_bug) for bug_id, of_bug in given.rows.items() if bug_id not in known),
        "skipped": counted_reasons(Counter(reason for bug, reason in skipped.items() if bug in known)),
    }


def _renamed(candidates: Sequence[Candidate], bugs: Sequence[Bug]) -> list[Candidate]:
    """Under the ids that their bugs have today."""
    find = ids_of(bug.id for bug in bugs)
    return [replace(each, bug_id=find(BENCHMARKS.current(each.bug_id))) for each in candidates]


def _asked_for(bugs: Sequence[Bug], rows: Mapping[str, Sequence[Candidate]], name: str) -> list[Bug]:
    """Raises UserError where there are rows and none of them is for a bug of the benchmark."""
    found = [bug for bug in bugs if bug.id in rows or not rows]
    if not found:
        first = next(iter(rows), "")
        here = f"its ids look like {bugs[0].id}" if bugs else "it has no bugs here"
        raise UserError(f"file: no row is for a bug of {name}: {shown(first)} is none, {here}", field="file")
    return found


def _evaluated(
    spec: ValidateSpec,
    benchmark: Benchmark,
    bugs: Sequence[Bug],
    rows: Mapping[str, Sequence[Candidate]],
    sandbox: Sandbox,
    run: RunDir,
) -> tuple[Mapping[Key, Verdict], Mapping[str, Control]]:
    here = spec.workers or len(os.sched_getaffinity(0))
    evaluate, at_once = spread(benchmark, spec.benchmark, spec.sandbox, here)
    pool = ThreadPoolExecutor(threads_for(at_once), thread_name_prefix="validation")
    try:
        validation = Validation(benchmark, sandbox, run, pool, at_once, evaluate)
        validation.total = sum(len(rows.get(bug.id, ())) for bug in bugs)
        for bug, following in zip_longest([None, *bugs], bugs):
            if following:  # the controls of a bug a little before its candidates, which wait for them
                validation.start(following)
            if bug:
                validation.candidates(bug, _proposed(rows.get(bug.id, ()), bug))
        controls = validation.wait()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return validation.verdicts, controls


def _proposed(candidates: Sequence[Candidate], bug: Bug) -> Iterator[Proposed]:
    for rank, candidate in enumerate(candidates, start=1):
        yield rank, completion_of(candidate), patch_of(candidate, bug)


def _taken_over(bugs: Sequence[Bug], rows: Mapping[str, Sequence[Candidate]], run: RunDir) -> dict[Key, Verdict]:
    """The verdicts that stand in the rows. Raises UserError naming the line of one that has none."""
    found: dict[Key, Verdict] = {}
    for bug in bugs:
        for (rank, completion, patch), candidate in zip(_proposed(rows[bug.id], bug), rows[bug.id], strict=True):
            verdict = _verdict_in(candidate)
            say_patch(run, bug, (bug.id, MODEL, rank), verdict, completion, patch.text)
            found[bug.id, MODEL, rank] = verdict.verdict
    return found


def _verdict_in(candidate: Candidate) -> VerdictFields:
    try:
        return checked(VerdictFields, candidate.row)
    except ValidationError as error:
        if "outcome" not in candidate.row:
            raise UserError(
                f"line {candidate.line}: this row has no verdict (outcome); to have the patches of this file tested, "
                "use `repair-studio validate`",
                field="file",
            ) from None
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise UserError(
            f"line {candidate.line}: {place}: {wrong['msg']}; a row that is taken over has its verdict's fields",
            field="file",
        ) from None


def _of_controls(
    controls: Mapping[str, Control | None], skipped: Mapping[str, str], bugs: Sequence[Bug]
) -> dict[str, Any]:
    """What the tests tell apart: outcomes of the known fixes and of the buggy code, and each bug that is set aside."""
    known = {bug_id: control for bug_id, control in controls.items() if control}
    aside = {bug.id: skipped[bug.id] for bug in bugs if bug.id in skipped}
    aside |= {bug_id: control.trouble for bug_id, control in known.items() if control.trouble}
    return {
        "usable": len(bugs) - len(aside),
        "known_fix": dict(Counter(control.known_fix.outcome.value for control in known.values())),
        "buggy_code": dict(Counter(control.buggy_code.outcome.value for control in known.values())),
        "set_aside": aside,
    }


def _write(run: RunDir, candidates: Sequence[Candidate], verdicts: Sequence[Verdict]) -> None:
    """One row of verdicts for each of the file, whole or not there."""
    path = run.artifacts / VERDICTS
    part = path.with_suffix(".tmp")
    with part.open("w", encoding="utf-8") as file:
        for candidate, verdict in zip(candidates, verdicts, strict=True):
            row = {**candidate.row, **asdict(VerdictFields.of(verdict))}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    part.replace(path)
