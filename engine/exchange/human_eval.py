"""Samples of HumanEval and EvalPlus: a program for each task, and what came out of its tests.

HumanEval: `task_id, completion`, its results also `passed, result` (https://github.com/openai/human-eval,
`human_eval/evaluation.py`); EvalPlus: `task_id` and `solution`, the whole program, or `completion`
(https://github.com/evalplus/evalplus, `evalplus/data/utils.py`). A completion goes on from the task's prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from engine.domain import Outcome, lines_of
from engine.exchange.exported import BugPatches, Candidate, Exported, Form
from engine.exchange.imported import Reader

TASKS = {"humaneval": "HumanEval", "mbpp": "Mbpp"}  # benchmark -> what its task ids begin with
TIMED_OUT = "timed out"  # a result


def write_samples(run: Exported, file: BinaryIO) -> None:
    """HumanEval's samples with their results; those of patches that were not run have none."""
    for bug in run.bugs():
        prompt = "".join(lines_of(bug.buggy)[: bug.start - 1])
        for each in bug.candidates:
            text = each.completion if each.text is None else each.text.removeprefix(prompt)
            _line(file, {"task_id": _task_id(bug), "completion": text, **_result(each)})


def write_solutions(run: Exported, file: BinaryIO) -> None:
    """EvalPlus' samples: whole programs."""
    for bug in run.bugs():
        for each in bug.candidates:
            _line(file, {"task_id": _task_id(bug), "solution": each.completion if each.text is None else each.text})


def _line(file: BinaryIO, values: Mapping[str, Any]) -> None:
    file.write(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _task_id(bug: BugPatches) -> str:
    benchmark, _, number = bug.bug_id.partition("/")
    return f"{TASKS.get(benchmark, benchmark)}/{number}"


def _result(candidate: Candidate) -> dict[str, Any]:
    if candidate.outcome == Outcome.NOT_RUN:
        return {}
    words = {Outcome.PLAUSIBLE: "passed", Outcome.TIMEOUT: TIMED_OUT}
    failed = f"failed: {candidate.reason or candidate.outcome}"
    return {"passed": candidate.outcome == Outcome.PLAUSIBLE, "result": words.get(Outcome(candidate.outcome), failed)}


def read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The one candidate of a sample; a solution is the whole file, a completion its faulty lines."""
    rest = {name: value for name, value in row.items() if name not in ("task_id", "solution", "completion")}
    made = {"file": row["solution"]} if "solution" in row else {"lines": row["completion"]}
    yield {**rest, "bug_id": row["task_id"], **made, **(_verdict(row) if "passed" in row else {})}


def _verdict(row: Mapping[str, Any]) -> dict[str, str]:
    if row["passed"]:
        return {"outcome": Outcome.PLAUSIBLE.value, "reason": ""}
    result = str(row.get("result", ""))
    return {"outcome": Outcome.TIMEOUT.value if result == TIMED_OUT else Outcome.TEST_FAILED.value, "reason": result}


SAMPLES = Form(
    "humaneval", ".jsonl", "HumanEval", "samples with their results as human-eval reads and writes them",
    write_samples, ("humaneval",), is_of_draws=True,
)  # fmt: skip
SOLUTIONS = Form(
    "evalplus", ".jsonl", "EvalPlus", "samples as EvalPlus evaluates them with more tests", write_solutions,
    tuple(TASKS), is_of_draws=True,
)  # fmt: skip
READERS = (
    Reader("EvalPlus samples", ("task_id", "solution"), read),
    Reader("HumanEval samples", ("task_id", "completion"), read),
)
