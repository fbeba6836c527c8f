"""Candidates and evaluations of elle-elle-aime, which RepairBench is made with: a row for each bug with its patches.

`identifier, buggy_code, fixed_code, prompt_strategy, prompt, ground_truth`, with `generation` (a list, null is no
patch), and after the tests `evaluation: [{generation, exact_match, ast_match, compile, test}]`; a generation takes the
place of `buggy_code` in its file (https://github.com/ASSERT-KTH/elle-elle-aime,
`elleelleaime/evaluate/strategies/text/replace.py`, `export_results.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from engine.domain import Outcome
from engine.exchange.exported import Candidate, Exported, Form
from engine.exchange.imported import Reader
from engine.params import shown

OF_BUG = ("identifier", "generation", "evaluation", "fixed_code", "prompt", "ground_truth")  # not kept with each patch


def write(run: Exported, file: BinaryIO) -> None:
    """Evaluated candidates; whole files stand where it has functions, which its programs replace just as well.

    `ast_match` is true only where a text is the known fix to the letter: trees are not compared. Prompts are not kept.
    """
    for bug in run.bugs():
        values = {
            "identifier": bug.bug_id.rpartition("/")[2],
            "buggy_code": bug.buggy,
            "fixed_code": bug.fixed,
            "prompt_strategy": run.run.representation,
            "prompt": "",
            "ground_truth": bug.fix,
            "generation": [each.text for each in bug.candidates],
            "evaluation": [_evaluation(each) for each in bug.candidates],
        }
        file.write(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _evaluation(candidate: Candidate) -> dict[str, Any]:
    is_run = candidate.outcome != Outcome.NOT_RUN
    is_compiled = is_run and candidate.outcome not in (Outcome.COMPILE_ERROR, Outcome.NO_PATCH)
    return {
        "generation": candidate.text,
        "exact_match": candidate.is_known_fix,
        "ast_match": candidate.is_known_fix or bool(candidate.is_known_tree),
        "compile": is_compiled if is_run else None,
        "test": candidate.outcome == Outcome.PLAUSIBLE if is_run else None,
    }


def read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The candidates of a bug, with their verdicts where it has an evaluation. Raises ValueError."""
    rest = {name: value for name, value in row.items() if name not in OF_BUG}
    found = row.get("evaluation")
    if found is None:
        found = [{"generation": text} for text in _list(row.get("generation"), "generation")]
    for each in _list(found, "evaluation"):
        each = {"generation": None, "compile": False, "test": False} if each is None else each
        if not isinstance(each, dict) or not isinstance(text := each.get("generation"), str | None):
            raise ValueError(f"a generation should be a text or null, got {shown(each)}")
        part = {name: value for name, value in each.items() if name != "generation"}
        verdict = _verdict(each) if "test" in each else {}
        yield {**rest, **part, "bug_id": row["identifier"], "function": text, **verdict}


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} should be a list, got {shown(value)}")
    return value


def _verdict(each: Mapping[str, Any]) -> dict[str, str]:
    if each["test"] is None:
        return {"outcome": Outcome.NOT_RUN.value, "reason": "the file has no result of its tests"}
    if each["test"]:
        return {"outcome": Outcome.PLAUSIBLE.value}
    if each["generation"] is None:
        return {"outcome": Outcome.NO_PATCH.value}
    return {"outcome": (Outcome.COMPILE_ERROR if each.get("compile") is False else Outcome.TEST_FAILED).value}


FORM = Form(
    "elle-elle-aime",
    ".jsonl",
    "elle-elle-aime",
    "evaluated candidates, as RepairBench counts them",
    write,
    is_of_draws=True,
)
READERS = (
    Reader("elle-elle-aime evaluations", ("identifier", "evaluation"), read),
    Reader("elle-elle-aime candidates", ("identifier", "generation"), read),
)
