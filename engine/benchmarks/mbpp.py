"""MBPP: 974 small Python programs to be written from a sentence and three assertions (Austin et al., arXiv 2108.07732).

The split is the paper's: ids 1-10 for prompts, 11-510 test, 511-600 validation, 601-974 training.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
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

NAMES = ("mbpp.jsonl", "mbpp.jsonl.gz")
FIELDS = ("task_id", "text", "code", "test_list")
HOW = "get mbpp.jsonl (https://github.com/google-research/google-research/tree/master/mbpp)"
SPLITS = {"few_shot": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}
SHOTS = (2, 3, 4)  # the rows that the paper shows first
END = "[DONE]"
STOPS = ("###", "\nif __name__", "\nassert")


class Mbpp(Cases):
    """974 small Python programs to be written from a sentence and its tests, from your copy of mbpp.jsonl."""

    name: ClassVar[str] = "mbpp"
    title: ClassVar[str] = "MBPP (your copy)"

    class Params(params.Params):
        """Where the file lies, which of its rows, and how they are asked for."""

        name: Literal["mbpp"] = "mbpp"
        folder: params.Place = params.setting("", "Folder that holds mbpp.jsonl, or the file.")
        split: Literal["all", "few_shot", "test", "validation", "train"] = params.setting(
            "all", "Which rows; results are published for test, ids 11 to 510."
        )
        shots: Literal[0, 1, 2, 3] = params.setting(0, "Solved rows before the task in the prompt.", more=True)
        timeout_s: float = timeout_s(30.0)  # the reference of row 123 takes 5 to 10
        runner: Way = way()

    def __init__(self, params: Params) -> None:
        super().__init__(PythonRunner(params.timeout_s, params.runner == "warm"))
        self._params = params

    def check(self) -> None:
        rows.file(self._params.folder, NAMES, HOW)

    def entries(self) -> list[BugEntry]:
        return [BugEntry(_id(row), "python", _split(row)) for row in self._wanted]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return rows.read(self._params.folder, NAMES, HOW, FIELDS)

    @property
    def _wanted(self) -> list[dict[str, Any]]:
        return [row for row in self._rows if self._params.split in ("all", _split(row))]

    @cached_property
    def _cases(self) -> dict[str, Case]:
        by_id = {row["task_id"]: row for row in self._rows}
        shots = [by_id[number] for number in SHOTS[: self._params.shots] if number in by_id]
        return {bug.id: (bug, suite) for bug, suite in (_read(row, shots) for row in self._wanted)}


def _id(row: Mapping[str, Any]) -> str:
    return f"{Mbpp.name}/{row['task_id']}"


def _split(row: Mapping[str, Any]) -> str:
    return next((name for name, ids in SPLITS.items() if row["task_id"] in ids), "")


def _read(row: Mapping[str, Any], shots: Sequence[Mapping[str, Any]]) -> Case:
    code, asserts = _code(row), [*row["test_list"], *row.get("challenge_test_list", ())]
    asked = "".join(f"# {line}\n" for line in (*row["text"].splitlines(), *row["test_list"]))
    stub = f"def {_entry(code, row['test_list'])}(*arguments):\n    pass\n"
    first = len(lines_of(asked)) + 1
    names = [f"test_{number}" for number, _ in enumerate(asserts, start=1)]
    told = "".join(_task(each) + _code(each) + f"{END}\n\n" for each in shots if each is not row)
    bug = Bug(
        id=_id(row),
        language="python",
        path=TARGET,
        buggy=asked + stub,
        fixed=asked + code,
        span=Span(first, first + 1),
        kind=_split(row),
        project=_id(row),
        failing=tuple(names),
        task=Task(told + _task(row), STOPS, END, functions=1),
    )
    set_up = _plain(row.get("test_setup_code", ""))  # uses classes of the program, so it follows the imports
    tests = "".join(f"\n\ndef {name}():\n    {each}\n" for name, each in zip(names, map(_plain, asserts), strict=True))
    text = f"{imports(set_up + tests, code)}{set_up}\n{tests}"
    return bug, Suite(TARGET, TESTS, {TESTS: text.encode()})


def _task(row: Mapping[str, Any]) -> str:
    """As the paper asks for it, up to where the answer begins."""
    asserts = "\n".join(row["test_list"])
    text = f"You are an expert Python programmer, and here is your task: {row['text']}"
    return f"{text} Your code should pass these tests:\n\n{asserts}\n[BEGIN]\n"


def _code(row: Mapping[str, Any]) -> str:
    r"""The reference program; its lines end with "\n", in the file most end with "\r\n"."""
    return _plain(row["code"]).rstrip("\r\n") + "\n"


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _entry(code: str, asserts: Sequence[str]) -> str:
    """The first function of the program that an assertion calls."""
    functions = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    called = [node.id for each in asserts for node in ast.walk(ast.parse(each)) if isinstance(node, ast.Name)]
    return next((name for name in called if name in functions), "solution")
