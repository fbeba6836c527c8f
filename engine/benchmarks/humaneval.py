"""HumanEval: 164 Python functions to be written from their signature and doc-string (Chen et al., arXiv 2107.03374).

The program that is tested is the prompt with the model's completion; the tests are the file's own `check(candidate)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal

from engine import params
from engine.benchmarks import BugEntry, rows
from engine.benchmarks.cases import Case, Cases
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import Suite
from engine.benchmarks.runners.settings import Way, timeout_s, way
from engine.benchmarks.tasks import TARGET, TESTS, imports
from engine.domain import Bug, Span, lines_of
from engine.task import Task

NAMES = ("HumanEval.jsonl", "HumanEval.jsonl.gz")
FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
HOW = "get HumanEval.jsonl (git clone https://github.com/openai/human-eval, in data/)"
BODY = "    pass\n"
STOPS = ("\nclass", "\nif", "\nprint", "\n#", "\nassert")  # the paper's, and what follows a solution in its file


class HumanEval(Cases):
    """164 Python functions to be written from signature and doc-string, from your copy of HumanEval.jsonl."""

    name: ClassVar[str] = "humaneval"
    title: ClassVar[str] = "HumanEval (your copy)"

    class Params(params.Params):
        """Where the file lies, and how long the tests of one function may take."""

        name: Literal["humaneval"] = "humaneval"
        folder: params.Place = params.setting("", "Folder that holds HumanEval.jsonl, packed or not, or the file.")
        timeout_s: float = timeout_s(10.0)
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        super().__init__(PythonRunner(params.timeout_s, params.runner == "warm"))
        self._folder = params.folder

    def check(self) -> None:
        rows.file(self._folder, NAMES, HOW)

    def entries(self) -> list[BugEntry]:
        return [BugEntry(_id(row), "python") for row in self._rows]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return rows.read(self._folder, NAMES, HOW, FIELDS)

    @cached_property
    def _cases(self) -> dict[str, Case]:
        return {bug.id: (bug, suite) for bug, suite in map(_read, self._rows)}


def _id(row: Mapping[str, Any]) -> str:
    return f"{HumanEval.name}/{str(row['task_id']).rpartition('/')[2]}"


def _read(row: Mapping[str, Any]) -> Case:
    prompt, entry = row["prompt"], row["entry_point"]
    first = len(lines_of(prompt)) + 1
    test = f"test_{entry}"
    bug = Bug(
        id=_id(row),
        language="python",
        path=TARGET,
        buggy=prompt + BODY,
        fixed=prompt + row["canonical_solution"],
        span=Span(first, first),
        project=_id(row),
        failing=(test,),
        task=Task(prompt, STOPS, functions=0),
    )
    tests = f"{row['test']}\n\ndef {test}():\n    check({entry})\n"
    return bug, Suite(TARGET, TESTS, {TESTS: (imports(tests, bug.fixed) + tests).encode()})
